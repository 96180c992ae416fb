// Owns a phone's relation to one daemon: one path that heals, and what is asked and opened over it. Runs in Node and
// in browsers; the transports are given to it.

import { generateKeyPair } from '@libp2p/crypto/keys';
import type { PrivateKey } from '@libp2p/interface';
import type { Channel } from '@heddle/rpc';
import { type AgentInfo, asError, HeddleError, type PairPayload } from '@heddle/wire';
import { type AgentSession, type ClientInfo, openAgentSession } from './agent-session.ts';
import { ask, type Ask } from './ask.ts';
import { dialPath, type PathOptions } from './path.ts';
import { PathKeeper } from './path-keeper.ts';
import { SessionLink, type SessionState } from './session-link.ts';

const FIRST_DIAL_TIMEOUT_MS = 15_000;

export interface DialOptions extends Pick<PathOptions, 'transports'> {
  /** This device's own identity; a new one when absent. Sessions are resumed by the identity that began them. */
  privateKey?: PrivateKey;
  /** What the computer calls this device once it is paired; at most 64 characters. */
  deviceName?: string;
  signal?: AbortSignal;
}

export interface OpenOptions {
  signal?: AbortSignal;
  /** Told of every change: live, reconnecting, reset, closed. */
  onState?: (state: SessionState) => void;
}

/** A live relation to a daemon. */
export class HostConnection {
  readonly #paths: PathKeeper;
  readonly #credentials: Record<string, unknown>;
  readonly #sessions = new Set<SessionLink>();

  private constructor(paths: PathKeeper, credentials: Record<string, unknown>) {
    this.#paths = paths;
    this.#credentials = credentials;
  }

  /**
   * Connects to the daemon of a pair payload.
   * @throws HeddleError `unreachable` when no address answers, or another daemon answers there.
   */
  static async dial(payload: PairPayload, options: DialOptions): Promise<HostConnection> {
    const pathOptions = { transports: options.transports, privateKey: options.privateKey ?? (await generateKeyPair('Ed25519')) };
    const dial = (signal: AbortSignal) => dialPath(payload, pathOptions, signal);
    try {
      const timeout = AbortSignal.timeout(FIRST_DIAL_TIMEOUT_MS);
      const path = await dial(options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]));
      return new HostConnection(new PathKeeper(dial, path), {
        token: payload.token,
        ...(options.deviceName === undefined ? {} : { device: { name: options.deviceName } }),
      });
    } catch (caught) {
      const cause = asError(caught);
      throw new HeddleError(
        'unreachable',
        `can't reach ${payload.host_name ?? 'the computer'} at ${payload.addrs.join(', ')}: ${cause.message}`,
        {
          cause,
          hint: 'Is heddle running there (`heddle status`), and are both in the same network?',
        },
      );
    }
  }

  /** The agents of that computer, those that can't be used included, with the reason. */
  async listAgents(options: { signal?: AbortSignal } = {}): Promise<AgentInfo[]> {
    return (await this.#askOnce({ op: 'list_agents' }, options.signal)).agents ?? [];
  }

  /** Ends an agent's process; the next session starts it again. */
  async restartAgent(agent: string, options: { signal?: AbortSignal } = {}): Promise<void> {
    await this.#askOnce({ op: 'restart_agent', agent }, options.signal);
  }

  /**
   * Opens a session and returns it as raw messages, `initialize` still to be sent. It survives lost connections; when
   * the daemon has lost it, it ends with `session_reset`.
   * @throws HeddleError with the daemon's code, such as `agent_unavailable`; `connection_lost`.
   */
  async openChannel(agent: string, options: OpenOptions = {}): Promise<Channel> {
    const session = await SessionLink.open(
      { agent, paths: this.#paths, credentials: this.#credentials, onState: options.onState ?? (() => {}) },
      options.signal,
    );
    this.#sessions.add(session);
    // Not before its last words have left: `close` waits for those.
    void session.ended.then(() => this.#sessions.delete(session));
    return session.channel;
  }

  /**
   * Opens a session, introduces this client, and keeps it: after a reset it introduces itself again, resumes the
   * threads that were followed, and says so with a `reset` event.
   */
  async openAgent(agent: string, options: OpenOptions & { clientInfo: ClientInfo }): Promise<AgentSession> {
    const { onState } = options;
    // A daemon that stops may be started again: the session goes on then, so for its user it is not closed.
    const tell = (state: SessionState) => {
      const isStopping = state.is === 'closed' && state.reason.code === 'shutting_down';
      onState?.(isStopping ? { is: 'reconnecting', why: state.reason.message } : state);
    };
    return openAgentSession(() => this.openChannel(agent, { ...options, onState: tell }), options);
  }

  /** A hint from the device: the network has changed, or it has just woken. Dead paths are found at once. */
  wake(): void {
    this.#paths.hurry();
    for (const session of this.#sessions) session.prove();
  }

  /** Closes the connection and everything on it. */
  async close(): Promise<void> {
    const sessions = [...this.#sessions];
    for (const { channel } of sessions) channel.close();
    await Promise.all(sessions.map(({ ended }) => ended));
    await this.#paths.close();
  }

  async #askOnce(request: Ask, signal?: AbortSignal) {
    const path = await this.#paths.get();
    const duplex = await path.openStream(signal);
    const { answer } = await ask(duplex, request, this.#credentials, signal);
    void duplex.closeWrite().catch(() => duplex.abort(new Error('not closed in time')));
    return answer;
  }
}
