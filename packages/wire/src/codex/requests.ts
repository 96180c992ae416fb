// Owns the parameters and results of the requests that both sides make. Which method carries which is in
// methods.ts. Source: codex app-server 0.169, JSON schema and measured transcripts.

import type { ItemId, Thread, ThreadId, Turn, TurnId, UserInput } from './items.ts';

export interface InitializeParams {
  clientInfo: { name: string; title?: string | null; version: string };
  capabilities?: { experimentalApi?: boolean; requestAttestation?: boolean; optOutNotificationMethods?: string[] } | null;
}
export interface InitializeResult {
  userAgent: string;
  codexHome: string;
  platformFamily: string;
  platformOs: string;
}

export type ApprovalPolicy = 'untrusted' | 'on-request' | 'never' | { granular: Record<string, boolean> };
export type SandboxMode = 'read-only' | 'workspace-write' | 'danger-full-access';
export type SandboxPolicy = { type: 'readOnly' | 'workspaceWrite' | 'dangerFullAccess' | 'externalSandbox' } & Record<string, unknown>;

export interface ThreadOverrides {
  cwd?: string | null;
  model?: string | null;
  modelProvider?: string | null;
  approvalPolicy?: ApprovalPolicy | null;
  sandbox?: SandboxMode | null;
  developerInstructions?: string | null;
  ephemeral?: boolean | null;
}
export type ThreadStartParams = ThreadOverrides;
export interface ThreadResumeParams extends ThreadOverrides {
  threadId: ThreadId;
  excludeTurns?: boolean;
}
export interface ThreadForkParams extends ThreadOverrides {
  threadId: ThreadId;
  /** Keep history up to and including this turn. */
  lastTurnId?: TurnId | null;
  excludeTurns?: boolean;
}
export interface ThreadSettings {
  thread: Thread;
  model: string;
  modelProvider: string;
  serviceTier: string | null;
  cwd: string;
  instructionSources: string[];
  approvalPolicy: ApprovalPolicy;
  approvalsReviewer: string;
  sandbox: SandboxPolicy;
  reasoningEffort: string | null;
}

export type SortDirection = 'asc' | 'desc';
export interface PageParams {
  cursor?: string | null;
  limit?: number | null;
  sortDirection?: SortDirection | null;
}
export interface Page<T> {
  data: T[];
  /** `null`: this was the last page. */
  nextCursor: string | null;
  backwardsCursor?: string | null;
}
export interface ThreadListParams extends PageParams {
  sortKey?: 'created_at' | 'updated_at' | 'recency_at' | null;
  archived?: boolean | null;
  cwd?: string | string[] | null;
  searchTerm?: string | null;
  modelProviders?: string[] | null;
  sourceKinds?: string[] | null;
}
export interface ThreadTurnsListParams extends PageParams {
  threadId: ThreadId;
  itemsView?: 'notLoaded' | 'summary' | 'full' | null;
}
export interface ThreadReadParams {
  threadId: ThreadId;
  includeTurns?: boolean;
}
export interface ByThread {
  threadId: ThreadId;
}

export interface TurnStartParams {
  threadId: ThreadId;
  input: UserInput[];
  clientUserMessageId?: string | null;
  model?: string | null;
  effort?: string | null;
  cwd?: string | null;
  approvalPolicy?: ApprovalPolicy | null;
  sandboxPolicy?: SandboxPolicy | null;
}
export interface TurnSteerParams {
  threadId: ThreadId;
  expectedTurnId: TurnId;
  input: UserInput[];
}
export interface TurnInterruptParams {
  threadId: ThreadId;
  turnId: TurnId;
}
export interface TurnStartResult {
  turn: Turn;
}

export interface Model {
  id: string;
  model: string;
  displayName: string;
  description: string;
  isDefault: boolean;
  hidden: boolean;
  supportedReasoningEfforts: { reasoningEffort: string; description: string }[];
  defaultReasoningEffort: string;
}

export type ApprovalDecision = 'accept' | 'acceptForSession' | 'decline' | 'cancel';

export interface CommandApprovalParams {
  kind?: string;
  threadId: ThreadId;
  turnId: TurnId;
  itemId: ItemId;
  startedAtMs: number;
  environmentId?: string | null;
  approvalId?: string | null;
  reason?: string | null;
  command?: string | null;
  cwd?: string | null;
  commandActions?: unknown[] | null;
  proposedExecpolicyAmendment?: string[] | null;
  availableDecisions?: unknown[] | null;
}
export interface FileChangeApprovalParams {
  threadId: ThreadId;
  turnId: TurnId;
  itemId: ItemId;
  startedAtMs: number;
  reason?: string | null;
  grantRoot?: string | null;
}
/** A decision may also be an object, such as `{ acceptWithExecpolicyAmendment: … }`. */
export interface ApprovalResult {
  decision: ApprovalDecision | Record<string, unknown>;
}

export interface UserInputRequestParams {
  threadId: ThreadId;
  turnId: TurnId;
  itemId: ItemId;
  questions: { id: string; header: string; question: string; options: { label: string; description: string }[] | null }[];
}
export interface UserInputResult {
  answers: Record<string, { answers: string[] }>;
}
