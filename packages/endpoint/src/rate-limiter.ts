// Owns how often somebody may fail: a few times freely, then after pauses that double. It knows keys and a clock,
// not who they are, and keeps a bounded number of them.

export interface RateLimiterOptions {
  /** Failures that have no consequence. */
  freeFailures: number;
  /** Unix milliseconds, or any clock that goes forward. */
  nowMs: () => number;
  /** Keys that are kept; of more, those that failed longest ago are forgotten. */
  maxKeys?: number;
}

const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 15 * 60_000;
/** Without a failure for this long all is forgotten. */
const FORGET_AFTER_MS = 60 * 60_000;
const MAX_KEYS = 10_000;

interface Failures {
  count: number;
  lastMs: number;
  pauseEndsMs: number;
}

/** Exponential back-off for each key. */
export class RateLimiter {
  readonly #options: RateLimiterOptions;
  /** Whoever failed longest ago comes first. */
  readonly #failures = new Map<string, Failures>();

  constructor(options: RateLimiterOptions) {
    this.#options = options;
  }

  /** How many keys are kept. */
  get size(): number {
    return this.#failures.size;
  }

  /** Milliseconds until the key may try again; 0 when it may now. */
  pauseOf(key: string): number {
    const failures = this.#find(key);
    return failures === undefined ? 0 : Math.max(0, failures.pauseEndsMs - this.#options.nowMs());
  }

  failed(key: string): void {
    const nowMs = this.#options.nowMs();
    const count = (this.#find(key)?.count ?? 0) + 1;
    const doublings = count - this.#options.freeFailures - 1;
    const pauseMs = doublings < 0 ? 0 : Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** doublings);
    this.#failures.delete(key); // and in again as the newest
    this.#failures.set(key, { count, lastMs: nowMs, pauseEndsMs: nowMs + pauseMs });
    this.#makeRoom(nowMs);
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }

  forgetAll(): void {
    this.#failures.clear();
  }

  #find(key: string): Failures | undefined {
    const failures = this.#failures.get(key);
    if (failures === undefined || !this.#isOld(failures, this.#options.nowMs())) return failures;
    this.#failures.delete(key);
    return undefined;
  }

  #makeRoom(nowMs: number): void {
    for (const [key, failures] of this.#failures) {
      if (this.#failures.size <= (this.#options.maxKeys ?? MAX_KEYS) && !this.#isOld(failures, nowMs)) return;
      this.#failures.delete(key);
    }
  }

  #isOld(failures: Failures, nowMs: number): boolean {
    return nowMs - failures.lastMs >= FORGET_AFTER_MS;
  }
}
