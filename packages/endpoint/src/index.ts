// The door for phones.

export { type Endpoint, type EndpointOptions, startEndpoint } from './endpoint.ts';
export { type DeviceRegistry, Gate, type GateOptions, type PairingWindow, type Visitor } from './gate.ts';
export type { SessionInfo } from './sessions.ts';
