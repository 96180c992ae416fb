// Owns counting the requests that were sent and are not answered yet. It reads ids and changes nothing.

interface Envelope {
  id?: unknown;
  method?: unknown;
}

export class OpenRequests {
  readonly #ids = new Set<string>();
  #settle: (() => void) | undefined;

  /** A message on its way to the agent. */
  sent(message: Uint8Array): void {
    const { id, method } = envelopeOf(message);
    if (isId(id) && typeof method === 'string') this.#ids.add(keyOf(id));
  }

  /** A message from the agent. */
  answered(message: Uint8Array): void {
    if (this.#ids.size === 0) return; // the usual case of a stream of events: not worth a look
    const { id, method } = envelopeOf(message);
    if (!isId(id) || method !== undefined) return;
    this.#ids.delete(keyOf(id));
    if (this.#ids.size === 0) this.#settle?.();
  }

  /** Resolves when nothing is open, after `ms`, or with `ended`, whichever is first. */
  async settledWithin(ms: number, ended: Promise<unknown>): Promise<void> {
    if (this.#ids.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#settle = resolve;
    const timer = setTimeout(resolve, ms);
    await Promise.race([promise, ended]);
    clearTimeout(timer);
  }
}

function isId(id: unknown): id is string | number {
  return typeof id === 'string' || typeof id === 'number';
}

/** `1` and `"1"` are two ids. */
function keyOf(id: string | number): string {
  return `${typeof id}:${id}`;
}

function envelopeOf(message: Uint8Array): Envelope {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(message));
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {}; // not for us to judge: it is passed on as it is
  }
}
