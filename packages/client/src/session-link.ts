// Owns one session's link on the client's side: it is attached, and attached again whenever its stream is lost, until
// somebody closes it or the daemon does not have it any more.

import { type Channel, clientLinkLimits, type CloseReason, connectionLost, Link } from '@heddle/rpc';
import { asError, HeddleError } from '@heddle/wire';
import { ask, type Asked } from './ask.ts';
import type { Path } from './path.ts';
import type { PathKeeper } from './path-keeper.ts';

/** How a session is doing. `reset`: the daemon has a new one instead; read your threads again. */
export type SessionState = { is: 'live' } | { is: 'reconnecting'; why: string } | { is: 'reset' } | { is: 'closed'; reason: CloseReason };

/** After a hint that the path may be gone, it has this long to show that it is not. */
const PROOF_MS = 500;
const HANDSHAKE_TIMEOUT_MS = 5_000;
const RETRY_MS = 500;

export interface SessionLinkOptions {
  agent: string;
  paths: PathKeeper;
  credentials: Record<string, unknown>;
  onState: (state: SessionState) => void;
}

export class SessionLink {
  readonly #options: SessionLinkOptions;
  readonly #link: Link;
  #sessionId = '';
  #path: Path | undefined;

  private constructor(options: SessionLinkOptions) {
    this.#options = options;
    this.#link = new Link({ ...clientLinkLimits, whenDetached: 'wait', onDetached: (error) => void this.#reconnect(error) });
    void this.#link.closed.then((reason) => options.onState(reason.code === 'session_reset' ? { is: 'reset' } : { is: 'closed', reason }));
  }

  /** Opens a new session. @throws HeddleError as `ask`. */
  static async open(options: SessionLinkOptions, signal?: AbortSignal): Promise<SessionLink> {
    const session = new SessionLink(options);
    session.#path = await options.paths.get();
    const duplex = await session.#path.openStream(signal);
    const { answer, frames } = await ask(duplex, { op: 'connect', agent: options.agent }, options.credentials, signal);
    session.#sessionId = sessionOf(answer).id;
    session.#link.attach(duplex, frames);
    session.#watch(session.#path);
    options.onState({ is: 'live' });
    return session;
  }

  get channel(): Channel {
    return this.#link;
  }

  /** Resolves when the session has ended and its last words have left. */
  get ended(): Promise<void> {
    return this.#link.ended;
  }

  /** The path may be gone: it is kept only if the far side answers at once. */
  prove(): void {
    const before = this.#link.rttMs;
    if (!this.#link.isAttached) return;
    this.#link.ping();
    setTimeout(() => {
      if (this.#link.rttMs === before) this.#link.detach(new Error('the path did not answer after a change of the network'));
    }, PROOF_MS);
  }

  /** A connection that has ended takes its streams with it; they do not always say so. */
  #watch(path: Path): void {
    void path.closed.then(() => {
      if (this.#path === path) this.#link.detach(new Error('the connection has ended'));
    });
  }

  async #reconnect(cause: Error): Promise<void> {
    this.#options.onState({ is: 'reconnecting', why: cause.message });
    if (this.#path !== undefined) this.#options.paths.abandon(this.#path);
    let isClosed = false;
    void this.#link.closed.then(() => {
      isClosed = true;
    });
    while (!isClosed) {
      let path: Path;
      try {
        path = await this.#options.paths.get();
      } catch {
        this.#link.close(connectionLost); // the client was closed as a whole
        return;
      }
      try {
        const duplex = await path.openStream();
        const resume = { session: this.#sessionId, received: this.#link.received };
        const timeout = AbortSignal.timeout(HANDSHAKE_TIMEOUT_MS);
        const asked = await ask(duplex, { op: 'connect', agent: this.#options.agent, resume }, this.#options.credentials, timeout);
        this.#path = path;
        this.#resume(asked, duplex, path);
        return;
      } catch (caught) {
        const error = asError(caught);
        if (error instanceof HeddleError && isFinal(error)) {
          this.#link.close({ code: 'connection_lost', message: error.message, hint: error.hint });
          return;
        }
        this.#options.paths.abandon(path);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS * Math.random()));
      }
    }
  }

  #resume({ answer, frames }: Asked, duplex: Parameters<Link['attach']>[0], path: Path): void {
    const { attached, received } = sessionOf(answer);
    if (attached !== 'resumed' || !this.#link.canResume(received)) {
      duplex.abort(new Error('the session is not there any more'));
      this.#link.close({
        code: 'session_reset',
        message: 'the computer does not have this session any more',
        hint: 'Connect again and read your threads.',
      });
      return;
    }
    this.#link.attach(duplex, frames, received);
    this.#watch(path);
    this.#options.onState({ is: 'live' });
  }
}

/** What no further try can change. */
function isFinal(error: HeddleError): boolean {
  return [
    'bad_request',
    'unsupported_version',
    'unauthorized',
    'pairing_closed',
    'device_revoked',
    'unknown_agent',
    'agent_disabled',
    'agent_unavailable',
  ].includes(error.code);
}

function sessionOf(answer: Asked['answer']) {
  if (answer.session === undefined) throw new HeddleError('protocol_error', 'the computer granted a session and did not name it');
  return answer.session;
}
