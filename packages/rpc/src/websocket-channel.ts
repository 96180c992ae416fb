// Owns the channel over a `ws` WebSocket, either end of it: one message a text frame.

import type { WebSocket } from 'ws';
import { HeddleError } from '@heddle/wire';
import { BoundedQueue } from './bounded-queue.ts';
import { type Channel, closedNormally, type CloseReason, connectionLost } from './channel.ts';

/** Bytes queued in the socket at which a sender is held back. */
const WRITE_HIGH_WATER_BYTES = 1024 * 1024;
const CLOSE_GRACE_MS = 2_000;
/** RFC 6455: a close reason has at most 123 bytes. */
const MAX_REASON_BYTES = 123;

/** WebSocket close codes (RFC 6455, 7.4.1) that stand for ours. */
const webSocketCloseCodes = {
  closed: 1000,
  agent_exited: 1011,
  shutting_down: 1001,
  token_rotated: 1008,
  device_revoked: 1008,
  message_too_large: 1009,
  protocol_error: 1002,
  connection_lost: 1011,
  replaced: 1000,
  overflowed: 1008,
  session_reset: 1012,
} satisfies Record<CloseReason['code'], number>;

export interface WebSocketChannelOptions {
  /**
   * Bytes taken from the socket ahead of the reader before it is paused. codex disconnects a client whose
   * outbound queue of 128 messages is full (0.169), so towards codex this is what a slow phone has.
   */
  readAheadBytes: number;
  /** Messages over this are refused with `message_too_large`. */
  maxOutgoingBytes: number;
  /** What to say when the far side ends, from its WebSocket close code and text. */
  explainClose?: (code: number, text: string) => CloseReason;
}

/** Makes a channel of an open WebSocket. Call it in the same turn in which the socket opened, or messages are lost. */
export function webSocketChannel(socket: WebSocket, options: WebSocketChannelOptions): Channel {
  const { promise: closed, resolve } = Promise.withResolvers<CloseReason>();
  let why: CloseReason | undefined;
  const incoming = new BoundedQueue<Uint8Array>({ highWater: options.readAheadBytes, onRoom: () => socket.resume() });
  let waitingForDrain: (() => void)[] = [];
  const releaseSenders = () => {
    const waiting = waitingForDrain;
    waitingForDrain = [];
    for (const release of waiting) release();
  };
  const finish = (reason: CloseReason) => {
    if (why !== undefined) return;
    why = reason;
    incoming.end();
    releaseSenders();
    resolve(reason);
  };

  socket.on('message', (data) => {
    const bytes = Array.isArray(data) ? Buffer.concat(data) : data instanceof ArrayBuffer ? new Uint8Array(data) : data;
    if (!incoming.push(bytes, bytes.byteLength)) socket.pause();
  });
  socket.on('error', () => finish(connectionLost)); // `close` follows; the reason is in what it says
  socket.on('close', (code, text) =>
    finish(options.explainClose?.(code, text.toString()) ?? (code === 1000 ? closedNormally : connectionLost)),
  );

  return {
    incoming,
    closed,
    async send(message) {
      if (why !== undefined) throw new HeddleError(why.code, why.message, { hint: why.hint });
      if (message.byteLength > options.maxOutgoingBytes) {
        throw new HeddleError(
          'message_too_large',
          `a message of ${message.byteLength} bytes can't be sent, ${options.maxOutgoingBytes} are allowed`,
        );
      }
      socket.send(message, { binary: false }, () => {
        if (socket.bufferedAmount < WRITE_HIGH_WATER_BYTES) releaseSenders();
      });
      if (socket.bufferedAmount >= WRITE_HIGH_WATER_BYTES) await new Promise<void>((release) => waitingForDrain.push(release));
    },
    close(reason = closedNormally) {
      if (why !== undefined) return;
      finish(reason);
      socket.resume(); // a paused socket would never see the close frame of the far side
      socket.close(
        webSocketCloseCodes[reason.code],
        Buffer.from(reason.message)
          .subarray(0, MAX_REASON_BYTES)
          .toString('utf8')
          .replace(/\uFFFD+$/, ''),
      );
      const timer = setTimeout(() => socket.terminate(), CLOSE_GRACE_MS);
      socket.once('close', () => clearTimeout(timer));
    },
  };
}
