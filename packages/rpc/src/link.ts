// Owns a session's messages, both ways, whatever streams come and go: numbered by counting, kept until they are
// acknowledged, sent again from where the far side left off. Nothing is lost and nothing comes twice, or the session
// ends and says so. One stream at a time; frames and the path's health are link-stream.ts.

import { HeddleError } from '@heddle/wire';
import { BoundedQueue } from './bounded-queue.ts';
import type { ByteDuplex } from './byte-duplex.ts';
import { type Channel, closedNormally, type CloseReason, connectionLost } from './channel.ts';
import type { FrameReader } from './frames.ts';
import { LinkStream } from './link-stream.ts';

/** Largest message from daemon to client. */
export const MAX_MESSAGE_TO_CLIENT_BYTES = 128 * 1024 * 1024;
/** Largest message from client to daemon: codex cuts a connection at 16 MiB (0.169, measured). */
export const MAX_MESSAGE_TO_DAEMON_BYTES = 16 * 1024 * 1024;

/** What may be on its way before the far side's reader has taken it; one message of any size may always be. */
const WINDOW_BYTES = 4 * 1024 * 1024;
const WINDOW_MESSAGES = 8_192;
/** What a detached session keeps for a client that is away. */
const KEPT_BYTES = 16 * 1024 * 1024;
const KEPT_MESSAGES = 50_000;
/** Taken messages are acknowledged when this much was taken, or after this time. */
const ACK_BYTES = WINDOW_BYTES / 4;
const ACK_MESSAGES = WINDOW_MESSAGES / 4;
const ACK_MS = 100;

export interface LinkOptions {
  maxIncomingBytes: number;
  maxOutgoingBytes: number;
  /**
   * What happens when the stream is lost. `end`: the link ends with it. `wait`: it waits for the next, and senders
   * are held back while it is full. `overflow`: it waits, and ends when more than is kept is sent meanwhile, so that
   * nobody who sends is ever held back by a client that is away.
   */
  whenDetached: 'end' | 'wait' | 'overflow';
  /** The stream was lost and the link goes on. */
  onDetached?: (error: Error) => void;
}

/** The limits as the client sees them. */
export const clientLinkLimits = { maxIncomingBytes: MAX_MESSAGE_TO_CLIENT_BYTES, maxOutgoingBytes: MAX_MESSAGE_TO_DAEMON_BYTES };
/** The limits as the daemon sees them. */
export const daemonLinkLimits = { maxIncomingBytes: MAX_MESSAGE_TO_DAEMON_BYTES, maxOutgoingBytes: MAX_MESSAGE_TO_CLIENT_BYTES };

/** A message that is not acknowledged; its bytes go when the far side is known to have them. */
interface Kept {
  message: Uint8Array | undefined;
  bytes: number;
}

/** A channel that outlives its streams. */
export class Link implements Channel {
  readonly closed: Promise<CloseReason>;
  readonly incoming: AsyncIterable<Uint8Array>;
  readonly #options: LinkOptions;
  readonly #arrived = new BoundedQueue<Uint8Array>({ highWater: Number.POSITIVE_INFINITY });
  readonly #settleClosed: (reason: CloseReason) => void;
  #stream: LinkStream | undefined;
  #lastStream: LinkStream | undefined;
  #why: CloseReason | undefined;

  /** Sent messages from number `#acked` on; counts begin with the session and never go back. */
  #kept: Kept[] = [];
  #keptHead = 0;
  #keptBytes = 0;
  #sent = 0;
  #acked = 0;
  /** Messages below this number are with the far side: their bytes are gone. */
  #floor = 0;
  /** Messages below this number were given to the present stream. */
  #handedOver = 0;
  #onWayBytes = 0;
  #waitingForRoom: (() => void)[] = [];

