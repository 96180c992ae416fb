// What a phone does, for Node and for browsers. It imports nothing of Node.

export { type AgentEvent, type AgentSession, type ClientInfo, openAgentSession } from './agent-session.ts';
export { type DialOptions, HostConnection, type OpenOptions } from './host-connection.ts';
export type { SessionState } from './session-link.ts';
export { decodePairPayload, type PairPayload } from '@heddle/wire';
