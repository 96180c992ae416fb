// Owns a phone's connection to one daemon: dials the addresses of the pair payload, never a bare peer id, and
// opens a stream for each request. Runs in Node and in browsers; the transports are given to it.

import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import type { Connection, Libp2p, PrivateKey } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { type Channel, clientLinkOptions, FrameReader, libp2pDuplex, Link, readJsonFrame, writeJsonFrame, yamuxLimits } from '@heddle/rpc';
import {
  type AgentInfo,
  asError,
  fromHandshakeError,
  HANDSHAKE_VERSION,
  type HandshakeAnswer,
  handshakeAnswerSchema,
  HeddleError,
  MAX_HANDSHAKE_ANSWER_BYTES,
  type PairPayload,
  PROTOCOL_ID,
} from '@heddle/wire';
import { createLibp2p, type Libp2pOptions } from 'libp2p';
import { type AgentSession, type ClientInfo, openAgentSession } from './agent-session.ts';

const DIAL_TIMEOUT_MS = 15_000;
/** An address that is not there must not use up the time of those behind it. */
const ADDRESS_DIAL_TIMEOUT_MS = 4_000;
/** The daemon may have to start the agent first. */
const ANSWER_TIMEOUT_MS = 60_000;

export interface DialOptions {
  /** libp2p transports, such as `[tcp()]` or `[webSockets()]`. */
  transports: NonNullable<Libp2pOptions['transports']>;
  /** This device's own identity; a new one each time when absent. */
  privateKey?: PrivateKey;
  signal?: AbortSignal;
}

type Ask = { op: 'list_agents' } | { op: 'connect' | 'restart_agent'; agent: string };

/** A live connection to a daemon. */
export class HostConnection {
  readonly #node: Libp2p;
  readonly #connection: Connection;
  readonly #token: string;

  private constructor(node: Libp2p, connection: Connection, token: string) {
    this.#node = node;
    this.#connection = connection;
    this.#token = token;
  }

  /**
   * Connects to the daemon of a pair payload.
   * @throws HeddleError `unreachable` when no address answers, or another daemon answers there.
   */
  static async dial(payload: PairPayload, options: DialOptions): Promise<HostConnection> {
    const node = await createLibp2p({
      transports: options.transports,
      connectionEncrypters: [noise()],
      streamMuxers: [yamux(yamuxLimits)],
      nodeInfo: { userAgent: 'heddle-client' },
      connectionMonitor: { enabled: false },
      connectionManager: { addressDialTimeout: ADDRESS_DIAL_TIMEOUT_MS },
      // A browser's default gater refuses private and loopback addresses; those are where the daemon is.
      connectionGater: { denyDialMultiaddr: () => false },
      ...(options.privateKey === undefined ? {} : { privateKey: options.privateKey }),
    });
    try {
      const addresses = payload.addrs.map((address) => multiaddr(`${address}/p2p/${payload.peer_id}`));
      const connection = await node.dial(addresses, { signal: withTimeout(DIAL_TIMEOUT_MS, options.signal) });
      return new HostConnection(node, connection, payload.token);
    } catch (caught) {
      await node.stop();
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
    const { answer, close } = await this.#ask({ op: 'list_agents' }, options.signal);
    close();
    return answer.agents ?? [];
  }

  /** Ends an agent's process; the next session starts it again. */
  async restartAgent(agent: string, options: { signal?: AbortSignal } = {}): Promise<void> {
    const { close } = await this.#ask({ op: 'restart_agent', agent }, options.signal);
    close();
  }

  /**
   * Opens a session and returns it as raw messages, `initialize` still to be sent.
   * @throws HeddleError with the daemon's code, such as `agent_unavailable`; `connection_lost`.
   */
  async openChannel(agent: string, options: { signal?: AbortSignal } = {}): Promise<Channel> {
    const { attach } = await this.#ask({ op: 'connect', agent }, options.signal);
    return attach();
  }

  /** Opens a session and introduces this client. */
  async openAgent(agent: string, options: { clientInfo: ClientInfo; signal?: AbortSignal }): Promise<AgentSession> {
    return openAgentSession(await this.openChannel(agent, options), options);
  }

  /** Closes the connection and everything on it. */
  async close(): Promise<void> {
    await this.#node.stop();
  }

  async #ask(ask: Ask, signal?: AbortSignal) {
    const duplex = await this.#openStream(signal);
    try {
      const reader = new FrameReader(duplex.source);
      const onAbort = () => duplex.abort(asError(signal?.reason));
      signal?.addEventListener('abort', onAbort, { once: true });
      await writeJsonFrame(duplex, { v: HANDSHAKE_VERSION, token: this.#token, ...ask });
      const value = await readJsonFrame(reader, duplex, { maxBytes: MAX_HANDSHAKE_ANSWER_BYTES, timeoutMs: ANSWER_TIMEOUT_MS });
      signal?.removeEventListener('abort', onAbort);
      return {
        answer: parseAnswer(value),
        attach: () => new Link(duplex, reader, clientLinkOptions),
        close: () => void duplex.closeWrite().catch(() => duplex.abort(new Error('not closed in time'))),
      };
    } catch (caught) {
      const error = asError(caught);
      duplex.abort(error);
      throw error instanceof HeddleError
        ? error
        : new HeddleError('connection_lost', `the computer did not answer: ${error.message}`, { cause: error });
    }
  }

  async #openStream(signal?: AbortSignal) {
    try {
      return libp2pDuplex(await this.#connection.newStream(PROTOCOL_ID, { signal: withTimeout(DIAL_TIMEOUT_MS, signal) }));
    } catch (caught) {
      const cause = asError(caught);
      throw new HeddleError('connection_lost', `can't open a stream: ${cause.message}`, { cause });
    }
  }
}

function parseAnswer(value: unknown): Extract<HandshakeAnswer, { ok: true }> {
  const result = handshakeAnswerSchema.safeParse(value);
  if (!result.success)
    throw new HeddleError('protocol_error', 'the computer answered with something that is no handshake', { cause: result.error });
  if (!result.data.ok) throw fromHandshakeError(result.data.error);
  return result.data;
}

function withTimeout(timeoutMs: number, signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(timeoutMs);
  return signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
}
