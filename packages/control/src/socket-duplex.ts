// Owns the one place where a `net.Socket` becomes a ByteDuplex. It needs a socket made with `allowHalfOpen`,
// else Node ends our direction when the far side ends theirs.

import type { Socket } from 'node:net';
import { HeddleError } from '@heddle/wire';
import { BoundedQueue, type ByteDuplex } from '@heddle/rpc';

/** Bytes taken from the socket ahead of the reader before it is paused. */
const READ_AHEAD_BYTES = 64 * 1024;

/** Takes the socket over: reads it from now on, and listens to its errors until it is closed. */
export function socketDuplex(socket: Socket): ByteDuplex {
  const { promise: closed, resolve: settleClosed } = Promise.withResolvers<void>();
  const received = new BoundedQueue<Uint8Array>({ highWater: READ_AHEAD_BYTES, onRoom: () => socket.resume() });
  let cutBy: Error | undefined;

  socket.on('data', (chunk: Buffer) => {
    if (!received.push(chunk, chunk.byteLength)) socket.pause();
  });
  socket.on('end', () => received.end());
  socket.on('error', (error) => {
    cutBy ??= error;
  });
  socket.on('close', () => {
    if (!socket.readableEnded) cutBy ??= new HeddleError('connection_lost', 'the local connection was lost');
    received.end();
    settleClosed();
  });

  async function* source(): AsyncGenerator<Uint8Array> {
    yield* received;
    if (cutBy !== undefined) throw cutBy;
  }
  const gone = () => new HeddleError('connection_lost', 'the local connection was lost', { cause: cutBy });

  return {
    source: source(),
    closed,
    async write(bytes) {
      if (!socket.writable) throw gone();
      if (socket.write(bytes)) return;
      await eventOrClose(socket, 'drain', closed);
      if (socket.destroyed) throw gone();
    },
    async closeWrite() {
      if (socket.destroyed || socket.writableFinished) return;
      socket.end();
      await eventOrClose(socket, 'finish', closed);
    },
    abort(error) {
      cutBy ??= error;
      socket.destroy();
    },
  };
}

/** Waiting for an event of a socket always races its end: a socket that was cut emits nothing more. */
async function eventOrClose(socket: Socket, event: 'drain' | 'finish', closed: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.once(event, resolve);
  await Promise.race([promise, closed]);
  socket.off(event, resolve);
}
