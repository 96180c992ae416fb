// Owns what follows the handshake: messages over a byte flow, in frames whose first byte is their kind.
// Today it carries, caps and ends; numbering, acknowledgement and resume have their kinds reserved below, so
// that they can be added without changing the framing. The table of kinds is explained in docs/wire.md.

import { asError, closeCodes, HeddleError, type CloseCode } from '@heddle/wire';
import { BoundedQueue } from './bounded-queue.ts';
import type { ByteDuplex } from './byte-duplex.ts';
import { type Channel, closedNormally, type CloseReason, connectionLost } from './channel.ts';
import { concatBytes, encodeFrame, type FrameReader } from './frames.ts';

/** First byte of every frame after the handshake. */
export const frameKinds = {
  /** A whole message, or the last part of one. */
  message: 0,
  /** A part of a message; more follows, and no other message in between. */
  part: 1,
  /** Reserved: how many messages have arrived. Ignored. */
  ack: 2,
  /** Answered with a pong that carries the same bytes. */
  ping: 3,
  pong: 4,
  /** The last frame of a direction: why the session ends, as JSON `{code, message, hint?}`. */
  close: 5,
} as const;

/** Largest body of one frame; a longer message travels in parts. */
export const MAX_FRAME_BODY_BYTES = 64 * 1024;
const MAX_FRAME_BYTES = MAX_FRAME_BODY_BYTES + 1;
/** Largest message from daemon to client. */
export const MAX_MESSAGE_TO_CLIENT_BYTES = 128 * 1024 * 1024;
/** Largest message from client to daemon: codex cuts a connection at 16 MiB (0.169, measured). */
export const MAX_MESSAGE_TO_DAEMON_BYTES = 16 * 1024 * 1024;

const QUEUED_BYTES = 256 * 1024;
/** A message waiting in memory costs more than its bytes; small ones must not pile up without end. */
const MESSAGE_OVERHEAD_BYTES = 128;
/** How long the far side has, after a close, to end its own direction. */
const CLOSE_GRACE_MS = 2_000;

export interface LinkOptions {
  maxIncomingBytes: number;
  maxOutgoingBytes: number;
}

/** The two limits as the client sees them. */
export const clientLinkOptions: LinkOptions = {
  maxIncomingBytes: MAX_MESSAGE_TO_CLIENT_BYTES,
  maxOutgoingBytes: MAX_MESSAGE_TO_DAEMON_BYTES,
};
/** The two limits as the daemon sees them. */
export const daemonLinkOptions: LinkOptions = {
  maxIncomingBytes: MAX_MESSAGE_TO_DAEMON_BYTES,
  maxOutgoingBytes: MAX_MESSAGE_TO_CLIENT_BYTES,
};

/** A channel over a byte flow whose handshake is done. */
export class Link implements Channel {
  readonly closed: Promise<CloseReason>;
  readonly #duplex: ByteDuplex;
  readonly #options: LinkOptions;
  readonly #incoming = new BoundedQueue<Uint8Array>({ highWater: QUEUED_BYTES });
  readonly #outgoing = new BoundedQueue<Uint8Array>({ highWater: QUEUED_BYTES });
  #why: CloseReason | undefined;
  #settleClosed: (reason: CloseReason) => void = () => {};

