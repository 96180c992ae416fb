// Owns the daemon's half of the handshake: reads one request, decides whether it may pass, answers once.
// What a granted request leads to is in endpoint.ts.

import { createHash, timingSafeEqual } from 'node:crypto';
import { type ByteDuplex, type FrameReader, readJsonFrame, writeJsonFrame } from '@heddle/rpc';
import {
  type AgentInfo,
  type AttachedSession,
  HANDSHAKE_TIMEOUT_MS,
  HANDSHAKE_VERSION,
  type HandshakeAnswer,
  type HandshakeRequest,
  handshakeRequestSchema,
  HeddleError,
  MAX_HANDSHAKE_BYTES,
  toHandshakeError,
} from '@heddle/wire';

const ops: ReadonlySet<unknown> = new Set(handshakeRequestSchema.options.map((option) => option.shape.op.value));

/**
 * Reads the request of a new stream. `checkToken` throws when what was sent as the token may not pass; what comes after
 * it is seen by those only who have the token.
 * @throws HeddleError with a handshake code to be answered, or `timeout`, `protocol_error`, `message_too_large` for a
 *   far side that does not speak the protocol.
 */
export async function readHandshake(
  reader: FrameReader,
  duplex: ByteDuplex,
  checkToken: (theirs: unknown) => void,
): Promise<HandshakeRequest> {
  const value = await readJsonFrame(reader, duplex, { maxBytes: MAX_HANDSHAKE_BYTES, timeoutMs: HANDSHAKE_TIMEOUT_MS });
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new HeddleError('bad_request', 'the request is no JSON object');
  const { v, token: theirs, op } = value as Record<string, unknown>;
  if (v !== HANDSHAKE_VERSION) {
    throw new HeddleError(
      'unsupported_version',
      `this daemon speaks version ${HANDSHAKE_VERSION} of the handshake, not ${JSON.stringify(v)}`,
      {
        hint: 'Update heddle on this computer, or the app on the phone, whichever is older.',
      },
    );
  }
  checkToken(theirs);
  if (!ops.has(op)) throw new HeddleError('bad_request', `unknown op ${JSON.stringify(op)}; known: ${[...ops].join(', ')}`);
  const result = handshakeRequestSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new HeddleError('bad_request', `"${issue?.path.join('.')}": ${issue?.message}`);
}

/**
 * Compares in constant time: hashes have one length whatever was sent.
 * @throws HeddleError `unauthorized`.
 */
export function assertToken(theirs: unknown, ours: string): void {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  if (typeof theirs === 'string' && timingSafeEqual(digest(theirs), digest(ours))) return;
  throw new HeddleError('unauthorized', 'the token is not valid', { hint: 'Pair this phone again: run `heddle pair` on the computer.' });
}

/** Answers a granted request. */
export function grant(duplex: ByteDuplex, body: { agents?: AgentInfo[]; session?: AttachedSession }): Promise<void> {
  return writeJsonFrame(duplex, { v: HANDSHAKE_VERSION, ok: true, ...body } satisfies HandshakeAnswer);
}

/** Answers a refused request, and half-closes. */
export async function refuse(duplex: ByteDuplex, error: unknown): Promise<void> {
  const wireError = toHandshakeError(error);
  const versions = wireError.code === 'unsupported_version' ? { versions: [HANDSHAKE_VERSION] } : {};
  await writeJsonFrame(duplex, { v: HANDSHAKE_VERSION, ok: false, error: { ...wireError, ...versions } });
  await duplex.closeWrite();
}
