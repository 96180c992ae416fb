// Owns a pair of channels joined in memory: a bridge that lives in this process, and tests.

import { HeddleError } from '@heddle/wire';
import { BoundedQueue } from './bounded-queue.ts';
import { type Channel, closedNormally, type CloseReason } from './channel.ts';

const QUEUED_MESSAGES = 256;

/** Two ends of one channel. Closing either closes both, with the same reason. */
export function memoryChannelPair(): [Channel, Channel] {
  const toLeft = new BoundedQueue<Uint8Array>({ highWater: QUEUED_MESSAGES });
  const toRight = new BoundedQueue<Uint8Array>({ highWater: QUEUED_MESSAGES });
  const { promise: closed, resolve } = Promise.withResolvers<CloseReason>();
  let why: CloseReason | undefined;

  const end = (incoming: BoundedQueue<Uint8Array>, outgoing: BoundedQueue<Uint8Array>): Channel => ({
    incoming,
    closed,
    async send(message) {
      if (why !== undefined) throw new HeddleError(why.code, why.message, { hint: why.hint });
      if (!outgoing.push(message)) await outgoing.room();
    },
    close(reason = closedNormally) {
      if (why !== undefined) return;
      why = reason;
      incoming.end();
      outgoing.end();
      resolve(reason);
    },
  });
  return [end(toLeft, toRight), end(toRight, toLeft)];
}
