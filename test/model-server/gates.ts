// Owns the gates of a scripted model: named places where an answer waits until the test lets it go on. They are
// what tests use instead of sleeping.

interface Gate {
  reached: PromiseWithResolvers<void>;
  released: PromiseWithResolvers<void>;
}

export class Gates {
  readonly #gates = new Map<string, Gate>();

  /** Resolves when an answer waits at this gate, or has waited there before. */
  reached(name: string): Promise<void> {
    return this.#gate(name).reached.promise;
  }

  /** Lets go whoever waits at this gate, and everyone who comes later. */
  release(name: string): void {
    this.#gate(name).released.resolve();
  }

  /** Waits at the gate until it is released or `gone` settles. */
  async pass(name: string, gone: Promise<void>): Promise<void> {
    const gate = this.#gate(name);
    gate.reached.resolve();
    await Promise.race([gate.released.promise, gone]);
  }

  #gate(name: string): Gate {
    let gate = this.#gates.get(name);
    if (gate === undefined) {
      gate = { reached: Promise.withResolvers<void>(), released: Promise.withResolvers<void>() };
      this.#gates.set(name, gate);
    }
    return gate;
  }
}
