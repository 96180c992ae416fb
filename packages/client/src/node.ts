// The client in Node: the same, over TCP.

import type { PrivateKey } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import type { PairPayload } from '@heddle/wire';
import { HostConnection } from './host-connection.ts';

/**
 * Connects to the daemon of a pair payload over TCP.
 * @throws HeddleError `unreachable`.
 */
export function dialHost(
  payload: PairPayload,
  options: { privateKey?: PrivateKey; deviceName?: string; signal?: AbortSignal } = {},
): Promise<HostConnection> {
  return HostConnection.dial(payload, { transports: [tcp()], ...options });
}

export { deviceKeyFromSeed } from './device-key.ts';
export type { AgentEvent, AgentSession, ClientInfo } from './agent-session.ts';
export { HostConnection, type OpenOptions } from './host-connection.ts';
export type { SessionState } from './session-link.ts';
