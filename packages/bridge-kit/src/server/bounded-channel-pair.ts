// Owns the bounds on what may wait for a client that does not read. Its next request waits until it has read the
// answers to the last ones; when the notices that nobody can hold back become too many, the session ends with a reason.
// So one slow client neither holds back the others nor fills the memory.

import { type Channel, memoryChannelPair } from '@heddle/rpc';

export interface QueueLimits {
  /** Requests are not taken while more than this waits. */
  holdBytes: number;
  /** The session ends when more than this waits behind the message that is to be taken next, whatever the size of that. */
  maxQueuedBytes: number;
  maxQueuedMessages: number;
}

/** The count keeps small messages from costing more than their bytes. */
export const defaultQueueLimits: QueueLimits = {
  holdBytes: 1024 * 1024,
  maxQueuedBytes: 16 * 1024 * 1024,
  maxQueuedMessages: 50_000,
};

/** Two ends of one channel. What `near` sends and the owner of `far` has not taken yet is counted against the limits. */
export function boundedChannelPair(limits: QueueLimits): { near: Channel; far: Channel } {
  const [left, right] = memoryChannelPair();
  const sizes: number[] = [];
  let queuedBytes = 0;
  let isClosed = false;
  let release: () => void = () => {};
  void left.closed.then(() => {
    isClosed = true;
    release();
  });

  const heldBack = async function* () {
    for await (const message of left.incoming) {
      while (queuedBytes > limits.holdBytes && !isClosed) {
        await new Promise<void>((resolve) => {
          release = resolve;
        });
      }
      yield message;
    }
  };
  const counted = async function* () {
    for await (const message of right.incoming) {
      sizes.shift();
      queuedBytes -= message.byteLength;
      release();
      yield message;
    }
  };
  const near: Channel = {
    incoming: heldBack(),
    closed: left.closed,
    close: (reason) => left.close(reason),
    send: (message) => {
      sizes.push(message.byteLength);
      queuedBytes += message.byteLength;
      const behindNext = queuedBytes - (sizes[0] ?? 0);
      if (behindNext > limits.maxQueuedBytes || sizes.length > limits.maxQueuedMessages) {
        left.close({
          code: 'connection_lost',
          message: `the session was ended because its client did not read: ${sizes.length} messages, ${queuedBytes} bytes were waiting`,
          hint: 'Connect again and resume the thread; nothing in it is lost.',
        });
      }
      return left.send(message);
    },
  };
  const far: Channel = {
    incoming: counted(),
    closed: right.closed,
    close: (reason) => right.close(reason),
    send: (message) => right.send(message),
  };
  return { near, far };
}
