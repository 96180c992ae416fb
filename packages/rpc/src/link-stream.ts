// Owns one stream of a link, from its attachment to its end: frames in and out, parts put together, and whether the
// path is still alive. It forgets everything at its end; what must survive is the link's.

import { asError, HeddleError } from '@heddle/wire';
import { BoundedQueue } from './bounded-queue.ts';
import type { ByteDuplex } from './byte-duplex.ts';
import type { CloseReason } from './channel.ts';
import { concatBytes, type FrameReader } from './frames.ts';
import {
  ackFrame,
  closeFrame,
  encodeFrames,
  type Frame,
  frameKinds,
  MAX_FRAME_BYTES,
  messageFrames,
  parseAck,
  parseClose,
} from './link-frames.ts';

/** What goes out in one write; more is left for the next. */
const BATCH_BYTES = 256 * 1024;
/** How often the path is looked at. */
const CHECK_MS = 1_000;
/** After this silence, when messages have gone either way before it, the far side is asked whether it is there. */
const PING_IN_TRAFFIC_MS = 3_000;
/** The same when it was asked since the last message. */
const PING_IDLE_MS = 20_000;
/** A path is dead when a ping was not answered, by anything at all, for this long: with a look at it each second, 10 s in traffic. */
const PING_TIMEOUT_MS = 5_000;
/** How long the far side has, after a close, to end its own direction. */
const CLOSE_GRACE_MS = 2_000;

export interface LinkStreamEvents {
  onMessage(message: Uint8Array): void;
  onAck(count: number): void;
  /** The far side has ended the session. */
  onClose(reason: CloseReason): void;
  /** The stream is gone and the session is not: cut, silent for too long, or ended without a word. */
  onLost(error: Error): void;
  /** The far side broke the protocol: the session can't go on. */
  onBroken(error: HeddleError): void;
}

export class LinkStream {
  readonly #duplex: ByteDuplex;
  readonly #events: LinkStreamEvents;
  readonly #maxMessageBytes: number;
  readonly #outgoing = new BoundedQueue<Frame>({ highWater: Number.POSITIVE_INFINITY });
  readonly #checking: ReturnType<typeof setInterval>;
  #isOver = false;
  #heardAtMs = performance.now();
  #pingSentAtMs: number | undefined;
  #rttMs: number | undefined;
  /** Messages have gone either way since the last ping. */
  #isInTraffic = false;
  /** Something was heard that the far side waits for a sign of. */
  #owesSign = false;
  #taken: () => number;

