// Owns ids that sort by the order in which they were made: RFC 9562 UUID version 7, the form of codex's thread and
// turn ids. Within one millisecond the 12 bits behind the time count up (RFC 9562, 6.2, method 1).

import { randomBytes } from 'node:crypto';

const MAX_COUNT = 0xfff;

/** A maker of ids, of which each sorts behind the one before. */
export function uuidV7Maker(now: () => number): () => string {
  let lastMs = 0;
  let count = 0;
  return () => {
    const nowMs = now();
    if (nowMs > lastMs) {
      lastMs = nowMs;
      count = 0;
    } else if (count < MAX_COUNT) count += 1;
    else {
      lastMs += 1; // more than the count holds, or the clock was set back: the ids run ahead of it
      count = 0;
    }
    const bytes = randomBytes(16);
    bytes.writeUIntBE(lastMs, 0, 6);
    bytes.writeUInt16BE(0x7000 | count, 6);
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
    return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  };
}

/** A fresh id, lower case with dashes. */
export const uuidV7 = uuidV7Maker(Date.now);
