// Two byte flows joined in memory, with the manners of a real one: back-pressure, half close, cut.

import { BoundedQueue, type ByteDuplex } from '@heddle/rpc';

/**
 * `chunkBytes`: every write is cut into pieces of this size, to try every chunk boundary. `maxPieces`: a long write is
 * cut into larger ones, no more than so many.
 */
export function byteDuplexPair(options: { chunkBytes?: number; maxPieces?: number; highWater?: number } = {}): [ByteDuplex, ByteDuplex] {
  const chunkBytes = options.chunkBytes ?? Number.POSITIVE_INFINITY;
  const maxPieces = options.maxPieces ?? Number.POSITIVE_INFINITY;
  const highWater = options.highWater ?? 256 * 1024;
  const toLeft = new BoundedQueue<Uint8Array>({ highWater });
  const toRight = new BoundedQueue<Uint8Array>({ highWater });
  const { promise: closed, resolve: settleClosed } = Promise.withResolvers<void>();
  let cut: Error | undefined;
  let openHalves = 2;

  const end = (incoming: BoundedQueue<Uint8Array>, outgoing: BoundedQueue<Uint8Array>): ByteDuplex => ({
    closed,
    source: (async function* () {
      yield* incoming;
      if (cut !== undefined) throw cut;
    })(),
    async write(bytes) {
      if (cut !== undefined) throw cut;
      const pieceBytes = Math.max(chunkBytes, Math.ceil(bytes.byteLength / maxPieces));
      for (let at = 0; at < bytes.byteLength; at += pieceBytes) {
        const chunk = bytes.slice(at, at + pieceBytes);
        if (!outgoing.push(chunk, chunk.byteLength)) await outgoing.room();
      }
      if (cut !== undefined) throw cut;
    },
    async closeWrite() {
      if (outgoing.isEnded) return;
      outgoing.end();
      openHalves -= 1;
      if (openHalves === 0) settleClosed();
    },
    abort(error) {
      cut ??= error;
      incoming.end();
      outgoing.end();
      settleClosed();
    },
  });
  return [end(toLeft, toRight), end(toRight, toLeft)];
}
