// The door for phones.

export { type Endpoint, type EndpointOptions, type SessionInfo, startEndpoint } from './endpoint.ts';
