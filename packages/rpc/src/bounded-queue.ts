// Owns the one queue that stands between a producer that is told when to stop and a consumer that pulls.
// It never drops and never refuses: a producer that ignores `false` is the one that breaks the bound.

export interface BoundedQueueOptions {
  /** `push` answers false, and `room` waits, while at least this much weight is queued. */
  highWater: number;
  /** Called once each time the queue falls below the mark again after `push` answered false. */
  onRoom?: () => void;
}

/** Single consumer: iterate it once. The iteration ends after `end()`, once everything queued was taken. */
export class BoundedQueue<T> implements AsyncIterable<T> {
  #highWater: number;
  readonly #onRoom: (() => void) | undefined;
  #items: { item: T; weight: number }[] = [];
  #head = 0;
  #weight = 0;
  #isFull = false;
  #isEnded = false;
  #wakeConsumer: (() => void) | undefined;
  #waitingForRoom: (() => void)[] = [];
  #waitingForEmpty: (() => void)[] = [];

  constructor(options: BoundedQueueOptions) {
    this.#highWater = options.highWater;
    this.#onRoom = options.onRoom;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** @returns false when the producer should wait for `room()` before it goes on. */
  push(item: T, weight = 1): boolean {
    if (this.#isEnded) return true;
    this.#items.push({ item, weight });
    this.#weight += weight;
    this.#wakeConsumer?.();
    if (this.#weight >= this.#highWater) this.#isFull = true;
    return !this.#isFull;
  }

  /** Resolves at once when there is room, else when there is room again or the queue has ended. */
  room(): Promise<void> {
    if (!this.#isFull || this.#isEnded) return Promise.resolve();
    return new Promise((resolve) => this.#waitingForRoom.push(resolve));
  }

  /** How many items are queued. */
  get length(): number {
    return this.#items.length - this.#head;
  }

  /** Takes the next item if there is one right now; for a consumer that works in batches. */
  takeNext(): T | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#take();
    if (this.#head === this.#items.length) this.#tellEmptied();
    return item;
  }

  /** Resolves when nothing is queued, or the queue has ended. */
  emptied(): Promise<void> {
    if (this.#isEnded || this.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waitingForEmpty.push(resolve));
  }

  /** Lifts the bound: the producer has lost its source, and only what it still holds will come. */
  lift(): void {
    this.#highWater = Number.POSITIVE_INFINITY;
    this.#isFull = false;
    this.#releaseProducers();
  }

  /** No more items. What is queued is still delivered. */
  end(): void {
    this.#isEnded = true;
    this.#wakeConsumer?.();
    this.#releaseProducers();
    this.#tellEmptied();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    try {
      for (;;) {
        while (this.#head < this.#items.length) yield this.#take();
        this.#tellEmptied();
        if (this.#isEnded) return;
        await new Promise<void>((resolve) => {
          this.#wakeConsumer = resolve;
        });
        this.#wakeConsumer = undefined;
      }
    } finally {
      // The consumer has gone: keep nothing for it and let no producer wait for it.
      this.#items = [];
      this.#head = 0;
      this.#weight = 0;
      this.end();
    }
  }

  #take(): T {
    const entry = this.#items[this.#head] as { item: T; weight: number };
    this.#items[this.#head] = undefined as never;
    this.#head += 1;
    if (this.#head === this.#items.length || this.#head > 1024) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    this.#weight -= entry.weight;
    if (this.#isFull && this.#weight < this.#highWater) {
      this.#isFull = false;
      this.#onRoom?.();
      this.#releaseProducers();
    }
    return entry.item;
  }

  #tellEmptied(): void {
    const waiting = this.#waitingForEmpty;
    this.#waitingForEmpty = [];
    for (const resolve of waiting) resolve();
  }

  #releaseProducers(): void {
    const waiting = this.#waitingForRoom;
    this.#waitingForRoom = [];
    for (const resolve of waiting) resolve();
  }
}
