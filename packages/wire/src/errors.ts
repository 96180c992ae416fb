// Owns every error code that a user, a phone or a program can meet, and the one local error class.
// docs/errors.md explains each code; a test compares the two.

/** Codes that a handshake may answer with. The set is closed: a client may switch over it. */
export const handshakeErrorCodes = [
  'bad_request',
  'unsupported_version',
  'unauthorized',
  'pairing_closed',
  'device_revoked',
  'forbidden',
  'unknown_agent',
  'agent_disabled',
  'agent_unavailable',
  'too_many_requests',
  'internal',
] as const;
export type HandshakeErrorCode = (typeof handshakeErrorCodes)[number];

/** Codes that say why an attached session ended. */
export const closeCodes = [
  'closed',
  'agent_exited',
  'shutting_down',
  'token_rotated',
  'device_revoked',
  'message_too_large',
  'protocol_error',
  'connection_lost',
  'replaced',
  'overflowed',
  'session_reset',
] as const;
export type CloseCode = (typeof closeCodes)[number];

/** Codes of errors that never cross the network: configuration, files, the local daemon. */
export const localErrorCodes = [
  'config_invalid',
  'state_unreadable',
  'daemon_running',
  'daemon_not_running',
  'unknown_device',
  'port_in_use',
  'payload_invalid',
  'unreachable',
  'timeout',
  'usage',
] as const;
export type LocalErrorCode = (typeof localErrorCodes)[number];

export type ErrorCode = HandshakeErrorCode | CloseCode | LocalErrorCode;

/** An error that a person can act on: what was wrong, and, in `hint`, what to do next. */
export class HeddleError extends Error {
  override readonly name = 'HeddleError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}

/** Anything caught becomes an `Error`: libp2p, for one, rejects with events (facts: a reset during a write). */
export function asError(caught: unknown): Error {
  if (caught instanceof Error) return caught;
  if (typeof caught === 'object' && caught !== null && 'error' in caught && caught.error instanceof Error) return caught.error;
  if (typeof caught === 'object' && caught !== null && 'type' in caught && caught.type === 'close')
    return new Error('the connection was closed');
  return new Error(typeof caught === 'string' ? caught : `unknown failure: ${String(caught)}`);
}
