// Owns the connection to a running opencode server: its interface for requests, and its events, which are heard for as
// long as it lives and again after a break. Whoever hears them is told of every break.

import type { Log } from '@heddle/rpc';
import { asError, HeddleError } from '@heddle/wire';
import { decodeEvent, type NativeEvent } from '../native.ts';
import type { OpencodeApi } from './api.ts';
import { readEvents } from './event-stream.ts';

/** opencode sends a sign of life every 10 s. */
const SILENCE_MS = 30_000;
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 1_000;
/** How long a server may be away before its turns are given up. One of our own is known to be gone at once. */
const GIVE_UP_MS = 10_000;

export interface ConnectionListener {
  onEvent(event: NativeEvent): void;
  /** Events may have been missed: everything that matters must be read again. */
  onGap(): void;
}

export class Connection {
  readonly api: OpencodeApi;
  readonly version: string;
  /** Why there is no server any more. Never rejects. */
  readonly ended: Promise<HeddleError>;
  readonly #log: Log;
  readonly #listener: ConnectionListener;
  readonly #closing = new AbortController();
  readonly #lost = Promise.withResolvers<HeddleError>();
  readonly #heard = Promise.withResolvers<void>();
  readonly #unknownKinds: Set<string>;
  #hasConnected = false;

  /** @param options.gone settles when the server's process has ended; absent for a server that is not ours */
  constructor(options: {
    api: OpencodeApi;
    version: string;
    gone?: Promise<HeddleError>;
    listener: ConnectionListener;
    unknownKinds: Set<string>;
    log: Log;
  }) {
    this.api = options.api;
    this.version = options.version;
    this.#listener = options.listener;
    this.#unknownKinds = options.unknownKinds;
    this.#log = options.log;
    this.ended = Promise.race([this.#lost.promise, ...(options.gone === undefined ? [] : [options.gone])]);
    void this.ended.then(() => this.#closing.abort());
    this.#heard.promise.catch(() => {}); // `listening` tells
    void this.#hear();
  }

  get isOver(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Resolves when events are heard for the first time: what is begun before would not be seen. @throws why not */
  async listening(): Promise<void> {
    const lost = this.ended.then((error) => {
      throw error;
    });
    lost.catch(() => {});
    await Promise.race([this.#heard.promise, lost]);
  }

  /** Hears no more. */
  close(): void {
    this.#lost.resolve(new HeddleError('agent_exited', 'the connection to opencode was closed'));
    this.#closing.abort();
  }

  async #hear(): Promise<void> {
    let lostAtMs: number | undefined;
    let retryMs = FIRST_RETRY_MS;
    while (!this.isOver) {
      const begunAtMs = performance.now();
      const broken = await this.#hearOnce();
      if (this.isOver) return;
      const isNew = lostAtMs === undefined || performance.now() - begunAtMs > LAST_RETRY_MS;
      if (isNew) {
        lostAtMs = performance.now();
        retryMs = FIRST_RETRY_MS;
        this.#log.info('the events of opencode broke off', { reason: broken.message });
      } else if (performance.now() - (lostAtMs ?? 0) > GIVE_UP_MS) {
        this.#lost.resolve(
          new HeddleError('agent_exited', `opencode at ${this.api.url} is gone: ${broken.message}`, { hint: 'Start it again.' }),
        );
        return;
      }
      await pause(retryMs, this.#closing.signal);
      retryMs = Math.min(2 * retryMs, LAST_RETRY_MS);
    }
  }

  /** @returns why it was over */
  async #hearOnce(): Promise<Error> {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(new Error(`nothing was heard for ${SILENCE_MS / 1000} s`)), SILENCE_MS);
    try {
      const source = await this.api.events(AbortSignal.any([this.#closing.signal, silence.signal]));
      for await (const value of readEvents(source, { redact: (text) => this.api.redact(text) })) {
        timer.refresh();
        this.#take(decodeEvent(value));
      }
      return new Error('the stream ended');
    } catch (error) {
      return silence.signal.aborted ? (silence.signal.reason as Error) : asError(error);
    } finally {
      clearTimeout(timer);
    }
  }

  #take(event: NativeEvent): void {
    if (event.type === 'connected') {
      if (this.#hasConnected) this.#listener.onGap();
      this.#hasConnected = true;
      this.#heard.resolve();
    } else if (event.type === 'unknown') this.#tellUnknown(event.kind);
    else this.#listener.onEvent(event);
  }

  #tellUnknown(kind: string): void {
    if (this.#unknownKinds.has(kind)) return;
    this.#unknownKinds.add(kind);
    this.#log.info('opencode says something that heddle does not know', { kind });
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}
