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
/** The items heddle makes itself. A codex may send others; a client shows those by their type. */
export type ThreadItem = UserMessageItem | AgentMessageItem | ReasoningItem | CommandExecutionItem | FileChangeItem;

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
  turns: Turn[];
}
