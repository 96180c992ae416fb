// Owns the libp2p node: which transports, which limits, which identity. It serves one protocol and nothing for
// strangers: no relay, no DHT, no pubsub, and no identify, which would tell anybody who connects our addresses.

import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import type { Libp2p } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { yamuxLimits } from '@heddle/rpc';
import { asError, HeddleError } from '@heddle/wire';
import { createLibp2p } from 'libp2p';
import { type Visitor, visitorOf } from './gate.ts';
import { guardedTcp } from './guarded-tcp.ts';

export interface NodeOptions {
  /** 32-byte Ed25519 seed. */
  seed: Uint8Array;
  /** IP addresses to listen on. */
  listen: readonly string[];
  port: number;
  maxConnections: number;
  /** Whether a connection is kept, asked when its peer id is proven and before anything else is said on it. */
  mayConnect: (visitor: Visitor) => boolean;
}

/** Phones behind one address (a NAT, a test) dial at once; the default of 5 a second locks honest ones out. */
const INBOUND_CONNECTIONS_PER_SECOND = 50;
/** Ten silent connections lock everyone out by default; many at once, each for a short time, do not. */
const MAX_PENDING_CONNECTIONS = 200;
const INBOUND_UPGRADE_TIMEOUT_MS = 3_000;
const PROTOCOL_NEGOTIATION_TIMEOUT_MS = 5_000;

/**
 * Starts listening.
 * @throws HeddleError `port_in_use` when an address can't be listened on.
 */
export async function startNode(options: NodeOptions): Promise<Libp2p> {
  const privateKey = await generateKeyPairFromSeed('Ed25519', options.seed);
  const listen = options.listen.map((ip) => `/${ip.includes(':') ? 'ip6' : 'ip4'}/${ip}/tcp/${options.port}`);
  try {
    return await createLibp2p({
      privateKey,
      nodeInfo: { userAgent: 'heddle' },
      addresses: { listen: listen.map((address) => multiaddr(address).toString()) },
      transports: [guardedTcp({ negotiationTimeoutMs: INBOUND_UPGRADE_TIMEOUT_MS })],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux(yamuxLimits)],
      // A sleeping phone answers no ping; aborting it for that would lose its streams (facts: after 10.8 s).
      connectionMonitor: { enabled: false },
      connectionGater: {
        denyInboundEncryptedConnection: (peer, connection) => !options.mayConnect(visitorOf(peer, connection.remoteAddr)),
      },
      connectionManager: {
        maxConnections: options.maxConnections,
        maxIncomingPendingConnections: MAX_PENDING_CONNECTIONS,
        inboundConnectionThreshold: INBOUND_CONNECTIONS_PER_SECOND,
        inboundUpgradeTimeout: INBOUND_UPGRADE_TIMEOUT_MS,
        inboundStreamProtocolNegotiationTimeout: PROTOCOL_NEGOTIATION_TIMEOUT_MS,
      },
    });
  } catch (caught) {
    const cause = asError(caught);
    if (cause.name !== 'UnsupportedListenAddressesError') throw cause;
    throw new HeddleError('port_in_use', `can't listen on ${listen.join(', ')}`, {
      cause,
      hint: `Another program may use port ${options.port}. Stop it, or set another "port" under [endpoint] in host.toml; phones then pair again.`,
    });
  }
}
