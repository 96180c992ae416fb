// Owns one connection to the daemon, from its dial to its end. Each path has a libp2p node of its own, with the same
// identity: a node dials one peer at a time, and here a fresh dial must race one that waits in vain.

import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import type { Connection, Libp2p, PrivateKey } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { type ByteDuplex, libp2pDuplex, yamuxLimits } from '@heddle/rpc';
import { asError, HeddleError, type PairPayload, PROTOCOL_ID } from '@heddle/wire';
import { createLibp2p, type Libp2pOptions } from 'libp2p';

const STREAM_TIMEOUT_MS = 10_000;

export interface PathOptions {
  /** libp2p transports, such as `[tcp()]` or `[webSockets()]`. */
  transports: NonNullable<Libp2pOptions['transports']>;
  /** This device's identity. */
  privateKey: PrivateKey;
}

/** A live connection. */
export interface Path {
  /** @throws HeddleError `connection_lost`. */
  openStream(signal?: AbortSignal): Promise<ByteDuplex>;
  /** Resolves, never rejects, when the connection has ended. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

/**
 * Connects by the addresses of a pair payload, all at once; the first that is the right computer wins.
 * @throws Error that says what each address answered.
 */
export async function dialPath(payload: PairPayload, options: PathOptions, signal: AbortSignal): Promise<Path> {
  const node = await createLibp2p({
    transports: options.transports,
    privateKey: options.privateKey,
    connectionEncrypters: [noise()],
    streamMuxers: [yamux(yamuxLimits)],
    nodeInfo: { userAgent: 'heddle-client' },
    connectionMonitor: { enabled: false },
    // A browser's default gater refuses private and loopback addresses; those are where the daemon is.
    connectionGater: { denyDialMultiaddr: () => false },
  });
  // A signal each, and none is aborted once its dial has succeeded: a connection may keep the one it was dialled with.
  const dials = payload.addrs.map((address) => ({ address, own: new AbortController() }));
  const abortAll = () => {
    for (const { own } of dials) own.abort(signal.reason);
  };
  signal.addEventListener('abort', abortAll, { once: true });
  try {
    signal.throwIfAborted();
    const racing = dials.map(async ({ address, own }) => ({
      own,
      connection: await dialAddress(node, address, payload.peer_id, own.signal),
    }));
    const winner = await Promise.any(racing);
    for (const { own } of dials) if (own !== winner.own) own.abort(new Error('another address was quicker'));
    return toPath(node, winner.connection);
  } catch (caught) {
    await node.stop();
    throw caught instanceof AggregateError ? asError(caught.errors[0]) : asError(caught);
  } finally {
    signal.removeEventListener('abort', abortAll);
  }
}

/** Without the peer id in the address, each address is a dial of its own; who answered is checked afterwards, by Noise. */
async function dialAddress(node: Libp2p, address: string, peerId: string, signal: AbortSignal): Promise<Connection> {
  const connection = await node.dial(multiaddr(address), { signal });
  if (connection.remotePeer.toString() === peerId) return connection;
  connection.abort(new Error('not the computer that was paired'));
  throw new Error(`another computer answers at ${address}`);
}

function toPath(node: Libp2p, connection: Connection): Path {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  connection.addEventListener('close', () => resolve());
  if (connection.status !== 'open') resolve();
  return {
    closed,
    async openStream(signal) {
      const timeout = AbortSignal.timeout(STREAM_TIMEOUT_MS);
      try {
        return libp2pDuplex(
          await connection.newStream(PROTOCOL_ID, { signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]) }),
        );
      } catch (caught) {
        const cause = asError(caught);
        // Streams fail before the connection says that it has ended: who tries again at once is to get another path.
        await new Promise((next) => setTimeout(next, 0));
        throw new HeddleError('connection_lost', `can't open a stream: ${cause.message}`, { cause });
      }
    },
    async close() {
      resolve();
      await node.stop();
    },
  };
}
