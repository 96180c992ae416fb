// Owns one thread as the daemon holds it: its record, its status, who listens, what runs and what waits for an answer.
// It belongs to no client: it lives on when every session is gone.

import type { ServerNotificationMethod, ServerNotificationParams, Thread, ThreadStatus, Turn } from '@heddle/wire';
import { Approvals } from './approvals.ts';
import type { Audience } from '../server/audience.ts';
import type { RunningTurn } from './running-turn.ts';
import type { Session } from '../server/session.ts';
import { type AgentLabels, type ThreadRecord, threadView } from './thread-record.ts';

export class HubThread {
  readonly record: ThreadRecord;
  readonly subscribers = new Set<Session>();
  readonly approvals: Approvals;
  running: RunningTurn | undefined;
  /** Set from the first moment of an unload, so that nothing new begins while the running turn ends. */
  isUnloading = false;
  readonly #audience: Audience;
  readonly #labels: AgentLabels;
  #status: ThreadStatus = { type: 'idle' };
  #nextOrdinal: number;

  constructor(record: ThreadRecord, labels: AgentLabels, audience: Audience) {
    this.record = record;
    this.approvals = new Approvals(record.id, this.subscribers);
    this.#labels = labels;
    this.#audience = audience;
    this.#nextOrdinal = (record.turns.at(-1)?.ordinal ?? 0) + 1;
  }

  get id(): string {
    return this.record.id;
  }

  get status(): ThreadStatus {
    return this.#status;
  }

  /** Whether turns may be started in it. */
  get isLoaded(): boolean {
    return this.#status.type !== 'notLoaded' && !this.isUnloading;
  }

  /** Sets the status and tells every client of the agent. */
  setStatus(status: ThreadStatus): void {
    this.#status = status;
    this.#audience.broadcast('thread/status/changed', { threadId: this.id, status });
  }

  /** Sets the status without a word: there is nobody to tell, or they are told otherwise. */
  setStatusSilently(status: ThreadStatus): void {
    this.#status = status;
  }

  /** Tells the sessions that subscribed to this thread. */
  notify<M extends ServerNotificationMethod>(method: M, params: ServerNotificationParams<M>): void {
    for (const session of this.subscribers) session.notify(method, params);
  }

  takeOrdinal(): number {
    return this.#nextOrdinal++;
  }

  touch(): void {
    this.record.updatedAtMs = Date.now();
  }

  view(turns: Turn[] = []): Thread {
    return threadView(this.record, this.#labels, this.#status, turns);
  }
}
