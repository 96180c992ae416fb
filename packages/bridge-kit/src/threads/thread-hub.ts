// Owns the threads of one agent: they are made, run, unloaded and forgotten here, within a bound on their number.
// The oldest idle thread makes room for a new one; only when all are busy is a new one refused.

import { RpcError, type Log } from '@heddle/rpc';
import { jsonRpcCodes, type ThreadId, type TurnError } from '@heddle/wire';
import type { Audience } from '../server/audience.ts';
import type { HubAgent } from './hub-agent.ts';
import { HubThread } from './hub-thread.ts';
import { type CutShort, type QueuedMessage, RunningTurn } from './running-turn.ts';
import { type ThreadRecord, trimHistory } from './thread-record.ts';
import type { TurnRecord } from './turn-record.ts';
import { uuidV7 } from './uuid-v7.ts';

const MAX_THREADS = 200;

/** What a new thread takes over from the one it is forked from. */
type ForkSource = Pick<ThreadRecord, 'id' | 'preview' | 'usage'> & { turns: TurnRecord[] };

export interface NewThread {
  originator: string;
  isEphemeral: boolean;
  forkOf?: ForkSource;
}

export interface ThreadHubOptions {
  agent: HubAgent;
  audience: Audience;
  log: Log;
  maxThreads?: number;
}

export class ThreadHub {
  readonly agent: HubAgent;
  readonly audience: Audience;
  readonly #log: Log;
  readonly #maxThreads: number;
  readonly #threads = new Map<ThreadId, HubThread>();
  readonly #beingMade = new Set<Promise<HubThread>>();
  /** How many threads have been asked for and are not there yet; they need room too. */
  #awaited = 0;

  constructor(options: ThreadHubOptions) {
    this.agent = options.agent;
    this.audience = options.audience;
    this.#log = options.log;
    this.#maxThreads = options.maxThreads ?? MAX_THREADS;
  }

  get threads(): HubThread[] {
    return [...this.#threads.values()];
  }

  find(id: ThreadId): HubThread | undefined {
    return this.#threads.get(id);
  }

  /** @throws RpcError `overloaded` when there are too many threads and every one of them is busy. */
  async create(wanted: NewThread): Promise<HubThread> {
    const making = this.#create(wanted);
    this.#beingMade.add(making);
    try {
      return await making;
    } finally {
      this.#beingMade.delete(making);
    }
  }

  /** Resolves when every thread whose making had begun is there, or has failed to be. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#beingMade);
  }

  /** Begins a turn. `onAccepted` runs first, so that the answer to the client precedes the notices. */
  startTurn(thread: HubThread, message: QueuedMessage, onAccepted: (turn: TurnRecord) => void): void {
    const turn = new RunningTurn(thread, message);
    const { record } = thread;
    thread.running = turn;
    record.turns.push(turn.record);
    record.recencyAtMs = turn.record.startedAtMs;
    record.updatedAtMs = turn.record.startedAtMs;
    if (record.preview === '') record.preview = message.content.find((input) => input.type === 'text')?.text ?? '';
    onAccepted(turn.record);
    turn.begin();
    void this.#run(thread, turn);
  }

  /** Ends what runs in a thread and takes it out of use; its record stays. */
  async unload(thread: HubThread, how: CutShort = { status: 'interrupted' }): Promise<void> {
    thread.isUnloading = true;
    thread.running?.cut(how);
    await thread.running?.ended;
    thread.approvals.forgetRemembered();
    if (thread.status.type !== 'notLoaded') thread.setStatus({ type: 'notLoaded' });
    thread.subscribers.clear();
    thread.isUnloading = false;
  }

  /** Unloads a thread and forgets it, with whatever the agent made for it. */
  async remove(thread: HubThread): Promise<void> {
    await this.unload(thread);
    this.#threads.delete(thread.id);
    await this.agent.removeThread(thread.id);
  }

  async #create({ originator, isEphemeral, forkOf }: NewThread): Promise<HubThread> {
    this.#awaited += 1;
    try {
      await this.#makeRoom();
      const id = uuidV7();
      const { cwd } = await this.agent.createThread(id);
      const nowMs = Date.now();
      const record: ThreadRecord = {
        id,
        forkedFromId: forkOf?.id ?? null,
        isEphemeral,
        originator,
        cwd,
        createdAtMs: nowMs,
        updatedAtMs: nowMs,
        recencyAtMs: nowMs,
        preview: forkOf?.preview ?? '',
        name: null,
        isArchived: false,
        turns: forkOf?.turns ?? [],
        usage: forkOf?.usage,
      };
      const thread = new HubThread(record, this.agent.labels, this.audience);
      this.#threads.set(id, thread);
      return thread;
    } finally {
      this.#awaited -= 1;
    }
  }

  async #run(thread: HubThread, turn: RunningTurn): Promise<void> {
    let failure: unknown;
    try {
      // A message that arrived while the agent was finishing is still part of this turn.
      do await this.agent.runTurn(turn);
      while (turn.hasMessages && turn.cutShort === undefined);
    } catch (error) {
      failure = error;
    }
    // From here to the end nothing waits: no message can slip in between.
    const error = this.#turnError(turn, failure);
    thread.running = undefined;
    thread.touch();
    turn.end(error);
    trimHistory(thread.record);
  }

  #turnError(turn: RunningTurn, failure: unknown): TurnError | undefined {
    if (turn.cutShort?.status === 'interrupted') return undefined;
    if (turn.cutShort === undefined && failure === undefined) return undefined;
    const message = turn.cutShort?.message ?? (failure instanceof Error ? failure.message : String(failure));
    this.#log.info('a turn failed', { threadId: turn.threadId, turnId: turn.id });
    return { message, codexErrorInfo: 'other', additionalDetails: null };
  }

  async #makeRoom(): Promise<void> {
    if (this.#threads.size + this.#awaited <= this.#maxThreads) return;
    const idle = this.threads.filter((thread) => thread.running === undefined && !thread.isUnloading);
    const oldest = idle.toSorted((left, right) => left.record.updatedAtMs - right.record.updatedAtMs)[0];
    if (oldest === undefined) {
      throw new RpcError(jsonRpcCodes.overloaded, `all ${this.#maxThreads} threads are busy; wait for a turn to end or delete a thread`);
    }
    await this.remove(oldest);
    this.audience.broadcast('thread/deleted', { threadId: oldest.id });
  }
}
