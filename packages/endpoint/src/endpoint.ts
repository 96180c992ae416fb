// Owns the door for phones: accepts streams of /heddle/1, lets the right ones in and keeps account of who is in.
// It is given how to list, open and restart agents; it knows none by name.

import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { type ByteDuplex, type Channel, type CloseReason, FrameReader, libp2pDuplex, type Log } from '@heddle/rpc';
import {
  type AgentInfo,
  asError,
  type ErrorCode,
  type HandshakeRequest,
  HeddleError,
  handshakeErrorCodes,
  MAX_HANDSHAKE_BYTES,
  PROTOCOL_ID,
} from '@heddle/wire';
import { type Gate, type Visitor, visitorOf } from './gate.ts';
import { assertToken, grant, readHandshake, refuse } from './handshake.ts';
import { type NodeOptions, startNode } from './node.ts';
import { filterByScope } from './scope-filter.ts';
import { type SessionInfo, Sessions } from './sessions.ts';

/** A phone needs one; a few more are a network change in progress. */
const MAX_CONNECTIONS_PER_PEER = 8;
/** How long the far side has to take an answer and end its direction. */
const LINGER_MS = 2_000;
/** Who is no device yet has this long to become one; then its connection makes room for others. */
const STRANGER_STAYS_MS = 30_000;
/** How long a revoked device has to be told so before its connections are cut. */
const CUT_GRACE_MS = 500;

export interface EndpointOptions extends Omit<NodeOptions, 'mayConnect'> {
  /** Who may connect and shake hands. */
  gate: Gate;
  maxStreamsPerConnection: number;
  maxPendingHandshakes: number;
  /** How long a session waits for a client that is away, in milliseconds. */
  detachedLifeMs: number;
  log: Log;
  /** The token that is valid now. */
  token: () => string;
  listAgents: () => Promise<AgentInfo[]>;
  /** @throws HeddleError with a handshake code. */
  openAgent: (name: string) => Promise<Channel>;
  restartAgent: (name: string) => Promise<void>;
}

/** The running endpoint. */
export interface Endpoint {
  readonly peerId: string;
  connectionCount(): number;
  sessions(): SessionInfo[];
  /** Ends every session and every handshake under way; tells each why. Returns how many sessions there were. */
  endSessions(reason: CloseReason): number;
  /** The same for one peer, whose connections are then cut. New handshakes of it are the gate's business. */
  endSessionsOf(peerId: string, reason: CloseReason): number;
  /** Peers that have a connection. */
  connectedPeers(): string[];
  /** Ends every session, telling each why, then stops listening. */
  stop(reason: CloseReason): Promise<void>;
}

/**
 * Starts listening and serving.
 * @throws HeddleError `port_in_use`.
 */
export async function startEndpoint(options: EndpointOptions): Promise<Endpoint> {
  const node = await startNode({ ...options, mayConnect: (visitor) => options.gate.mayConnect(visitor) });
  const door = new Door(node, options);
  await door.open();
  return door;
}

class Door implements Endpoint {
  readonly #node: Libp2p;
  readonly #options: EndpointOptions;
  readonly #log: Log;
  readonly #sessions: Sessions;
  /** Streams that are not sessions yet, so that a rotated token or a revoke can cut them. */
  readonly #handshakes = new Map<ByteDuplex, Visitor>();
  /** Those among them whose request has not been read; the oldest first. */
  readonly #strangers = new Set<ByteDuplex>();

  constructor(node: Libp2p, options: EndpointOptions) {
    this.#node = node;
    this.#options = options;
    this.#log = options.log;
    this.#sessions = new Sessions({ log: options.log, detachedLifeMs: options.detachedLifeMs });
  }

