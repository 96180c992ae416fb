// Owns the parameters and results of the requests that both sides make. Which method carries which is in
// methods.ts. Source: codex app-server 0.169, JSON schema and measured transcripts.

import type { ItemId, Thread, ThreadId, ThreadItem, Turn, TurnId, UserInput } from './items.ts';

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
  /** Keep history up to this turn, without it. */
  beforeTurnId?: TurnId | null;
  excludeTurns?: boolean;
}
/** `plan`: the agent proposes and changes nothing. */
export type CollaborationModeKind = 'default' | 'plan';
export interface CollaborationMode {
  mode: CollaborationModeKind;
  settings: { model: string; reasoning_effort?: string | null; developer_instructions?: string | null };
}
/** What a thread runs with, as the answers to start, resume and fork tell it. */
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
  /** `thread/resume` only. */
  collaborationMode?: CollaborationMode | null;
  initialTurnsPage?: Page<Turn>;
  turnsBackwardsCursor?: string | null;
  itemsBackwardsCursor?: string | null;
}
/** The same settings as `thread/settings/updated` tells them. */
export interface ThreadSettingsInForce {
  cwd: string;
  model: string;
  modelProvider: string;
  effort: string | null;
  approvalPolicy: ApprovalPolicy;
  approvalsReviewer: string;
  sandboxPolicy: SandboxPolicy;
  collaborationMode: CollaborationMode;
}
export interface ThreadSettingsUpdateParams {
  threadId: ThreadId;
  model?: string | null;
  effort?: string | null;
  cwd?: string | null;
  approvalPolicy?: ApprovalPolicy | null;
  sandboxPolicy?: SandboxPolicy | null;
  collaborationMode?: CollaborationMode | null;
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
export interface ThreadItemsListParams extends PageParams {
  threadId: ThreadId;
  turnId?: TurnId | null;
}
export interface ThreadItemEntry {
  turnId: TurnId;
  item: ThreadItem;
  startedAtMs: number | null;
  completedAtMs: number | null;
}
export interface ThreadRevertResult {
  /** Without turns. */
  thread: Thread;
  turnsBackwardsCursor: string | null;
  itemsBackwardsCursor: string | null;
}
export interface ThreadReadParams {
  threadId: ThreadId;
  includeTurns?: boolean;
}
export interface ByThread {
  threadId: ThreadId;
}

/** A command of the user's own: run as it is, without the agent. */
export interface ThreadShellCommandParams extends ByThread {
  command: string;
  timeoutMs?: number | null;
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
  collaborationMode?: CollaborationMode | null;
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

/** A message that waits for the running turn to end. */
export interface QueuedSubmission {
  id: string;
  clientUserMessageId: string;
  input: UserInput[];
}
export interface ByQueued {
  threadId: ThreadId;
  queuedSubmissionId: string;
}

export interface SkillMetadata {
  name: string;
  description: string;
  enabled: boolean;
  path: string;
  scope: 'user' | 'repo' | 'system' | 'admin';
}
export interface SkillsListEntry {
  cwd: string;
  skills: SkillMetadata[];
  errors: { path: string; message: string }[];
}
export interface CollaborationModePreset {
  name: string;
  mode: CollaborationModeKind;
  model: string | null;
  reasoning_effort: string | null;
}
export interface AccountReadResult {
  account: Record<string, unknown> | null;
  userId: string | null;
  requiresOpenaiAuth: boolean;
  workspaceRouting: null;
}
export interface RateLimitsReadResult {
  rateLimits: Record<string, unknown>;
  rateLimitsByLimitId: Record<string, unknown> | null;
}
export interface ConfigReadResult {
  config: Record<string, unknown>;
  origins: Record<string, never>;
  layers: null;
}
export interface HooksListEntry {
  cwd: string;
  hooks: unknown[];
  warnings: string[];
  errors: { path: string; message: string }[];
}
export interface AuthStatusResult {
  authMethod: string | null;
  authToken: null;
  requiresOpenaiAuth: boolean;
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
  inputModalities?: ('text' | 'image')[];
  supportsPersonality?: boolean;
}

/** What an MCP server of an agent's is doing. */
export type McpConnectionStatus = 'notStarted' | 'starting' | 'connected' | 'authenticationRequired' | 'failed' | 'cancelled' | 'disabled';

export interface McpServerStatus {
  name: string;
  /** `null`: the agent does not tell. */
  runtimeStatus: McpConnectionStatus | null;
  pluginId: string | null;
  httpOrigin: string | null;
  serverInfo: Record<string, unknown> | null;
  serverCapabilities: unknown;
  toolListMeta: unknown;
  /** By name. */
  tools: Record<string, { name: string; description?: string; inputSchema: unknown }>;
  /** Why its tools are not known. */
  toolsError: string | null;
  resources: unknown[];
  resourceTemplates: unknown[];
  authStatus: 'unknown' | 'unsupported' | 'notLoggedIn' | 'bearerToken' | 'oAuth';
}

export interface McpServerStatusListParams extends PageParams {
  threadId?: ThreadId | null;
  serverName?: string | null;
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
  questions: UserQuestion[];
  /** Whether the turn waits for the answer. codex 0.132 did not say it. */
  isBlocking?: boolean;
}
export interface UserQuestion {
  id: string;
  header: string;
  question: string;
  /** Whether an answer in the person's own words is taken too. */
  isOther?: boolean;
  isSecret?: boolean;
  options: { label: string; description: string }[] | null;
}
export interface UserInputResult {
  answers: Record<string, { answers: string[] }>;
}
