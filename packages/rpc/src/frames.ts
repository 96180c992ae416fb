// Owns length-prefixed frames over a byte flow: an unsigned varint, then that many bytes.
// The cap is checked when the length is known, before the bytes are waited for, and can change between frames
// (a handshake may be 8 KiB, what follows more).
// The reader is our own decoder: fuzzing showed that it-length-prefixed 11.0.1 takes an end right after a length for a
// clean end and lets lengths of five bytes and more through, and it needs a promise for each small frame.

import { encode } from 'it-length-prefixed';
import { HeddleError } from '@heddle/wire';
import type { ByteDuplex } from './byte-duplex.ts';

/** A length needs at most 4 varint bytes: no frame is larger than 256 MiB, endless prefixes are refused. */
const MAX_LENGTH_BYTES = 4;

/** One frame as bytes, ready to be written. */
export function encodeFrame(...parts: Uint8Array[]): Uint8Array {
  return encode.single(concatBytes(parts), { maxDataLength: Number.MAX_SAFE_INTEGER }).subarray();
}

/** Joins byte arrays into one; a single one is given back as it is. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1 && parts[0] !== undefined) return parts[0];
  let length = 0;
  for (const part of parts) length += part.byteLength;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
  }
  return whole;
}

/** Reads frames from a byte flow, one at a time; nothing read ahead is lost between calls. */
export class FrameReader {
  readonly #source: AsyncIterator<Uint8Array>;
  /** What has come and was not read; of the first chunk the bytes from `#at` on. */
  #chunks: Uint8Array[] = [];
  #at = 0;
  #bytes = 0;
  /** The length prefix as far as it was read, and the length when it is known. */
  #prefix = 0;
  #prefixBits = 0;
  #length: number | undefined;
  #failure: HeddleError | undefined;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /**
   * The next frame, or undefined when the far side has ended between two frames.
   * @throws HeddleError `message_too_large` for a frame over `maxBytes`, `protocol_error` for a prefix that is no
   *   length, `connection_lost` for an end in the middle of a frame; whatever the flow throws when it is cut.
   */
  async next(maxBytes: number): Promise<Uint8Array | undefined> {
    for (;;) {
      const frame = this.takeArrived(maxBytes);
      if (frame !== undefined) return frame;
      const { done, value } = await this.#source.next();
      if (done === true) {
        if (this.#length === undefined && this.#prefixBits === 0) return undefined;
        throw new HeddleError('connection_lost', 'the stream ended in the middle of a frame');
      }
      if (value.byteLength > 0) this.#chunks.push(value);
      this.#bytes += value.byteLength;
    }
  }

  /**
   * The next frame if it has arrived whole already, else undefined: many small ones come at once, and a promise for
   * each would cost more than reading it.
   * @throws HeddleError as `next`.
   */
  takeArrived(maxBytes: number): Uint8Array | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    this.#length ??= this.#readLength(maxBytes);
    if (this.#length === undefined || this.#bytes < this.#length) return undefined;
    const frame = this.#take(this.#length);
    this.#length = undefined;
    return frame;
  }

  /** The shortest form of a number is the only one, as multiformats' unsigned-varint says. */
  #readLength(maxBytes: number): number | undefined {
    while (this.#bytes > 0) {
      const byte = this.#takeByte();
      this.#prefix |= (byte & 0x7f) << this.#prefixBits;
      this.#prefixBits += 7;
      if (byte < 0x80) {
        const length = this.#prefix;
        if (byte === 0 && this.#prefixBits > 7) this.#fail('protocol_error', 'a length was sent that is not in its shortest form');
        if (length > maxBytes) this.#fail('message_too_large', `a frame of ${length} bytes was announced, ${maxBytes} are allowed`);
        this.#prefix = 0;
        this.#prefixBits = 0;
        return length;
      }
      if (this.#prefixBits === 7 * MAX_LENGTH_BYTES) this.#fail('protocol_error', 'the bytes are no length-prefixed frame');
    }
    return undefined;
  }

  #takeByte(): number {
    const first = this.#chunks[0] as Uint8Array;
    const byte = first[this.#at] as number;
    this.#at += 1;
    this.#bytes -= 1;
    if (this.#at === first.byteLength) {
      this.#chunks.shift();
      this.#at = 0;
    }
    return byte;
  }

  /** A view of the chunk where the bytes lie in one, else a copy. There must be that many. */
  #take(length: number): Uint8Array {
    const first = this.#chunks[0];
    if (first === undefined) return new Uint8Array(0);
    const end = this.#at + length;
    if (end < first.byteLength) {
      const view = first.subarray(this.#at, end);
      this.#at = end;
      this.#bytes -= length;
      return view;
    }
    const parts: Uint8Array[] = [];
    let used = 0;
    for (let missing = length; missing > 0; ) {
      const chunk = this.#chunks[used] as Uint8Array;
      const part = chunk.subarray(this.#at, this.#at + missing);
      parts.push(part);
      missing -= part.byteLength;
      this.#at += part.byteLength;
      if (this.#at < chunk.byteLength) break;
      this.#at = 0;
      used += 1;
    }
    this.#chunks.splice(0, used);
    this.#bytes -= length;
    return concatBytes(parts);
  }

  /** Nothing that follows can be read; the flow is told that nobody reads on. */
  #fail(code: 'message_too_large' | 'protocol_error', message: string): never {
    this.#failure = new HeddleError(code, message);
    this.#chunks = [];
    this.#bytes = 0;
    void this.#source.return?.().catch(() => undefined);
    throw this.#failure;
  }
}

/**
 * Reads one frame as JSON within a time.
 * @throws HeddleError `timeout`, `bad_request` (no JSON, or no frame at all), or as `FrameReader.next`.
 */
export async function readJsonFrame(
  reader: FrameReader,
  duplex: ByteDuplex,
  limits: { maxBytes: number; timeoutMs: number },
): Promise<unknown> {
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    duplex.abort(new HeddleError('timeout', `no whole request within ${limits.timeoutMs} ms`));
  }, limits.timeoutMs);
  try {
    const frame = await reader.next(limits.maxBytes);
    if (frame === undefined) throw new HeddleError('bad_request', 'the stream ended before a request came');
    return parseJson(frame);
  } catch (cause) {
    if (isLate) throw new HeddleError('timeout', `no whole request within ${limits.timeoutMs} ms`, { cause });
    throw cause;
  } finally {
    clearTimeout(timer);
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new HeddleError('bad_request', 'the request is not JSON', { cause });
  }
}

/** Writes a value as one JSON frame. */
export async function writeJsonFrame(duplex: ByteDuplex, value: unknown): Promise<void> {
  await duplex.write(encodeFrame(new TextEncoder().encode(JSON.stringify(value))));
}