  constructor(duplex: ByteDuplex, frames: FrameReader, options: LinkOptions) {
    this.#duplex = duplex;
    this.#options = options;
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    // The reader ends by itself when the flow does, after the last frames that had arrived: one of them may say why.
    void duplex.closed.then(() => this.#incoming.lift());
    void this.#read(frames).catch((error: unknown) => this.#fail(asError(error)));
    void this.#write().catch((error: unknown) => this.#fail(asError(error)));
  }

  get incoming(): AsyncIterable<Uint8Array> {
    return this.#incoming;
  }

  async send(message: Uint8Array): Promise<void> {
    if (this.#why !== undefined) throw new HeddleError(this.#why.code, this.#why.message, { hint: this.#why.hint });
    if (message.byteLength > this.#options.maxOutgoingBytes) {
      throw new HeddleError(
        'message_too_large',
        `a message of ${message.byteLength} bytes can't be sent, ${this.#options.maxOutgoingBytes} are allowed`,
      );
    }
    let offset = 0;
    for (; message.byteLength - offset > MAX_FRAME_BODY_BYTES; offset += MAX_FRAME_BODY_BYTES) {
      this.#queueFrame(frameKinds.part, message.subarray(offset, offset + MAX_FRAME_BODY_BYTES));
    }
    this.#queueFrame(frameKinds.message, message.subarray(offset));
    await this.#outgoing.room();
  }

  close(reason: CloseReason = closedNormally): void {
    if (this.#why !== undefined) return;
    this.#queueFrame(frameKinds.close, new TextEncoder().encode(JSON.stringify(reason)));
    this.#finish(reason);
    const timer = setTimeout(() => this.#duplex.abort(new Error('the far side did not end its direction')), CLOSE_GRACE_MS);
    void this.#duplex.closed.then(() => clearTimeout(timer));
  }

  #queueFrame(kind: number, body: Uint8Array): void {
    this.#outgoing.push(encodeFrame(Uint8Array.of(kind), body), body.byteLength + MESSAGE_OVERHEAD_BYTES);
  }

  /** Both queues end: what has arrived can still be taken, what is queued still leaves. */
  #finish(reason: CloseReason): void {
    this.#why ??= reason;
    this.#incoming.end();
    this.#outgoing.end();
    this.#settleClosed(this.#why);
  }

  #fail(error: Error): void {
    if (error instanceof HeddleError && isCloseCode(error.code)) {
      this.close({ code: error.code, message: error.message, hint: error.hint }); // tell the far side what it did wrong
    } else {
      this.#finish(connectionLost);
      this.#duplex.abort(error);
    }
  }

  async #write(): Promise<void> {
    for await (const batch of inBatches(this.#outgoing)) {
      await this.#duplex.write(concatBytes(batch));
      await restOfTurn();
    }
    await this.#duplex.closeWrite();
  }

  async #read(frames: FrameReader): Promise<void> {
    let parts: Uint8Array[] = [];
    let bytes = 0;
    for (;;) {
      const frame = await frames.next(MAX_FRAME_BYTES);
      if (frame === undefined) {
        this.close(connectionLost);
        return;
      }
      const kind = frame[0];
      const body = frame.subarray(1);
      switch (kind) {
        case frameKinds.part:
        case frameKinds.message: {
          bytes += body.byteLength;
          if (bytes > this.#options.maxIncomingBytes) {
            throw new HeddleError('message_too_large', `a message of more than ${this.#options.maxIncomingBytes} bytes was sent`);
          }
          parts.push(body);
          if (kind === frameKinds.part) break;
          this.#incoming.push(concatBytes(parts), bytes + MESSAGE_OVERHEAD_BYTES);
          parts = [];
          bytes = 0;
          await this.#incoming.room();
          break;
        }
        case frameKinds.ping:
          this.#queueFrame(frameKinds.pong, body);
          await this.#outgoing.room(); // a peer that pings and never reads must not fill our memory
          break;
        case frameKinds.ack:
        case frameKinds.pong:
          break;
        case frameKinds.close:
          this.#finish(parseCloseReason(body));
          return;
        default:
          throw new HeddleError(
            'protocol_error',
            kind === undefined ? 'an empty frame was sent' : `a frame of unknown kind ${kind} was sent`,
          );
      }
    }
  }
}

/** Whatever is queued goes out as one write: on small messages the cost is per write, not per byte. */
async function* inBatches(queue: BoundedQueue<Uint8Array>): AsyncGenerator<Uint8Array[]> {
  for await (const first of queue) yield [first, ...queue.takeQueued()];
}

/**
 * The first message after a silence leaves at once; those that follow it in the same turn of the event loop wait for
 * the turn's end and leave together. A browser has no `setImmediate`; its messages leave as they come.
 */
function restOfTurn(): Promise<void> {
  return typeof setImmediate === 'function' ? new Promise((resolve) => setImmediate(resolve)) : Promise.resolve();
}

function isCloseCode(code: string): code is CloseCode {
  return (closeCodes as readonly string[]).includes(code);
}

function parseCloseReason(body: Uint8Array): CloseReason {
  try {
    const value = JSON.parse(new TextDecoder().decode(body)) as { code?: unknown; message?: unknown; hint?: unknown };
    if (typeof value.code === 'string' && isCloseCode(value.code) && typeof value.message === 'string') {
      return { code: value.code, message: value.message, hint: typeof value.hint === 'string' ? value.hint : undefined };
    }
  } catch {
    // falls through: a close is a close, whatever it says
  }
  return { code: 'closed', message: 'the far side closed the session without a readable reason' };
}
