// Owns how many agent processes run at once: one for each thread that has had a turn lately. A running turn holds a
// lease and is never evicted; among the idle the one that was used longest ago gives way, and each is ended when
// nobody has used it for a while. What a process is, and how it ends, it is told.

import { asError, HeddleError } from '@heddle/wire';

const MAX_PROCESSES = 16;
const IDLE_MS = 10 * 60 * 1_000;

/** What a pool can hold. */
export interface Poolable {
  /** Ends it; resolves when nothing of it is left, and never rejects. May be asked more than once. */
  stop(): Promise<unknown>;
  /** Settles when it has gone, whatever the cause. */
  readonly exited: Promise<unknown>;
}

/** The right to use a process; while there is one it is not evicted. */
export interface Lease<T> {
  readonly process: T;
  /** Gives the right back. Once is enough, more does no harm. */
  release(): void;
}

export interface ProcessPoolOptions {
  /** Whose processes they are, for people: `claude`. */
  agent: string;
  /** How many may run at once. Default 16. */
  maxProcesses?: number;
  /** After how long without a lease a process is ended, in milliseconds. Default 10 minutes. */
  idleMs?: number;
}

interface Entry<T> {
  /** The whole start, the wait for room included. Rejects also when the entry was ended meanwhile. */
  readonly started: Promise<T>;
  /** Set once it runs. */
  process?: T;
  leases: number;
  idleTimer?: NodeJS.Timeout | undefined;
  isEnding: boolean;
}

export class ProcessPool<T extends Poolable> {
  readonly #agent: string;
  readonly #maxProcesses: number;
  readonly #idleMs: number;
  /** In the order of use, the one used longest ago first. */
  readonly #entries = new Map<string, Entry<T>>();
  /** Processes that are being ended, by the key that they had. Never rejects. */
  readonly #endings = new Map<string, Promise<void>>();
  #isClosed = false;

  constructor(options: ProcessPoolOptions) {
    this.#agent = options.agent;
    this.#maxProcesses = options.maxProcesses ?? MAX_PROCESSES;
    this.#idleMs = options.idleMs ?? IDLE_MS;
  }

  /** How many processes run or start; those that are being ended don't count. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * The process of a key, started when there is none. Callers at the same time share one start, each with a lease of its
   * own. At the limit the process that was idle for longest is ended first, and a key whose process is being ended waits
   * for that: there are never more than the limit, and never two of one key.
   * @throws HeddleError `too_many_requests` when every process is leased; `agent_exited` when it was ended while it
   * started; `agent_unavailable` when the pool is closed; and whatever `start` rejects with.
   */
  async acquire(key: string, start: () => Promise<T>): Promise<Lease<T>> {
    if (this.#isClosed) throw new HeddleError('agent_unavailable', 'the daemon is shutting down');
    const entry = this.#entries.get(key) ?? this.#add(key, start);
    entry.leases += 1;
    clearTimeout(entry.idleTimer);
    const release = once(() => this.#release(key, entry));
    try {
      return { process: await entry.started, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** The running process of a key, without a lease; undefined when there is none or it is still starting. */
  peek(key: string): T | undefined {
    return this.#entries.get(key)?.process;
  }

  /** Ends the process of a key, leased or not. Resolves when it is gone. */
  async remove(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#end(key, entry);
    await this.#endings.get(key);
  }

  /** Ends all processes, leased or not. Resolves when they are gone; the pool can be used further. */
  async stopAll(): Promise<void> {
    for (const [key, entry] of this.#entries) this.#end(key, entry);
    await Promise.all(this.#endings.values());
  }

  /** Ends all processes, and refuses from now on. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.stopAll();
  }

  #add(key: string, start: () => Promise<T>): Entry<T> {
    if (this.#entries.size >= this.#maxProcesses) this.#evictIdle();
    const { promise: started, resolve, reject } = Promise.withResolvers<T>();
    started.catch(() => {}); // told to those who wait for it
    const entry: Entry<T> = { started, leases: 0, isEnding: false };
    this.#entries.set(key, entry);
    this.#start(key, entry, start).then(resolve, (error: unknown) => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
      reject(asError(error));
    });
    return entry;
  }

  async #start(key: string, entry: Entry<T>, start: () => Promise<T>): Promise<T> {
    // Who is being ended still runs. An entry that is ended itself does not wait: its own ending waits for it.
    while (!entry.isEnding && (this.#endings.has(key) || this.#entries.size + this.#endings.size > this.#maxProcesses)) {
      await (this.#endings.get(key) ?? Promise.race(this.#endings.values()));
    }
    if (entry.isEnding) throw this.#wasEnded();
    const process = await start();
    if (entry.isEnding) {
      await process.stop();
      throw this.#wasEnded();
    }
    entry.process = process;
    const forget = () => {
      clearTimeout(entry.idleTimer);
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    };
    process.exited.then(forget, forget);
    return process;
  }

  #wasEnded(): HeddleError {
    return new HeddleError('agent_exited', `the ${this.#agent} process was ended while it started`);
  }

  #release(key: string, entry: Entry<T>): void {
    entry.leases -= 1;
    if (entry.leases > 0 || this.#entries.get(key) !== entry) return;
    this.#entries.delete(key); // and to the end of the order
    this.#entries.set(key, entry);
    entry.idleTimer = setTimeout(() => this.#end(key, entry), this.#idleMs).unref();
  }

  #evictIdle(): void {
    for (const [key, entry] of this.#entries) {
      if (entry.leases === 0) return this.#end(key, entry);
    }
    throw new HeddleError('too_many_requests', `all ${this.#maxProcesses} ${this.#agent} processes are busy`, {
      hint: 'Wait for a turn to end, or interrupt one.',
    });
  }

  /** Takes an entry out, once; its ending is waited for by whoever needs its place or its key. */
  #end(key: string, entry: Entry<T>): void {
    entry.isEnding = true;
    clearTimeout(entry.idleTimer);
    this.#entries.delete(key);
    const before = this.#endings.get(key); // of a process that had the same key, which this one waited for
    const ending = entry.started
      .then((process) => process.stop())
      .catch(() => {}) // it did not start: what was wanted
      .then(() => before)
      .then(() => {
        if (this.#endings.get(key) === ending) this.#endings.delete(key);
      });
    this.#endings.set(key, ending);
  }
}

function once(act: () => void): () => void {
  let hasActed = false;
  return () => {
    if (hasActed) return;
    hasActed = true;
    act();
  };
}
