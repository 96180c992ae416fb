// Owns the id of a thread, made of opencode's id of its session; the way back is a look at the sessions that are known.

import { createHash } from 'node:crypto';
import type { ThreadId } from '@heddle/wire';

/**
 * A UUID (version 8 of RFC 9562), always the same for a session. The Codex TUI reads thread ids as UUIDs, and shows
 * nothing of a thread whose id is none (0.169).
 * @param sessionId opencode's, such as `ses_deacb7981ffeJZ7wM3WfC1ufwH`
 */
export function threadIdOf(sessionId: string): ThreadId {
  const bytes = createHash('sha256').update(`opencode session ${sessionId}`).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
