// Owns the pair payload and its text form: what a QR code holds and what a phone pastes.
// Today the text is JSON. When there is a phone page it becomes a link with the payload in its fragment; that
// change happens here and nowhere else.

import * as z from 'zod';
import { HeddleError } from './errors.ts';

export const PAIR_PAYLOAD_VERSION = 1;

/** Checks a payload that is an object already; `decodePairPayload` reads its text. */
export const pairPayloadSchema = z.looseObject({
  v: z.literal(PAIR_PAYLOAD_VERSION),
  /** libp2p PeerId of the daemon, base58btc (`12D3KooW…`). */
  peer_id: z.string().regex(/^[1-9A-HJ-NP-Za-km-z]{46,64}$/, 'no base58 PeerId'),
  /** 32 bytes, hex. A secret. */
  token: z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hex digits'),
  /** What to call this computer on the phone. */
  host_name: z.string().optional(),
  /** Multiaddrs to dial, best first, without the `/p2p/` part. */
  addrs: z.array(z.string().startsWith('/')).min(1),
  /** Multiaddr of a relay, when one is configured. */
  relay: z.string().optional(),
});
export type PairPayload = z.infer<typeof pairPayloadSchema>;

/** The payload as the text that goes into a QR code. */
export function encodePairPayload(payload: PairPayload): string {
  return JSON.stringify(payload);
}

/**
 * Reads what a camera or a clipboard gave.
 * @throws HeddleError `payload_invalid`, naming the first field that is wrong.
 */
export function decodePairPayload(text: string): PairPayload {
  const hint = 'Copy the whole output of `heddle pair --json`.';
  let value: unknown;
  try {
    value = JSON.parse(text.trim());
  } catch (cause) {
    throw new HeddleError('payload_invalid', 'the pair payload is not JSON', { cause, hint });
  }
  const result = pairPayloadSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue === undefined || issue.path.length === 0 ? 'the pair payload' : `"${issue.path.join('.')}" in the pair payload`;
  throw new HeddleError('payload_invalid', `${field} is wrong: ${issue?.message ?? 'unknown reason'}`, { hint });
}
