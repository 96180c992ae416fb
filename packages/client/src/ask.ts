// Owns the client's half of the handshake: one request on a fresh stream, one answer.

import { type ByteDuplex, FrameReader, readJsonFrame, writeJsonFrame } from '@heddle/rpc';
import {
  asError,
  fromHandshakeError,
  HANDSHAKE_VERSION,
  type HandshakeAnswer,
  handshakeAnswerSchema,
  HeddleError,
  MAX_HANDSHAKE_ANSWER_BYTES,
} from '@heddle/wire';

/** The daemon may have to start the agent first. */
const ANSWER_TIMEOUT_MS = 60_000;

export type Ask =
  | { op: 'list_agents' }
  | { op: 'restart_agent'; agent: string }
  | { op: 'connect'; agent: string; resume?: { session: string; received: number } };

export interface Asked {
  answer: Extract<HandshakeAnswer, { ok: true }>;
  frames: FrameReader;
}

/**
 * Asks on a stream that is not used yet. The stream is cut when this throws.
 * @throws HeddleError with the daemon's code; `connection_lost`; `timeout`; `protocol_error`.
 */
export async function ask(duplex: ByteDuplex, request: Ask, credentials: Record<string, unknown>, signal?: AbortSignal): Promise<Asked> {
  const onAbort = () => duplex.abort(asError(signal?.reason));
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const frames = new FrameReader(duplex.source);
    await writeJsonFrame(duplex, { v: HANDSHAKE_VERSION, ...credentials, ...request });
    const value = await readJsonFrame(frames, duplex, { maxBytes: MAX_HANDSHAKE_ANSWER_BYTES, timeoutMs: ANSWER_TIMEOUT_MS });
    return { answer: parseAnswer(value), frames };
  } catch (caught) {
    const error = asError(caught);
    duplex.abort(error);
    // Whatever cut the stream, and an end before the answer, is a connection that was lost.
    if (error instanceof HeddleError && !(error.code === 'bad_request' && error.message.startsWith('the stream ended'))) throw error;
    throw new HeddleError('connection_lost', `the computer did not answer: ${error.message}`, { cause: error });
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

function parseAnswer(value: unknown): Extract<HandshakeAnswer, { ok: true }> {
  const result = handshakeAnswerSchema.safeParse(value);
  if (!result.success)
    throw new HeddleError('protocol_error', 'the computer answered with something that is no handshake', { cause: result.error });
  if (!result.data.ok) throw fromHandshakeError(result.data.error);
  return result.data;
}
