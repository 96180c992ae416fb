// The wire: what crosses between a phone and a daemon, as types, schemas and tables. No I/O.

export { cleanDeviceName, MAX_DEVICE_NAME_LENGTH } from './device-name.ts';
export {
  asError,
  closeCodes,
  type CloseCode,
  type ErrorCode,
  handshakeErrorCodes,
  type HandshakeErrorCode,
  HeddleError,
  localErrorCodes,
  type LocalErrorCode,
} from './errors.ts';
export {
  type AgentInfo,
  agentInfoSchema,
  type AttachedSession,
  fromHandshakeError,
  HANDSHAKE_TIMEOUT_MS,
  HANDSHAKE_VERSION,
  type HandshakeAnswer,
  handshakeAnswerSchema,
  type HandshakeError,
  type HandshakeRequest,
  handshakeRequestSchema,
  MAX_HANDSHAKE_ANSWER_BYTES,
  MAX_HANDSHAKE_BYTES,
  PROTOCOL_ID,
  toHandshakeError,
} from './handshake.ts';
export { decodePairPayload, encodePairPayload, PAIR_PAYLOAD_VERSION, type PairPayload, pairPayloadSchema } from './pair-payload.ts';
export {
  type JsonRpcErrorBody,
  type JsonRpcMessage,
  type JsonRpcNotification,
  type JsonRpcRequest,
  type JsonRpcResponse,
  jsonRpcCodes,
  type RequestId,
} from './json-rpc.ts';
export * from './codex/items.ts';
export * from './codex/methods.ts';
export * from './codex/notifications.ts';
export * from './codex/requests.ts';
export * from './codex/services.ts';
export { type DeviceScope, deviceScopes, type MethodNeed, needOf } from './codex/scopes.ts';
