// Owns the id of a sub-agent's thread, made of claude's own id of it: the same on stdout, in questions and in the
// transcript.

import { createHash } from 'node:crypto';

/** Whether an id may have come from `threadIdOfAgent`. */
export function isThreadIdOfAgent(id: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(id);
}

/**
 * A UUID (version 8 of RFC 9562). The Codex TUI reads thread ids as UUIDs and never shows a question about a thread
 * whose id is none (0.169, tried), so the sub-agent would wait for ever.
 * @param agentId claude's, such as `a7759abe68d62d169`
 */
export function threadIdOfAgent(agentId: string): string {
  const bytes = createHash('sha256').update(`claude sub-agent ${agentId}`).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
