// Owns the ids that heddle gives to a user's messages in opencode's store: of opencode's own form, so that each sorts
// behind what was said before it. Source: opencode 1.18.33, measured; `POST /session/ID/prompt_async` takes `messageID`.

import { randomBytes } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const RANDOM_CHARACTERS = 14;
/** The time in milliseconds and a count within one, together 48 bits: the time wraps every 795 days, as opencode's does. */
const COUNTS_PER_MS = 0x1000;
const TIME_BITS = 48;

/** A maker of ids, of which each sorts behind the one before. */
export function messageIdMaker(now: () => number): () => string {
  let lastMs = 0;
  let count = 0;
  return () => {
    const nowMs = now();
    if (nowMs > lastMs) {
      lastMs = nowMs;
      count = 0;
    } else if (count < COUNTS_PER_MS - 1) count += 1;
    else {
      lastMs += 1; // more than the count holds, or the clock was set back: the ids run ahead of it
      count = 0;
    }
    const time = BigInt.asUintN(TIME_BITS, BigInt(lastMs) * BigInt(COUNTS_PER_MS) + BigInt(count));
    return `msg_${time.toString(16).padStart(TIME_BITS / 4, '0')}${randomText()}`;
  };
}

/** A fresh id. */
export const newMessageId = messageIdMaker(Date.now);

function randomText(): string {
  return Array.from(randomBytes(RANDOM_CHARACTERS), (byte) => ALPHABET.charAt(byte % ALPHABET.length)).join('');
}