  /** @param taken how many messages of theirs were taken by their reader; for acknowledgements. */
  constructor(
    duplex: ByteDuplex,
    frames: FrameReader,
    options: { maxMessageBytes: number; events: LinkStreamEvents; taken: () => number },
  ) {
    this.#duplex = duplex;
    this.#events = options.events;
    this.#maxMessageBytes = options.maxMessageBytes;
    this.#taken = options.taken;
    this.#checking = setInterval(() => this.#check(), CHECK_MS);
    unref(this.#checking);
    void this.#read(frames).catch((error: unknown) => this.#fail(asError(error)));
    void this.#write().catch((error: unknown) => this.#fail(asError(error)));
  }

  /** Time of the last answered ping, there and back. */
  get rttMs(): number | undefined {
    return this.#rttMs;
  }

  /** Resolves when both directions of the stream have ended. */
  get ended(): Promise<void> {
    return this.#duplex.closed;
  }

  sendMessage(message: Uint8Array): void {
    for (const frame of messageFrames(message)) this.#outgoing.push(frame);
    this.#isInTraffic = true;
  }

  sendAck(count: number): void {
    this.#outgoing.push(ackFrame(count));
    this.#owesSign = false;
  }

  /** Asks the far side whether it is there; an answer within the time-out keeps the stream. */
  ping(): void {
    if (this.#pingSentAtMs !== undefined) return;
    this.#pingSentAtMs = performance.now();
    this.#isInTraffic = false;
    this.#outgoing.push({ kind: frameKinds.ping, body: new Uint8Array(0) });
  }

  /** Ends the session for the far side; what is queued leaves first. No event follows. */
  close(reason: CloseReason): void {
    if (this.#isOver) return;
    this.#outgoing.push(closeFrame(reason));
    this.#finish();
    const timer = setTimeout(() => this.#duplex.abort(new Error('the far side did not end its direction')), CLOSE_GRACE_MS);
    void this.#duplex.closed.then(() => clearTimeout(timer));
  }

  /** Cuts the stream. No event follows. */
  abort(error: Error): void {
    this.#finish();
    this.#duplex.abort(error);
  }

  #finish(): void {
    this.#isOver = true;
    clearInterval(this.#checking);
    this.#outgoing.end();
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    if (error instanceof HeddleError && (error.code === 'protocol_error' || error.code === 'message_too_large')) {
      this.close({ code: error.code, message: error.message }); // tell the far side what it did wrong
      this.#events.onBroken(error);
      return;
    }
    this.abort(error);
    this.#events.onLost(error);
  }

  #check(): void {
    if (this.#owesSign) this.sendAck(this.#taken());
    const silentMs = performance.now() - this.#heardAtMs;
    if (this.#pingSentAtMs !== undefined) {
      const unansweredMs = performance.now() - Math.max(this.#pingSentAtMs, this.#heardAtMs);
      if (unansweredMs > PING_TIMEOUT_MS) this.#fail(new HeddleError('timeout', 'the path is silent'));
    } else if (silentMs > (this.#isInTraffic ? PING_IN_TRAFFIC_MS : PING_IDLE_MS)) this.ping();
  }

  async #write(): Promise<void> {
    for await (const first of this.#outgoing) {
      const batch = [first];
      for (let bytes = first.body.byteLength; bytes < BATCH_BYTES; ) {
        const next = this.#outgoing.takeNext();
        if (next === undefined) break;
        batch.push(next);
        bytes += next.body.byteLength;
      }
      await this.#duplex.write(encodeFrames(batch));
      await restOfTurn();
    }
    await this.#duplex.closeWrite();
  }

  async #read(frames: FrameReader): Promise<void> {
    let parts: Uint8Array[] = [];
    let bytes = 0;
    for (;;) {
      const frame = frames.takeArrived(MAX_FRAME_BYTES) ?? (await frames.next(MAX_FRAME_BYTES));
      if (this.#isOver) return;
      if (frame === undefined) throw new HeddleError('connection_lost', 'the stream ended without a word');
      this.#heardAtMs = performance.now();
      const body = frame.subarray(1);
      switch (frame[0]) {
        case frameKinds.part:
        case frameKinds.message:
          this.#owesSign = true;
          this.#isInTraffic = true;
          bytes += body.byteLength;
          if (bytes > this.#maxMessageBytes)
            throw new HeddleError('message_too_large', `a message of more than ${this.#maxMessageBytes} bytes was sent`);
          parts.push(body);
          if (frame[0] === frameKinds.part) break;
          this.#events.onMessage(concatBytes(parts));
          parts = [];
          bytes = 0;
          break;
        case frameKinds.ack:
          this.#events.onAck(parseAck(body));
          break;
        case frameKinds.ping:
          if (body.byteLength > MAX_PING_BYTES) throw new HeddleError('protocol_error', 'a ping with too many bytes was sent');
          this.#outgoing.push({ kind: frameKinds.pong, body });
          await this.#outgoingTaken(); // a peer that pings and never reads must not fill our memory
          break;
        case frameKinds.pong:
          if (this.#pingSentAtMs !== undefined) this.#rttMs = performance.now() - this.#pingSentAtMs;
          this.#pingSentAtMs = undefined;
          break;
        case frameKinds.close:
          this.#finish();
          this.#events.onClose(parseClose(body));
          return;
        case undefined:
          throw new HeddleError('protocol_error', 'an empty frame was sent');
        default:
          throw new HeddleError('protocol_error', `a frame of unknown kind ${frame[0]} was sent`);
      }
    }
  }

  #outgoingTaken(): Promise<void> {
    return this.#outgoing.length < MAX_PONGS ? Promise.resolve() : this.#outgoing.emptied();
  }
}

const MAX_PING_BYTES = 64;
const MAX_PONGS = 1_000;

/**
 * The first message after a silence leaves at once; those that follow it in the same turn of the event loop wait for
 * the turn's end and leave together. A browser has no `setImmediate`; its messages leave as they come.
 */
function restOfTurn(): Promise<void> {
  return typeof setImmediate === 'function' ? new Promise((resolve) => setImmediate(resolve)) : Promise.resolve();
}

/** A link that waits for nothing must not keep a program running; browsers have no such notion. */
function unref(timer: unknown): void {
  if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function') timer.unref();
}
