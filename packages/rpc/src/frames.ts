// Owns length-prefixed frames over a byte flow: an unsigned varint, then that many bytes.
// The cap is checked when the length is known, before the bytes are waited for, and can change between frames
// (a handshake may be 8 KiB, what follows more).

import { decode, encode } from 'it-length-prefixed';
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
  readonly #frames: AsyncGenerator<{ subarray(): Uint8Array }>;
  #maxBytes = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#frames = decode(source, {
      maxDataLength: Number.MAX_SAFE_INTEGER, // the real cap is `#maxBytes`, set by each `next`
      maxLengthLength: MAX_LENGTH_BYTES,
      onLength: (length) => {
        if (length <= this.#maxBytes) return;
        throw new HeddleError('message_too_large', `a frame of ${length} bytes was announced, ${this.#maxBytes} are allowed`);
      },
    });
  }

  /**
   * The next frame, or undefined when the far side has ended between two frames.
   * @throws HeddleError `message_too_large` for a frame over `maxBytes`, `protocol_error` for a prefix that is no
   *   length or an end in the middle of a frame; whatever the flow throws when it is cut.
   */
  async next(maxBytes: number): Promise<Uint8Array | undefined> {
    this.#maxBytes = maxBytes;
    try {
      const { done, value } = await this.#frames.next();
      return done === true ? undefined : value.subarray();
    } catch (cause) {
      throw explain(cause);
    }
  }
}

function explain(cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause;
  if (cause.name === 'UnexpectedEOFError') return new HeddleError('protocol_error', 'the stream ended in the middle of a frame', { cause });
  if (cause.name.startsWith('Invalid')) return new HeddleError('protocol_error', 'the bytes are no length-prefixed frame', { cause });
  return cause;
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
