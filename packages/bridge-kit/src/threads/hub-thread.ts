// Owns one thread as the daemon holds it: its record, its settings, its status, who listens, what runs and what waits
// for an answer. It belongs to no client: it lives on when every session is gone.

import type { ServerNotificationMethod, ServerNotificationParams, Thread, ThreadId, ThreadStatus, Turn } from '@heddle/wire';
import type { Audience } from '../server/audience.ts';
import type { Session } from '../server/session.ts';
import { MessageQueue } from './message-queue.ts';
import { OpenQuestions } from './open-questions.ts';
import type { RunningTurn } from './running-turn.ts';
import type { ThreadNotes } from './thread-notes.ts';
import type { ThreadRecord } from './thread-record.ts';
import type { SettingsInForce } from './thread-settings.ts';
import { type AgentLabels, type ThreadFacts, threadView } from './thread-view.ts';

/** What threads of one agent share. */
export interface ThreadSurroundings {
  audience: Audience;
  notes: ThreadNotes;
  labels: () => AgentLabels;
}

export type WaitingFlag = 'waitingOnApproval' | 'waitingOnUserInput';

interface NewChild {
  id: ThreadId;
  nickname: string | null;
  role: string | null;
  preview: string;
}

export class HubThread {
  readonly record: ThreadRecord;
  readonly subscribers = new Set<Session>();
  /** A sub-agent's questions are asked where its parent's are. */
  readonly questions: OpenQuestions;
  readonly queue = new MessageQueue();
  /** Of a sub-agent's thread: the thread it works for. */
  readonly parent: HubThread | undefined;
  settings: SettingsInForce;
  running: RunningTurn | undefined;
  /** Set from the first moment of an unload, so that nothing new begins while the running turn ends. */
  isUnloading = false;
  /** Since when nothing runs in it and nobody listens, as far as it is so. */
  quietSinceMs = Date.now();
  readonly #surroundings: ThreadSurroundings;
  readonly #waiting: Record<WaitingFlag, number> = { waitingOnApproval: 0, waitingOnUserInput: 0 };
  #status: ThreadStatus = { type: 'idle' };
  #nextOrdinal: number;

  constructor(record: ThreadRecord, settings: SettingsInForce, surroundings: ThreadSurroundings, parent?: HubThread) {
    this.record = record;
    this.settings = settings;
    this.parent = parent;
    this.questions = parent?.questions ?? new OpenQuestions(this.subscribers);
    this.#surroundings = surroundings;
    this.#nextOrdinal = (record.turns.at(-1)?.ordinal ?? 0) + 1;
  }

  static childOf(parent: HubThread, { id, nickname, role, preview }: NewChild): HubThread {
    const nowMs = Date.now();
    const { record } = parent;
    const child: ThreadRecord = {
      id,
      forkedFromId: null,
      subAgent: { parentThreadId: parent.id, depth: (record.subAgent?.depth ?? 0) + 1, nickname, role },
      isEphemeral: record.isEphemeral,
      originator: record.originator,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
      recencyAtMs: nowMs,
      preview,
      path: null,
      gitInfo: record.gitInfo,
      turns: [],
      usage: undefined,
    };
    return new HubThread(child, parent.settings, parent.#surroundings, parent);
  }

  get id(): string {
    return this.record.id;
  }

  get status(): ThreadStatus {
    return this.#status;
  }

  /** Whether it is held in memory to be used. */
  get isLoaded(): boolean {
    return this.#status.type !== 'notLoaded' && !this.isUnloading;
  }

  /** Sets the status and tells every client of the agent. */
  setStatus(status: ThreadStatus): void {
    this.#status = status;
    if (status.type !== 'active') this.#waiting.waitingOnApproval = this.#waiting.waitingOnUserInput = 0;
    this.#surroundings.audience.broadcast('thread/status/changed', { threadId: this.id, status });
  }

  /** Shows that the running turn waits for a person. Several questions may be open at once. */
  beginWaiting(flag: WaitingFlag): void {
    this.#waiting[flag] += 1;
    if (this.#waiting[flag] === 1) this.#showWaiting();
  }

  endWaiting(flag: WaitingFlag): void {
    this.#waiting[flag] -= 1;
    if (this.#waiting[flag] === 0) this.#showWaiting();
  }

  /** Tells the sessions that subscribed to this thread, or to the one it works for. */
  notify<M extends ServerNotificationMethod>(method: M, params: ServerNotificationParams<M>): void {
    for (const session of this.#listeners()) session.notify(method, params);
  }

  /** @returns whether the session had subscribed. */
  leave(session: Session): boolean {
    if (!this.subscribers.delete(session)) return false;
    this.quietSinceMs = Date.now();
    return true;
  }

  takeOrdinal(): number {
    return this.#nextOrdinal++;
  }

  touch(): void {
    this.record.updatedAtMs = Date.now();
    this.quietSinceMs = this.record.updatedAtMs;
  }

  facts(): ThreadFacts {
    const { record, settings } = this;
    const note = this.#surroundings.notes.of(this.id);
    return {
      id: record.id,
      status: this.#status,
      forkedFromId: record.forkedFromId,
      subAgent: record.subAgent,
      isEphemeral: record.isEphemeral,
      isArchived: note?.isArchived === true,
      isUsed: record.turns.length > 0,
      originator: record.originator,
      createdAtMs: record.createdAtMs,
      updatedAtMs: record.updatedAtMs,
      recencyAtMs: record.recencyAtMs,
      preview: record.preview,
      name: note?.name ?? null,
      cwd: settings.cwd,
      model: settings.model,
      reasoningEffort: settings.reasoningEffort,
      path: record.path,
      gitInfo: record.gitInfo,
    };
  }

  view(turns: Turn[] = []): Thread {
    return threadView(this.facts(), this.#surroundings.labels(), turns);
  }

  #showWaiting(): void {
    const flags = (['waitingOnApproval', 'waitingOnUserInput'] as const).filter((flag) => this.#waiting[flag] > 0);
    this.setStatus({ type: 'active', activeFlags: flags });
  }

  #listeners(): Iterable<Session> {
    if (this.parent === undefined) return this.subscribers;
    return new Set([...this.parent.#listeners(), ...this.subscribers]);
  }
}