  #received = 0;
  #taken = 0;
  /** Since the last acknowledgement. */
  #takenBytes = 0;
  #untakenBytes = 0;
  #ackSent = 0;
  #ackTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<CloseReason>();
    this.closed = promise;
    this.#settleClosed = resolve;
    this.incoming = this.#take();
  }

  /** How many messages of the far side have arrived: what it is told when it resumes. */
  get received(): number {
    return this.#received;
  }

  get isAttached(): boolean {
    return this.#stream !== undefined;
  }

  /** Resolves when the link has ended and its last stream has too: what was queued has left, or never will. */
  get ended(): Promise<void> {
    return this.closed.then(() => this.#lastStream?.ended);
  }

  /** Round-trip time of the last ping of the present stream, in milliseconds. */
  get rttMs(): number | undefined {
    return this.#stream?.rttMs;
  }

  /** Whether everything is here that a far side lacks which has received so many messages. */
  canResume(farReceived: number): boolean {
    return this.#why === undefined && Number.isInteger(farReceived) && farReceived >= this.#floor && farReceived <= this.#sent;
  }

  /**
   * Goes on over a stream whose handshake is done; an earlier stream is ended, and its late end harms nobody.
   * @param farReceived how many messages the far side has received: `canResume` must have said yes.
   */
  attach(duplex: ByteDuplex, frames: FrameReader, farReceived = 0): void {
    if (!this.canResume(farReceived))
      throw new HeddleError('protocol_error', `can't go on from message ${farReceived}: ${this.#floor} to ${this.#sent} are here`);
    this.#stream?.close({ code: 'replaced', message: 'the session goes on over another connection' });
    const stream: LinkStream = new LinkStream(duplex, frames, {
      maxMessageBytes: this.#options.maxIncomingBytes,
      taken: () => this.#taken,
      events: {
        onMessage: (message) => this.#isPresent(stream) && this.#onMessage(message),
        onAck: (count) => this.#isPresent(stream) && this.#onAck(count),
        onClose: (reason) => this.#isPresent(stream) && this.#onFarClose(reason),
        onBroken: (error) => this.#isPresent(stream) && this.#finish({ code: error.code as CloseReason['code'], message: error.message }),
        onLost: (error) => this.#isPresent(stream) && this.#onLost(error),
      },
    });
    this.#stream = stream;
    this.#lastStream = stream;
    this.#forgetBytesBelow(farReceived);
    this.#handedOver = farReceived;
    this.#onWayBytes = 0;
    for (let number = this.#acked; number < farReceived; number++) this.#onWayBytes += this.#keptAt(number).bytes;
    if (this.#taken > 0) this.#sendAck();
    this.#handOver();
  }

  /** Ends the present stream, as if it had been lost: a better path is known, or this one is not trusted. */
  detach(error: Error): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    stream.abort(error);
    this.#onLost(error);
  }

  /** Asks whether the far side is there; see LinkStream. */
  ping(): void {
    this.#stream?.ping();
  }

  async send(message: Uint8Array): Promise<void> {
    if (this.#why !== undefined) throw new HeddleError(this.#why.code, this.#why.message, { hint: this.#why.hint });
    if (message.byteLength > this.#options.maxOutgoingBytes) {
      throw new HeddleError(
        'message_too_large',
        `a message of ${message.byteLength} bytes can't be sent, ${this.#options.maxOutgoingBytes} are allowed`,
      );
    }
    this.#kept.push({ message, bytes: message.byteLength });
    this.#keptBytes += message.byteLength;
    this.#sent += 1;
    this.#handOver();
    if (this.#isOverflowing()) {
      this.#finish({
        code: 'overflowed',
        message: 'more was said than is kept for a client that is away',
        hint: 'Connect again and read your threads.',
      });
      return;
    }
    while (this.#isFull()) await new Promise<void>((resolve) => this.#waitingForRoom.push(resolve));
  }

  close(reason: CloseReason = closedNormally): void {
    if (this.#why !== undefined) return;
    // What the window still held back leaves before the close; the far side's reader takes it when it can.
    this.#handOver(true);
    this.#stream?.close(reason);
    this.#finish(reason);
  }

  #isPresent(stream: LinkStream): boolean {
    return this.#stream === stream && this.#why === undefined;
  }

  #keptAt(number: number): Kept {
    return this.#kept[this.#keptHead + number - this.#acked] as Kept;
  }

  #isFull(): boolean {
    if (this.#why !== undefined) return false;
    if (this.#stream === undefined && this.#options.whenDetached === 'overflow') return false;
    const limitBytes = this.#stream === undefined ? KEPT_BYTES : WINDOW_BYTES;
    return this.#keptBytes > limitBytes || this.#sent - this.#acked > WINDOW_MESSAGES;
  }

  #isOverflowing(): boolean {
    if (this.#stream !== undefined || this.#options.whenDetached !== 'overflow') return false;
    return this.#keptBytes > KEPT_BYTES || this.#sent - this.#acked > KEPT_MESSAGES;
  }

  /** Gives the stream what the window allows. */
  #handOver(all = false): void {
    if (this.#stream === undefined) return;
    while (this.#handedOver < this.#sent) {
      const isWindowFull = this.#onWayBytes >= WINDOW_BYTES || this.#handedOver - this.#acked >= WINDOW_MESSAGES;
      if (isWindowFull && !all) return;
      const { message, bytes } = this.#keptAt(this.#handedOver);
      this.#handedOver += 1;
      this.#onWayBytes += bytes;
      if (message !== undefined) this.#stream.sendMessage(message);
    }
  }

  #onMessage(message: Uint8Array): void {
    this.#received += 1;
    this.#untakenBytes += message.byteLength;
    this.#arrived.push(message, message.byteLength);
    const isBeyond =
      this.#received - this.#taken > 2 * KEPT_MESSAGES || this.#untakenBytes > 2 * KEPT_BYTES + this.#options.maxIncomingBytes;
    if (isBeyond) this.close({ code: 'protocol_error', message: 'messages were sent far beyond the window' });
  }

  async *#take(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const first of this.#arrived) {
      // Those that have arrived with it are taken without a wait for each: at a burst that is felt.
      for (let message: Uint8Array | undefined = first; message !== undefined; message = this.#arrived.takeNext()) {
        yield message;
        // The reader asks for the next one: this one was taken.
        this.#onTaken(message.byteLength);
      }
    }
  }

  #onTaken(bytes: number): void {
    this.#taken += 1;
    this.#takenBytes += bytes;
    this.#untakenBytes -= bytes;
    if (this.#takenBytes >= ACK_BYTES || this.#taken - this.#ackSent >= ACK_MESSAGES) this.#sendAck();
    else this.#ackTimer ??= setTimeout(() => this.#sendAck(), ACK_MS);
  }

  #sendAck(): void {
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    if (this.#stream === undefined) return;
    this.#takenBytes = 0;
    this.#ackSent = this.#taken;
    this.#stream.sendAck(this.#taken);
  }

  #onAck(count: number): void {
    if (count < this.#acked || count > this.#handedOver) {
      const error = new HeddleError(
        'protocol_error',
        `message ${count} was acknowledged, ${this.#acked} to ${this.#handedOver} were on their way`,
      );
      this.close({ code: 'protocol_error', message: error.message });
      return;
    }
    for (; this.#acked < count; this.#acked++) {
      const { bytes } = this.#keptAt(this.#acked);
      this.#keptHead += 1;
      this.#keptBytes -= bytes;
      this.#onWayBytes -= bytes;
    }
    if (this.#keptHead > 1_024 || this.#keptHead === this.#kept.length) {
      this.#kept = this.#kept.slice(this.#keptHead);
      this.#keptHead = 0;
    }
    this.#floor = Math.max(this.#floor, this.#acked);
    this.#handOver();
    if (!this.#isFull()) this.#releaseSenders();
  }

  #forgetBytesBelow(number: number): void {
    for (; this.#floor < number; this.#floor++) this.#keptAt(this.#floor).message = undefined;
  }

  #onFarClose(reason: CloseReason): void {
    this.#finish(reason);
  }

  #onLost(error: Error): void {
    this.#stream = undefined;
    if (this.#options.whenDetached === 'end') {
      this.#finish(connectionLost);
      return;
    }
    if (!this.#isFull()) this.#releaseSenders();
    this.#options.onDetached?.(error);
  }

  #finish(reason: CloseReason): void {
    this.#why ??= reason;
    this.#stream = undefined;
    clearTimeout(this.#ackTimer);
    this.#kept = [];
    this.#arrived.end();
    this.#releaseSenders();
    this.#settleClosed(this.#why);
  }

  #releaseSenders(): void {
    const waiting = this.#waitingForRoom;
    this.#waitingForRoom = [];
    for (const release of waiting) release();
  }
}

/** A link that lives as long as one stream, for doors where nothing is lost but with its process. */
export function attachedLink(
  duplex: ByteDuplex,
  frames: FrameReader,
  limits: { maxIncomingBytes: number; maxOutgoingBytes: number },
): Link {
  const link = new Link({ ...limits, whenDetached: 'end' });
  link.attach(duplex, frames);
  return link;
}
