// Owns the door before the key exchange: libp2p's TCP transport, whose connections reach libp2p only once they have
// proposed an encryption that is spoken here. It refuses junk, silence and more than a fair share of places.
//
// Why: the library's multistream reader takes junk byte by byte at some 1.3 µs each until its time-out, and whoever
// connects and says nothing holds one of its pending places and counts against its rate limit (libp2p 3.3.11). So the
// dialer's greeting is read and answered here, and the library sees the one proposal that counts; its reader does not
// insist on a second greeting. From then on bytes pass untouched: Noise has lengths of two bytes, at most 64 KiB.
//
// The hook is the `upgrader` that a transport's `createListener` is given: public, typed, and before every cost. libp2p's
// `connectionProtector` comes after the pending places are taken, and would stay in the way of every later byte.

import type { MultiaddrConnection, StreamMessageEvent, Transport, Upgrader } from '@libp2p/interface';
import { tcp, type TCPComponents } from '@libp2p/tcp';
import { asError } from '@heddle/wire';
import { encodeNegotiation, MULTISTREAM, NegotiationReader } from './negotiation-reader.ts';
import { PendingConnections, type PendingLimits } from './pending-connections.ts';

/** Below libp2p's own limit, so that the oldest gives way here before the newcomer is refused there. */
const LIMITS: PendingLimits = { maxPending: 160, maxPendingPerAddress: 64 };
/** Answers "not available" (multistream-select specification). */
const NOT_AVAILABLE = 'na';

export interface GuardedTcpOptions {
  /** How long a dialer has to propose an encryption. */
  negotiationTimeoutMs: number;
}

/** `tcp()` for listeners that strangers can reach. Dialling is as ever. */
export function guardedTcp({ negotiationTimeoutMs }: GuardedTcpOptions): (components: TCPComponents) => Transport {
  const pending = new PendingConnections(LIMITS);
  return (components) => {
    const transport = tcp()(components);
    const createListener = transport.createListener.bind(transport);
    transport.createListener = (options) =>
      createListener({ ...options, upgrader: guardUpgrader(options.upgrader, pending, negotiationTimeoutMs) });
    return transport;
  };
}

function guardUpgrader(upgrader: Upgrader, pending: PendingConnections, timeoutMs: number): Upgrader {
  return {
    upgradeOutbound: upgrader.upgradeOutbound.bind(upgrader),
    createInboundAbortSignal: (signal) => upgrader.createInboundAbortSignal(signal),
    getStreamMuxers: () => upgrader.getStreamMuxers(),
    getConnectionEncrypters: () => upgrader.getConnectionEncrypters(),
    // The listener aborts the connection when this rejects.
    async upgradeInbound(connection, options) {
      const leave = pending.enter(connection);
      try {
        await encryptionProposed(connection, (protocol) => upgrader.getConnectionEncrypters().has(protocol), timeoutMs);
        await upgrader.upgradeInbound(connection, options);
      } finally {
        leave();
      }
    },
  };
}

/**
 * Negotiates until the dialer proposes an encryption that is spoken here, and puts that proposal back for libp2p.
 * @throws Error for anything that is no negotiation, or when the time is up.
 */
function encryptionProposed(connection: MultiaddrConnection, isSpoken: (protocol: string) => boolean, timeoutMs: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const reader = new NegotiationReader();
  const timer = setTimeout(() => reject(new Error('no encryption was proposed in time')), timeoutMs);

  const answer = (chunk: Uint8Array) => {
    for (const [index, byte] of chunk.entries()) {
      const message = reader.take(byte);
      if (message === undefined) continue;
      if (isSpoken(message)) {
        stop(); // first: bytes put back wait for the next listener, and this one must not be it
        connection.unshift(concat(encodeNegotiation(message), chunk.subarray(index + 1)));
        return resolve();
      }
      connection.send(encodeNegotiation(message === MULTISTREAM ? MULTISTREAM : NOT_AVAILABLE));
    }
  };
  // An exception that leaves a listener ends the process.
  const onMessage = ({ data }: StreamMessageEvent) => {
    try {
      answer(data.subarray());
    } catch (error) {
      stop();
      reject(asError(error));
    }
  };
  const onClose = () => reject(new Error('the dialer went away'));
  const stop = () => {
    clearTimeout(timer);
    connection.removeEventListener('message', onMessage);
    connection.removeEventListener('close', onClose);
  };

  connection.addEventListener('close', onClose);
  connection.addEventListener('message', onMessage);
  return promise.finally(stop);
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.byteLength + second.byteLength);
  all.set(first);
  all.set(second, first.byteLength);
  return all;
}
