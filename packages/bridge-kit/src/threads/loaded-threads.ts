// Owns which threads of one agent are in memory, within a bound on their number, and how they leave it. The oldest idle
// thread makes room for a new one; only when all are busy is one refused.

import { RpcError } from '@heddle/rpc';
import { jsonRpcCodes, type ThreadId } from '@heddle/wire';
import type { Audience } from '../server/audience.ts';
import { refusal } from '../server/params.ts';
import type { HubAgent } from './hub-agent.ts';
import type { HubThread } from './hub-thread.ts';
import type { KeyedLock } from './keyed-lock.ts';
import type { CutShort } from './running-turn.ts';
import type { ThreadNotes } from './thread-notes.ts';
import { historyWeight, recentHistory } from './thread-record.ts';

const MAX_THREADS = 200;
/** As codex: how long a thread that nobody listens to and in which nothing runs stays loaded. */
const IDLE_MS = 30 * 60 * 1000;
/** Threads of sub-agents that have ended are kept for reading; so many for each thread. */
const MAX_ENDED_CHILDREN = 50;

export interface LoadedThreadsOptions {
  agent: HubAgent;
  audience: Audience;
  notes: ThreadNotes;
  lock: KeyedLock;
  maxThreads?: number | undefined;
}

export class LoadedThreads {
  readonly #options: LoadedThreadsOptions;
  readonly #maxThreads: number;
  readonly #threads = new Map<ThreadId, HubThread>();
  /** How many threads have been asked for and are not there yet; they need room too. */
  #awaited = 0;

  constructor(options: LoadedThreadsOptions) {
    this.#options = options;
    this.#maxThreads = options.maxThreads ?? MAX_THREADS;
  }

  /** Sub-agents' threads included; of an agent without a store also those that are not in use. */
  get all(): HubThread[] {
    return [...this.#threads.values()];
  }

  find(id: ThreadId): HubThread | undefined {
    return this.#threads.get(id);
  }

  /** @throws RpcError in codex's words when no turn can be started in it. */
  require(id: ThreadId): HubThread {
    const thread = this.#threads.get(id);
    if (thread === undefined || !thread.isLoaded) throw refusal(`thread not found: ${id}`);
    if (thread.parent === undefined) return thread;
    throw refusal(`thread ${id} is a sub-agent's: it takes no messages, write to thread ${thread.parent.id}`);
  }

  add(thread: HubThread): void {
    this.#threads.set(thread.id, thread);
  }

  addChild(child: HubThread): void {
    this.add(child);
    const siblings = this.all.filter((thread) => thread.parent === child.parent && thread !== child);
    const ended = siblings.filter((thread) => thread.status.type !== 'active').toReversed();
    let weight = 0;
    for (const [age, thread] of ended.entries()) {
      weight += historyWeight(thread.record);
      if (age >= MAX_ENDED_CHILDREN || weight > recentHistory.maxWeight) this.#forget(thread.id);
    }
  }

  /** @throws RpcError `overloaded` when there are too many threads and every one of them is busy. */
  async withRoom(make: () => Promise<HubThread>): Promise<HubThread> {
    this.#awaited += 1;
    try {
      await this.#makeRoom();
      const thread = await make();
      this.add(thread);
      return thread;
    } finally {
      this.#awaited -= 1;
    }
  }

  /**
   * Ends what runs in a thread and takes it out of use. What the agent's store has leaves the memory; else the record
   * stays, to be loaded again.
   */
  async unload(thread: HubThread, how: CutShort = { status: 'interrupted' }): Promise<void> {
    thread.isUnloading = true;
    thread.running?.cut(how);
    await this.#options.lock.run(thread.id, async () => {
      await thread.running?.ended;
      thread.questions.forgetRemembered();
      if (this.#options.agent.store !== undefined && this.#threads.get(thread.id) === thread) await this.#giveUp(thread);
      if (thread.status.type !== 'notLoaded') thread.setStatus({ type: 'notLoaded' });
      thread.subscribers.clear();
      thread.isUnloading = false;
    });
  }

  async unloadAll(how: CutShort): Promise<void> {
    await Promise.all(this.all.filter((thread) => thread.parent === undefined).map((thread) => this.unload(thread, how)));
  }

  /** Unloads every thread that was left alone for long. */
  async unloadIdle(nowMs: number): Promise<void> {
    const isIdle = (thread: HubThread) => isAtRest(thread) && thread.isLoaded && thread.subscribers.size === 0;
    const idle = this.all.filter((thread) => isIdle(thread) && nowMs - thread.quietSinceMs >= IDLE_MS);
    await Promise.all(idle.map((thread) => this.#close(thread)));
  }

  /** Unloads a thread and forgets it for good, with what is stored of it. */
  async remove(id: ThreadId): Promise<void> {
    const { agent, lock, notes } = this.#options;
    const thread = this.find(id);
    if (thread !== undefined) await this.unload(thread);
    await lock.run(id, async () => {
      if (agent.store === undefined) await agent.unloadThread(id);
      else await agent.store.remove(id);
      this.#forget(id);
      notes.drop(id);
    });
  }

  async #makeRoom(): Promise<void> {
    const held = this.all.filter((thread) => thread.parent === undefined);
    if (held.length + this.#awaited <= this.#maxThreads) return;
    const byAge = (left: HubThread, right: HubThread) => left.record.updatedAtMs - right.record.updatedAtMs;
    const idle = held.filter((thread) => isAtRest(thread) && !thread.isUnloading).toSorted(byAge);
    const victim = idle.find((thread) => thread.subscribers.size === 0) ?? idle[0];
    if (victim === undefined) {
      throw new RpcError(jsonRpcCodes.overloaded, `all ${this.#maxThreads} threads are busy; wait for a turn to end or delete a thread`);
    }
    if (this.#options.agent.store !== undefined) return this.#close(victim);
    await this.remove(victim.id);
    this.#options.audience.broadcast('thread/deleted', { threadId: victim.id });
  }

  async #close(thread: HubThread): Promise<void> {
    await this.unload(thread);
    this.#options.audience.broadcast('thread/closed', { threadId: thread.id });
  }

  /** The agent lets go of a thread, and so does the hub: it is read from the store from now on. */
  async #giveUp(thread: HubThread): Promise<void> {
    const { agent, notes } = this.#options;
    await agent.unloadThread(thread.id);
    this.#forget(thread.id);
    if (!thread.record.isEphemeral) return;
    await agent.store?.remove(thread.id);
    notes.drop(thread.id);
  }

  #forget(id: ThreadId): void {
    this.#threads.delete(id);
    for (const thread of this.all) if (thread.parent?.id === id) this.#forget(thread.id);
  }
}

/** Whether it can be taken out of memory without anybody losing something. */
function isAtRest(thread: HubThread): boolean {
  return thread.parent === undefined && thread.running === undefined && thread.queue.entries.length === 0;
}
