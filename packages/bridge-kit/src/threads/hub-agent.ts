// Owns the contract between the hub, which holds threads and talks to clients, and an agent, which does the work.

import type { ThreadId } from '@heddle/wire';
import type { RunningTurn } from './running-turn.ts';
import type { AgentLabels } from './thread-record.ts';

export interface HubAgent {
  readonly labels: AgentLabels;
  /** Prepares what a new thread needs. @returns where the agent will act: an absolute path, reported to clients. */
  createThread(threadId: ThreadId): Promise<{ cwd: string }>;
  /**
   * Does one turn, from `turn.takeMessages()` on. Called again when a message arrived just as it resolved.
   * Stops when `turn.signal` aborts, leaving no process behind, and may reject then. Any other rejection fails the
   * turn with the error's message.
   */
  runTurn(turn: RunningTurn): Promise<void>;
  /** Gives up whatever `createThread` made. No turn of the thread runs any more. Never rejects. */
  removeThread(threadId: ThreadId): Promise<void>;
}
