// Owns the parts of a conversation: threads, turns, items. Fields as codex app-server 0.169 sends them;
// fields that heddle does not read pass through untyped.

export type ThreadId = string;
export type TurnId = string;
export type ItemId = string;

export type ThreadStatus =
  | { type: 'notLoaded' }
  | { type: 'idle' }
  | { type: 'systemError' }
  | { type: 'active'; activeFlags: ('waitingOnApproval' | 'waitingOnUserInput')[] };

export type UserInput =
  | { type: 'text'; text: string; text_elements?: unknown[] }
  | { type: 'image'; url: string }
  | { type: 'localImage'; path: string }
  | { type: 'skill'; name: string; path: string }
  | { type: 'mention'; name: string; path: string };

export interface ItemTimes {
  /** Unix milliseconds. */
  startedAtMs?: number | null;
  completedAtMs?: number | null;
}

export interface UserMessageItem extends ItemTimes {
  type: 'userMessage';
  id: ItemId;
  clientId: string | null;
  content: UserInput[];
}
export interface AgentMessageItem extends ItemTimes {
  type: 'agentMessage';
  id: ItemId;
  text: string;
  phase: 'commentary' | 'final_answer' | null;
}
export interface ReasoningItem extends ItemTimes {
  type: 'reasoning';
  id: ItemId;
  summary: string[];
  content: string[];
}
export type CommandStatus = 'inProgress' | 'completed' | 'failed' | 'declined';
export interface CommandExecutionItem extends ItemTimes {
  type: 'commandExecution';
  id: ItemId;
  /** The whole shell string, `/bin/bash -lc '…'`. */
  command: string;
  cwd: string;
  status: CommandStatus;
  commandActions: unknown[];
  aggregatedOutput: string | null;
  exitCode: number | null;
  durationMs: number | null;
  processId: string | null;
  source: string;
}
export type PatchChangeKind = { type: 'add' } | { type: 'delete' } | { type: 'update'; move_path: string | null };
export interface FileUpdateChange {
  /** Absolute. */
  path: string;
  kind: PatchChangeKind;
  /** Raw text for add and delete; hunks from `@@` on, without a file header, for update. */
  diff: string;
}
export interface FileChangeItem extends ItemTimes {
  type: 'fileChange';
  id: ItemId;
  changes: FileUpdateChange[];
  status: CommandStatus;
}
/** What the agent proposes to do before it does it. Not the todo list: that is `turn/plan/updated`. */
export interface PlanItem extends ItemTimes {
  type: 'plan';
  id: ItemId;
  text: string;
}
export type ToolStatus = 'inProgress' | 'completed' | 'failed';
export interface McpToolCallItem extends ItemTimes {
  type: 'mcpToolCall';
  id: ItemId;
  server: string;
  tool: string;
  status: ToolStatus;
  arguments: unknown;
  appContext: null;
  mcpAppUi: null;
  pluginId: null;
  readOnlyHint: boolean | null;
  /** MCP content blocks. */
  result: { content: unknown[]; structuredContent: unknown; _meta: unknown } | null;
  error: { message: string } | null;
  durationMs: number | null;
}
/** A tool of the agent that has no item of its own. */
export interface DynamicToolCallItem extends ItemTimes {
  type: 'dynamicToolCall';
  id: ItemId;
  /** Whose tool it is: the agent's name. */
  namespace: string | null;
  tool: string;
  arguments: unknown;
  status: ToolStatus;
  contentItems: ({ type: 'inputText'; text: string } | { type: 'inputImage'; imageUrl: string })[] | null;
  success: boolean | null;
  durationMs: number | null;
}
export interface CollabAgentState {
  status: 'pendingInit' | 'running' | 'interrupted' | 'completed' | 'errored' | 'shutdown' | 'notFound';
  message: string | null;
}
/** A sub-agent at work; its own turns and items carry its thread id. Only the tools that 0.132 knew. */
export interface CollabAgentToolCallItem extends ItemTimes {
  type: 'collabAgentToolCall';
  id: ItemId;
  tool: 'spawnAgent' | 'sendInput' | 'resumeAgent' | 'wait' | 'closeAgent';
  status: ToolStatus;
  senderThreadId: ThreadId;
  receiverThreadIds: ThreadId[];
  prompt: string | null;
  model: string | null;
  reasoningEffort: string | null;
  agentsStates: Record<ThreadId, CollabAgentState>;
}
export type WebSearchAction =
  | { type: 'search'; query: string | null; queries: string[] | null }
  | { type: 'openPage'; url: string | null }
  | { type: 'findInPage'; url: string | null; pattern: string | null }
  | { type: 'other' };
export interface WebSearchItem extends ItemTimes {
  type: 'webSearch';
  id: ItemId;
  query: string;
  action: WebSearchAction | null;
}
export interface ImageViewItem extends ItemTimes {
  type: 'imageView';
  id: ItemId;
  /** Absolute. */
  path: string;
}
export interface ContextCompactionItem extends ItemTimes {
  type: 'contextCompaction';
  id: ItemId;
}
/** The items heddle makes itself. A codex may send others; a client shows those by their type. */
export type ThreadItem =
  | UserMessageItem
  | AgentMessageItem
  | ReasoningItem
  | PlanItem
  | CommandExecutionItem
  | FileChangeItem
  | McpToolCallItem
  | DynamicToolCallItem
  | CollabAgentToolCallItem
  | WebSearchItem
  | ImageViewItem
  | ContextCompactionItem;

/** What a bridge may say of an error: only the kinds that 0.132 knew; a client drops a message with another one. */
export type CodexErrorInfo =
  | 'contextWindowExceeded'
  | 'usageLimitExceeded'
  | 'serverOverloaded'
  | 'cyberPolicy'
  | 'internalServerError'
  | 'unauthorized'
  | 'badRequest'
  | 'threadRollbackFailed'
  | 'sandboxError'
  | 'other'
  | { httpConnectionFailed: { httpStatusCode: number | null } }
  | { responseStreamConnectionFailed: { httpStatusCode: number | null } }
  | { responseStreamDisconnected: { httpStatusCode: number | null } }
  | { responseTooManyFailedAttempts: { httpStatusCode: number | null } };

export interface TurnError {
  message: string;
  codexErrorInfo: unknown;
  additionalDetails: string | null;
}
export type TurnStatus = 'inProgress' | 'completed' | 'interrupted' | 'failed';
export interface Turn {
  id: TurnId;
  rootTurnId?: TurnId;
  items: ThreadItem[];
  /** `summary` of a finished turn: its final agent messages only. */
  itemsView: 'notLoaded' | 'summary' | 'full';
  status: TurnStatus;
  error: TurnError | null;
  /** Unix seconds. */
  startedAt: number | null;
  completedAt: number | null;
  durationMs: number | null;
}

export interface Thread {
  id: ThreadId;
  sessionId: string;
  /** Text of the first user message. */
  preview: string;
  ephemeral: boolean;
  modelProvider: string;
  model?: string | null;
  reasoningEffort?: string | null;
  /** Unix seconds. */
  createdAt: number;
  updatedAt: number;
  recencyAt?: number | null;
  status: ThreadStatus;
  path: string | null;
  cwd: string;
  cliVersion: string;
  source: unknown;
  forkedFromId: ThreadId | null;
  parentThreadId?: ThreadId | null;
  gitInfo: unknown;
  name: string | null;
  /** heddle's own: what to type to go on in a terminal without it. Absent where there is no such command. */
  resumeCommand?: string;
  turns: Turn[];
}
