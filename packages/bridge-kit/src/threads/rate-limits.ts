// Owns the rate limits of an agent: what it said last, and that clients are told of them after each answer of the model.

import type { Log } from '@heddle/rpc';

export type RateLimitSnapshot = Record<string, unknown>;

/** A snapshot without windows or credits. Every field of codex 0.169 is there. */
const noRateLimits = {
  limitId: null,
  limitName: null,
  normalModelSlug: null,
  primary: null,
  secondary: null,
  credits: null,
  individualLimit: null,
  spendControlReached: null,
  planType: null,
  rateLimitReachedType: null,
} as const;

export class RateLimits {
  readonly #read: () => Promise<RateLimitSnapshot | undefined>;
  readonly #log: Log;
  #last: RateLimitSnapshot = noRateLimits;

  constructor(read: () => Promise<RateLimitSnapshot | undefined>, log: Log) {
    this.#read = read;
    this.#log = log;
  }

  /** As the agent tells them now. */
  async read(): Promise<RateLimitSnapshot> {
    this.#last = { ...noRateLimits, ...(await this.#read()) };
    return this.#last;
  }

  /** Tells what was known last at once, so that the order holds, and again when the agent then says something else. */
  tellAfterResponse(tell: (rateLimits: RateLimitSnapshot) => void): void {
    const told = this.#last;
    tell(told);
    this.read().then(
      (now) => {
        if (JSON.stringify(now) !== JSON.stringify(told)) tell(now);
      },
      (error: unknown) => this.#log.debug('the rate limits could not be read', { error: String(error) }),
    );
  }
}
