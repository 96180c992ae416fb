// Owns the one place that knows how a libp2p 3 stream behaves, and makes a safe byte flow of it.
// Each precaution below answers a fault that was reproduced with libp2p 3.3.11 and @libp2p/utils 7.4.1:
// - `onDrain()` waits only the first time                        → our own wait for `drain`, raced against `close`
// - `for await` over a stream hangs when the FIN came first      → listeners, and the state at the start is looked at
// - `for await` never pauses the far side                        → pause and resume around a bounded queue
// - `pause()` inside a `message` event is undone by `resume()`   → pause in a microtask
// - a paused stream that closes keeps its last bytes             → resume on close, then end
// - an exception in an event listener ends the process           → no listener lets one out
// - a reset rejects with an event, not an Error                  → `asError`
// A pause also needs a yamux window below the read buffer's cap: `yamuxLimits`.

import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface';
import { asError } from '@heddle/wire';
import { BoundedQueue } from './bounded-queue.ts';
import type { ByteDuplex } from './byte-duplex.ts';

const READ_AHEAD_BYTES = 256 * 1024;
const WRITE_HIGH_WATER_BYTES = 256 * 1024;
const CLOSE_TIMEOUT_MS = 10_000;

/**
 * Options for `yamux()`. The default window grows to 16 MiB while a paused stream may hold 4 MiB: the next pause
 * after a fast transfer would reset the stream.
 */
export const yamuxLimits = { maxInboundStreams: 128, maxOutboundStreams: 128, streamOptions: { maxStreamWindowSize: 1024 * 1024 } };

/** Makes a byte flow of a stream. Call it in the same turn in which the stream was handed over. */
export function libp2pDuplex(stream: Stream): ByteDuplex {
  let cut: Error | undefined;
  let wakeWriter: () => void = () => {};
  const { promise: closed, resolve: settleClosed } = Promise.withResolvers<void>();

  const safely = (action: () => void) => {
    try {
      action();
    } catch (error) {
      stream.abort(asError(error));
    }
  };

  const resume = () => {
    if (stream.readStatus === 'paused') stream.resume();
  };
  const queue = new BoundedQueue<Uint8Array>({ highWater: READ_AHEAD_BYTES, onRoom: () => safely(resume) });
  const pauseIfFull = () => {
    if (queue.isFull && stream.readStatus === 'readable') stream.pause();
  };

  const onMessage = (event: StreamMessageEvent) => {
    const chunks = event.data instanceof Uint8Array ? [event.data] : event.data;
    for (const chunk of chunks) queue.push(chunk, chunk.byteLength);
    if (queue.isFull) queueMicrotask(() => safely(pauseIfFull));
  };
  const onClose = (error: Error | undefined) => {
    cut ??= error;
    safely(resume);
    queue.end();
    settleClosed();
    wakeWriter();
  };
  stream.addEventListener('message', (event) => safely(() => onMessage(event)));
  stream.addEventListener('end', () => queue.end());
  stream.addEventListener('drain', () => wakeWriter());
  stream.addEventListener('idle', () => wakeWriter());
  stream.addEventListener('close', (event: StreamCloseEvent) => onClose(event.error));

  if (stream.readableEnded) queue.end();
  if (stream.status === 'closed') onClose(undefined);
  if (stream.status === 'aborted' || stream.status === 'reset') onClose(new Error(`the stream was ${stream.status}`));

  return {
    closed,
    source: readAll(queue, () => cut),
    async write(bytes) {
      if (cut !== undefined) throw cut;
      stream.send(bytes);
      while (stream.writeBufferLength > WRITE_HIGH_WATER_BYTES && cut === undefined && stream.writeStatus !== 'closed') {
        await new Promise<void>((resolve) => {
          wakeWriter = resolve;
        });
      }
      if (cut !== undefined) throw cut;
    },
    async closeWrite() {
      try {
        await stream.close({ signal: AbortSignal.timeout(CLOSE_TIMEOUT_MS) });
      } catch (error) {
        throw asError(error);
      }
    },
    abort: (error) => stream.abort(error),
  };
}

async function* readAll(queue: BoundedQueue<Uint8Array>, cutBy: () => Error | undefined): AsyncGenerator<Uint8Array> {
  yield* queue;
  const error = cutBy();
  if (error !== undefined) throw error;
}
