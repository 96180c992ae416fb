// Owns the present path to a daemon and the getting of another: dials race each other, soon and often at first, then
// less, until one is through. Nobody here knows what the path is for.

import { asError } from '@heddle/wire';
import type { Path } from './path.ts';

/** Pauses between the starts of dials; the last one repeats. A dial that waits goes on while the next one starts. */
const FIRST_PAUSES_MS = [0, 300, 600];
const PAUSE_MS = 700;
/** From then on a phone's battery counts for more than a second. */
const PATIENT_AFTER_MS = 90_000;
const PATIENT_PAUSE_MS = 15_000;
const DIAL_TIMEOUT_MS = 10_000;
const MAX_DIALS_AT_ONCE = 6;

export type Dial = (signal: AbortSignal) => Promise<Path>;

export class PathKeeper {
  readonly #dial: Dial;
  #path: Path | undefined;
  #getting: Promise<Path> | undefined;
  #hurry: () => void = () => {};
  readonly #closing = new AbortController();

  constructor(dial: Dial, path: Path) {
    this.#dial = dial;
    this.#use(path);
  }

  /**
   * The present path, or the next one as soon as there is one.
   * @throws Error when the keeper was closed.
   */
  get(): Promise<Path> {
    if (this.#path !== undefined) return Promise.resolve(this.#path);
    this.#getting ??= this.#race().finally(() => {
      this.#getting = undefined;
    });
    return this.#getting;
  }

  /** This path is not trusted any more: the next `get` gives another. */
  abandon(path: Path): void {
    if (this.#path !== path) return;
    this.#path = undefined;
    void path.close();
  }

  /** The network has changed or the device has woken: a dial that is waiting for its turn starts now. */
  hurry(): void {
    this.#hurry();
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the connection was closed'));
    await this.#path?.close();
  }

  #use(path: Path): void {
    this.#path = path;
    void path.closed.then(() => this.abandon(path));
  }

  async #race(): Promise<Path> {
    const startedAtMs = performance.now();
    const race = new AbortController();
    const signal = AbortSignal.any([race.signal, this.#closing.signal]);
    const { promise: first, resolve } = Promise.withResolvers<Path>();
    const dials = new Set<AbortController>();
    const start = async () => {
      const own = new AbortController();
      dials.add(own);
      try {
        const path = await this.#dial(AbortSignal.any([signal, own.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)]));
        if (race.signal.aborted) void path.close();
        resolve(path);
      } catch {
        // the next dial may do better; what is wrong for good is told by the handshake
      } finally {
        dials.delete(own);
      }
    };
    void (async () => {
      for (let n = 0; !signal.aborted; n++) {
        const isPatient = performance.now() - startedAtMs > PATIENT_AFTER_MS;
        await this.#pause(isPatient ? PATIENT_PAUSE_MS : (FIRST_PAUSES_MS[n] ?? PAUSE_MS), signal);
        if (signal.aborted) return;
        if (dials.size >= MAX_DIALS_AT_ONCE) [...dials][0]?.abort();
        void start();
      }
    })();
    try {
      const path = await Promise.race([first, rejectionOf(this.#closing.signal)]);
      this.#use(path);
      return path;
    } finally {
      race.abort();
    }
  }

  /** Jittered, so that many clients of one daemon do not come back in step. */
  #pause(ms: number, signal: AbortSignal): Promise<void> {
    if (ms === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms * (0.7 + 0.6 * Math.random()));
      signal.addEventListener('abort', end, { once: true });
      this.#hurry = end;
    });
  }
}

function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = () => reject(asError(signal.reason));
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}
