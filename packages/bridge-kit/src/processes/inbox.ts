// Owns that what an agent says is handled one after the other, in its order, also where the handling has to wait.

export class Inbox {
  readonly #onError: (error: unknown) => void;
  #waiting: (() => void | Promise<void>)[] = [];
  #isHandling = false;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  push(act: () => void | Promise<void>): void {
    this.#waiting.push(act);
    void this.#handleAll();
  }

  /** Before everything that waits. */
  pushFirst(acts: (() => void | Promise<void>)[]): void {
    this.#waiting.unshift(...acts);
    void this.#handleAll();
  }

  async #handleAll(): Promise<void> {
    if (this.#isHandling) return;
    this.#isHandling = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        const handling = next();
        if (handling !== undefined) await handling; // most need no waiting, and deltas are many
      } catch (error) {
        this.#onError(error);
      }
    }
    this.#isHandling = false;
  }
}
