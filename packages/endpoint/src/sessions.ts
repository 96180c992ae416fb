// Owns the sessions of all phones: a session is one client's conversation with one agent. It outlives its streams
// and is resumed by the same device only; nobody who watches the same agent is ever held back by it.

import { randomUUID } from 'node:crypto';
import {
  type ByteDuplex,
  type Channel,
  type CloseReason,
  daemonLinkLimits,
  type FrameReader,
  joinChannels,
  Link,
  type Log,
} from '@heddle/rpc';
import { asError } from '@heddle/wire';
import { Activity } from './activity.ts';
import { rememberInitialize } from './initialize-memory.ts';

/** How often a detached session that is past its time is looked at again while its agent is busy. */
const BUSY_RECHECK_MS = 15_000;

/** A phone's session with an agent. */
export interface SessionInfo {
  id: string;
  agent: string;
  peerId: string;
  /** Unix milliseconds. */
  sinceMs: number;
  isAttached: boolean;
}

export interface SessionsOptions {
  log: Log;
  /** How long a session waits for its client when nothing happens in it, in milliseconds. */
  detachedLifeMs: number;
}

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #ending = new Set<Promise<void>>();

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** Begins a session over an agent's channel, whose owner it becomes. `attach` gives it its first stream. */
  begin(agent: string, peerId: string, channel: Channel): Session {
    const session = new Session(agent, peerId, channel, this.#options, () => this.#sessions.delete(session.id));
    this.#sessions.set(session.id, session);
    return session;
  }

  /** Takes over the session that this device left, if it is still there and nothing is missing. */
  takeOver(wanted: { id: string; agent: string; peerId: string; received: number }): TakeOver | undefined {
    const session = this.#sessions.get(wanted.id);
    if (session === undefined || session.agent !== wanted.agent || session.peerId !== wanted.peerId) return undefined;
    return session.takeOver(wanted.received);
  }

  list(): SessionInfo[] {
    return [...this.#sessions.values()].map(({ id, agent, peerId, sinceMs, link }) => ({
      id,
      agent,
      peerId,
      sinceMs,
      isAttached: link.isAttached,
    }));
  }

  /** Resolves when the last words of ended sessions have left, or never will. */
  async settled(): Promise<void> {
    await Promise.all(this.#ending);
  }

  /** Ends all sessions, or those of one device. Returns how many there were. */
  end(reason: CloseReason, peerId?: string): number {
    const ending = [...this.#sessions.values()].filter((session) => peerId === undefined || session.peerId === peerId);
    for (const { link } of ending) {
      link.close(reason);
      const ended = link.ended.finally(() => this.#ending.delete(ended));
      this.#ending.add(ended);
    }
    return ending.length;
  }
}

/** A session between two streams: what to tell the client, and how to go on. */
export interface TakeOver {
  /** How many of the client's messages have arrived. */
  received: number;
  attach(duplex: ByteDuplex, frames: FrameReader): void;
}

export class Session {
  readonly id = randomUUID();
  readonly agent: string;
  readonly peerId: string;
  readonly sinceMs = Date.now();
  readonly link: Link;
  readonly #activity = new Activity();
  readonly #options: SessionsOptions;
  #lastSaidAtMs = Date.now();
  #isResumed = false;
  #generation = 0;
  #expiry: NodeJS.Timeout | undefined;

  constructor(agent: string, peerId: string, channel: Channel, options: SessionsOptions, onEnd: () => void) {
    this.agent = agent;
    this.peerId = peerId;
    this.#options = options;
    this.link = new Link({ ...daemonLinkLimits, whenDetached: 'overflow', onDetached: (error) => this.#onDetached(error) });
    const remembering = rememberInitialize(
      this.#observed(channel),
      () => this.#isResumed,
      (message) => this.link.send(message),
    );
    options.log.info('session began', { ...this.#facts });
    void joinChannels(this.link, remembering).then((reason) => {
      clearTimeout(this.#expiry);
      onEnd();
      options.log.info('session ended', { ...this.#facts, reason: reason.code });
    });
  }

  /** Gives the session its first stream. */
  attach(duplex: ByteDuplex, frames: FrameReader): void {
    this.link.attach(duplex, frames);
  }

  /**
   * Begins to go on over another stream: the present one is ended before its messages are counted, so that what it
   * still carries can't be counted on one side only. Of several at once the last one counts.
   */
  takeOver(farReceived: number): TakeOver | undefined {
    this.link.detach(new Error('the client has come back over another stream'));
    if (!this.link.canResume(farReceived)) return undefined;
    const generation = ++this.#generation;
    return {
      received: this.link.received,
      attach: (duplex, frames) => {
        if (generation !== this.#generation) throw new Error('the client has come back over yet another stream');
        clearTimeout(this.#expiry);
        this.#isResumed = true;
        this.link.attach(duplex, frames, farReceived);
        this.#options.log.info('session resumed', { ...this.#facts });
      },
    };
  }

  get #facts() {
    return { session: this.id, agent: this.agent, peer: this.peerId };
  }

  #onDetached(error: Error): void {
    this.#options.log.info('session waits for its client', { ...this.#facts, reason: error.message });
    this.#expireIn(this.#options.detachedLifeMs);
  }

  /** A session lives on while a turn runs, a question is open, or its agent goes on talking. */
  #expireIn(ms: number): void {
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(() => {
      const quietMs = Date.now() - this.#lastSaidAtMs;
      if (this.#activity.isBusy) this.#expireIn(BUSY_RECHECK_MS);
      else if (quietMs < this.#options.detachedLifeMs) this.#expireIn(this.#options.detachedLifeMs - quietMs);
      else this.link.close({ code: 'session_reset', message: 'nobody came back to the session' });
    }, ms);
    this.#expiry.unref();
  }

  #observed(channel: Channel): Channel {
    const observe = async function* (this: Session) {
      for await (const message of channel.incoming) {
        this.#lastSaidAtMs = Date.now();
        try {
          this.#activity.observe(message);
        } catch (error) {
          this.#options.log.debug('a message looked like what it was not', { ...this.#facts, error: asError(error) });
        }
        yield message;
      }
    }.bind(this);
    return {
      incoming: observe(),
      closed: channel.closed,
      close: (reason) => channel.close(reason),
      send: (message) => channel.send(message),
    };
  }
}
