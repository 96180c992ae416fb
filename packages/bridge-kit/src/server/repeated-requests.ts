// Owns the memory of requests that must not be done twice. A phone that lost its connection sends what was not answered
// again under the same id, though the session behind it lived on. Only the very same request counts as a repetition.

import { createHash } from 'node:crypto';
import type { IncomingRequest } from '@heddle/rpc';

/** What says something to an agent. Everything else may be done again. */
const onceOnly: ReadonlySet<string> = new Set(['turn/start', 'turn/steer', 'thread/queue/add']);
const MAX_KEPT = 64;
const KEPT_MS = 10 * 60 * 1000;

interface Seen {
  atMs: number;
  /** Absent while it is being done. */
  answer?: { result: unknown };
}

export class RepeatedRequests {
  readonly #seen = new Map<string, Seen>();

  /**
   * Serves a request, or answers a repetition as the first time. While the first is still being done a repetition is
   * not answered: both have the same id, so one answer is enough. A refused request is forgotten.
   */
  async once(request: IncomingRequest, serve: (request: IncomingRequest) => Promise<void>): Promise<void> {
    if (!onceOnly.has(request.method)) return serve(request);
    const key = createHash('sha256')
      .update(JSON.stringify([request.id, request.method, request.params]))
      .digest('base64');
    const known = this.#seen.get(key);
    if (known !== undefined && Date.now() - known.atMs < KEPT_MS) {
      if (known.answer !== undefined) request.reply(known.answer.result);
      return;
    }
    const seen: Seen = { atMs: Date.now() };
    this.#keep(key, seen);
    const reply = (result: unknown) => {
      seen.answer = { result };
      request.reply(result);
    };
    try {
      await serve({ ...request, reply });
    } catch (error) {
      this.#seen.delete(key);
      throw error;
    }
  }

  #keep(key: string, seen: Seen): void {
    this.#seen.delete(key);
    this.#seen.set(key, seen);
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > MAX_KEPT && oldest !== undefined) this.#seen.delete(oldest);
  }
}