  async open(): Promise<void> {
    this.#node.addEventListener('connection:open', ({ detail: connection }) => {
      this.#capPeer(connection);
      this.#limitStay(connection);
    });
    await this.#node.handle(PROTOCOL_ID, (stream, connection) => this.#onStream(stream, connection), {
      maxInboundStreams: this.#options.maxStreamsPerConnection,
    });
    this.#log.info('listening', { addresses: this.#node.getMultiaddrs().map(String) });
  }

  get peerId(): string {
    return this.#node.peerId.toString();
  }

  connectionCount(): number {
    return this.#node.getConnections().length;
  }

  sessions(): SessionInfo[] {
    return this.#sessions.list();
  }

  endSessions(reason: CloseReason): number {
    const count = this.#sessions.end(reason);
    for (const duplex of this.#handshakes.keys()) duplex.abort(new Error(reason.message));
    return count;
  }

  endSessionsOf(peerId: string, reason: CloseReason): number {
    const count = this.#sessions.end(reason, peerId);
    for (const [duplex, visitor] of this.#handshakes) if (visitor.peerId === peerId) duplex.abort(new Error(reason.message));
    const connections = this.#node.getConnections().filter(({ remotePeer }) => remotePeer.toString() === peerId);
    setTimeout(() => {
      for (const connection of connections) connection.abort(new Error(reason.message));
    }, CUT_GRACE_MS).unref();
    return count;
  }

  connectedPeers(): string[] {
    return [...new Set(this.#node.getConnections().map(({ remotePeer }) => remotePeer.toString()))];
  }

  async stop(reason: CloseReason): Promise<void> {
    this.endSessions(reason);
    await this.#sessions.settled();
    await this.#node.unhandle(PROTOCOL_ID);
    await this.#node.stop();
  }

  /** One peer must not take the places of all others; the library has no such cap. */
  #capPeer(connection: Connection): void {
    if (this.#node.getConnections(connection.remotePeer).length <= MAX_CONNECTIONS_PER_PEER) return;
    this.#log.warn('too many connections of one peer', { peer: connection.remotePeer.toString() });
    connection.abort(new Error('too many connections'));
  }

  /** While the window is open anybody may connect; the places of those who then don't pair are for others. */
  #limitStay(connection: Connection): void {
    const peerId = connection.remotePeer.toString();
    if (this.#options.gate.isDevice(peerId)) return;
    const timer = setTimeout(() => {
      if (!this.#options.gate.isDevice(peerId)) connection.abort(new Error('it did not pair'));
    }, STRANGER_STAYS_MS).unref();
    connection.addEventListener('close', () => clearTimeout(timer), { once: true });
  }

  #onStream(stream: Stream, connection: Connection): void {
    const duplex = libp2pDuplex(stream); // at once: a stream without listeners loses its end
    const visitor = visitorOf(connection.remotePeer, connection.remoteAddr);
    this.#serve(duplex, visitor, connection).catch((caught: unknown) => {
      const error = asError(caught);
      this.#log.debug('stream ended', { peer: visitor.peerId, reason: error.message });
      duplex.abort(error);
    });
  }

  async #serve(duplex: ByteDuplex, visitor: Visitor, connection: Connection): Promise<void> {
    this.#handshakes.set(duplex, visitor);
    let isKnown = false;
    const reader = new FrameReader(duplex.source);
    try {
      const request = await this.#admit(duplex, reader, visitor, () => (isKnown = true));
      await this.#perform(request, duplex, reader, visitor.peerId);
    } catch (error) {
      const refusal = asRefusal(error, isKnown);
      if (refusal === undefined) throw error;
      const level = refusal.code === 'too_many_requests' ? 'debug' : 'info'; // a guesser must not fill the log
      this.#log[level]('refused', { peer: visitor.peerId, code: refusal.code, message: refusal.message, cause: refusal.cause });
      await refuse(duplex, refusal);
      void discard(reader);
      await linger(duplex);
      // Who is told to wait is not kept, unless it is a device: a guesser on a connection costs more than one outside.
      if (refusal.code === 'too_many_requests' && !this.#options.gate.mayConnect(visitor)) connection.abort(refusal);
    } finally {
      this.#strangers.delete(duplex);
      this.#handshakes.delete(duplex);
    }
  }

  /**
   * Lets in whoever has the token and is a device, or becomes one. The token of one who failed too often is not
   * compared. Its request is read all the same: an answer that comes before the far side has said anything is lost
   * there (libp2p 3.3.11, measured).
   */
  async #admit(duplex: ByteDuplex, reader: FrameReader, visitor: Visitor, onToken: () => void): Promise<HandshakeRequest> {
    const { gate } = this.#options;
    this.#strangers.add(duplex);
    this.#makeRoom();
    try {
      const request = await readHandshake(reader, duplex, (theirs) => {
        gate.assertMayTry(visitor);
        assertToken(theirs, this.#options.token());
        onToken();
      });
      this.#strangers.delete(duplex);
      const isNew = !gate.isDevice(visitor.peerId);
      await gate.admit(visitor, request.op === 'restart_agent' ? undefined : request.device?.name);
      if (isNew) this.#log.info('a device was paired', { peer: visitor.peerId });
      return request;
    } catch (error) {
      if (error instanceof HeddleError && countsAsFailure.has(error.code)) gate.failed(visitor);
      throw error;
    }
  }

  /** An honest request arrives whole within milliseconds: when there are too many, the longest silent one gives way. */
  #makeRoom(): void {
    if (this.#strangers.size <= this.#options.maxPendingHandshakes) return;
    const [oldest] = this.#strangers;
    if (oldest === undefined) return;
    this.#strangers.delete(oldest);
    const error = new HeddleError('too_many_requests', 'too many handshakes are under way', { hint: 'Try again in a moment.' });
    void refuse(oldest, error)
      .catch(() => undefined)
      .then(() => oldest.abort(error));
  }

  async #perform(request: HandshakeRequest, duplex: ByteDuplex, reader: FrameReader, peerId: string): Promise<void> {
    switch (request.op) {
      case 'list_agents':
        await grant(duplex, { agents: await this.#options.listAgents() });
        await duplex.closeWrite();
        return linger(duplex);
      case 'restart_agent':
        this.#assertMayDrive(peerId);
        await this.#options.restartAgent(request.agent);
        await grant(duplex, {});
        await duplex.closeWrite();
        return linger(duplex);
      case 'connect':
        return this.#connect(request, duplex, reader, peerId);
    }
  }

  #assertMayDrive(peerId: string): void {
    if (this.#options.gate.scopeOf(peerId) === 'drive') return;
    throw new HeddleError('forbidden', 'this device may only watch', {
      hint: 'Run `heddle devices scope` on the computer to change that.',
    });
  }

  async #connect({ agent, token, resume }: ConnectRequest, duplex: ByteDuplex, reader: FrameReader, peerId: string): Promise<void> {
    if (resume !== undefined) {
      const takeOver = this.#sessions.takeOver({ id: resume.session, agent, peerId, received: resume.received });
      if (takeOver !== undefined) {
        await grant(duplex, { session: { id: resume.session, attached: 'resumed', received: takeOver.received } });
        return takeOver.attach(duplex, reader);
      }
    }
    const channel = filterByScope(await this.#options.openAgent(agent), () => this.#options.gate.scopeOf(peerId));
    const session = this.#sessions.begin(agent, peerId, channel);
    try {
      assertToken(token, this.#options.token()); // it may have been rotated while the agent started
      await grant(duplex, { session: { id: session.id, attached: resume === undefined ? 'new' : 'reset', received: 0 } });
      session.attach(duplex, reader);
    } catch (error) {
      session.link.close({ code: 'connection_lost', message: 'the client went away before its session began' });
      throw error;
    }
  }
}

type ConnectRequest = Extract<HandshakeRequest, { op: 'connect' }>;

/** Not among them: silence, which a phone that fell asleep is guilty of too, and our own troubles. */
const countsAsFailure: ReadonlySet<string> = new Set<ErrorCode>([
  'bad_request',
  'unsupported_version',
  'unauthorized',
  'pairing_closed',
  'device_revoked',
  'message_too_large',
  'protocol_error',
]);

const handshakeCodes: ReadonlySet<string> = new Set(handshakeErrorCodes);

/**
 * What to tell a far side that speaks the protocol, more or less. A silent or vanished stranger is told nothing; one
 * with the right token hears of our own failures too, without their text.
 */
function asRefusal(error: unknown, isKnown: boolean): HeddleError | undefined {
  if (error instanceof HeddleError && handshakeCodes.has(error.code)) return error;
  if (isKnown) return new HeddleError('internal', 'the daemon failed to answer', { cause: error });
  if (!(error instanceof HeddleError)) return undefined;
  const isWrong = error.code === 'message_too_large' || error.code === 'protocol_error';
  return isWrong ? new HeddleError('bad_request', error.message, { cause: error }) : undefined;
}

/** Takes what a refused far side still sends, or the end of its direction would never be seen. */
async function discard(reader: FrameReader): Promise<void> {
  try {
    while ((await reader.next(MAX_HANDSHAKE_BYTES)) !== undefined);
  } catch {
    // nobody asks any more what came
  }
}

/** Waits until the far side has taken the answer and left, but not for ever. */
async function linger(duplex: ByteDuplex): Promise<void> {
  const timer = setTimeout(() => duplex.abort(new Error('the far side did not end its direction')), LINGER_MS);
  await duplex.closed;
  clearTimeout(timer);
}
