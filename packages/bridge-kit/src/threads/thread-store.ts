// Owns the contract of an agent's own history: read when it is asked for, so that what was begun in a terminal a
// minute ago is there. A store never runs a process per thread.

import type { ThreadId, ThreadItem, TurnError, TurnId, TurnStatus } from '@heddle/wire';
import type { SubAgentOrigin } from './thread-record.ts';
import type { ThreadUsage } from './thread-usage.ts';

/** A thread as the agent's own store has it, without its turns. */
export interface StoredThread {
  id: ThreadId;
  /** Absolute. */
  cwd: string;
  createdAtMs: number;
  updatedAtMs: number;
  /** Text of the first user message; '' when nothing was said yet. */
  preview: string;
  /** A name that the agent itself keeps; a name given through heddle wins. */
  name: string | null;
  model: string | null;
  /** Absolute path of the transcript, if it is one file. */
  path: string | null;
  forkedFromId: ThreadId | null;
  gitBranch: string | null;
  /** Of a sub-agent's: whose part it is. */
  subAgent?: SubAgentOrigin;
}

/** A turn as it can be read back. Items carry the ids that they had live. */
export interface StoredTurn {
  id: TurnId;
  items: ThreadItem[];
  /** `inProgress` is never stored: a turn without an end was interrupted. */
  status: Exclude<TurnStatus, 'inProgress'>;
  error: TurnError | null;
  startedAtMs: number;
  completedAtMs: number | null;
}

export interface StoredHistory {
  turns: StoredTurn[];
  usage: ThreadUsage | undefined;
}

export interface ThreadStore {
  /** All threads of the agent on this computer, in any order; sub-agents' are not among them. Fast when little changed. */
  list(): Promise<readonly StoredThread[]>;
  /** Finds sub-agents' threads too, where they can be read. */
  find(id: ThreadId): Promise<StoredThread | undefined>;
  /** Oldest turn first; empty for a thread that is not there. */
  read(id: ThreadId): Promise<StoredHistory>;
  /** Deletes it for good. A thread that is not there is no error. */
  remove(id: ThreadId): Promise<void>;
}
