// The door for phones.

export { type Endpoint, type EndpointOptions, startEndpoint } from './endpoint.ts';
export type { SessionInfo } from './sessions.ts';
