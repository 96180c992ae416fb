// Owns what a process was asked and has not answered: each question has one who waits, for a bounded time, and all are
// told when the process ends.

import { HeddleError } from '@heddle/wire';

interface Pending<Answer> {
  what: string;
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

export class PendingAnswers<Answer> {
  readonly #agent: string;
  #pending = new Map<string, Pending<Answer>>();
  #lastId = 0;

  /** @param agent who is asked, for people: `claude` */
  constructor(agent: string) {
    this.#agent = agent;
  }

  /**
   * Asks, and waits for the answer.
   * @param what names the question in errors
   * @param send puts it under a new id
   * @param timeoutMs 0: as long as it takes
   * @throws HeddleError `timeout`; whatever it was refused with; the reason of `rejectAll`.
   */
  async ask(what: string, send: (id: string) => void, timeoutMs: number): Promise<Answer> {
    const id = `heddle-${++this.#lastId}`;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#pending.set(id, { what, resolve, reject });
    const late = () => reject(new HeddleError('timeout', `${this.#agent} did not answer "${what}" within ${timeoutMs / 1000} s`));
    const timer = timeoutMs === 0 ? undefined : setTimeout(late, timeoutMs);
    send(id);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#pending.delete(id);
    }
  }

  /** The id of a question that waits, by what names it. */
  idOf(what: string): string | undefined {
    for (const [id, pending] of this.#pending) if (pending.what === what) return id;
    return undefined;
  }

  /** An answer that nobody waits for is left alone. */
  answer(id: string, answer: Answer): void {
    this.#pending.get(id)?.resolve(answer);
  }

  refuse(id: string, error: Error): void {
    this.#pending.get(id)?.reject(error);
  }

  /** Nobody will answer any more. */
  rejectAll(error: Error): void {
    const pending = this.#pending;
    this.#pending = new Map();
    for (const each of pending.values()) each.reject(error);
  }
}
