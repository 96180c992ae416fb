// Owns JSON lines over a byte flow: one message a line, `\n`, UTF-8. It splits bytes, never characters.

import { asError, HeddleError } from '@heddle/wire';
import { BoundedQueue } from './bounded-queue.ts';
import type { ByteDuplex } from './byte-duplex.ts';
import { type Channel, closedNormally, type CloseReason, connectionLost } from './channel.ts';
import { concatBytes } from './frames.ts';

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const QUEUED_BYTES = 256 * 1024;

/**
 * Splits a byte flow into lines; blank lines are left out, and so is a last line without its end.
 * @throws HeddleError `message_too_large` as soon as a line is longer than `maxLineBytes`.
 */
export async function* splitLines(source: AsyncIterable<Uint8Array>, maxLineBytes: number): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      parts.push(chunk.subarray(start, end));
      bytes += end - start;
      assertLineLength(bytes, maxLineBytes);
      const line = trimEnd(concatBytes(parts));
      if (line.byteLength > 0) yield line;
      parts = [];
      bytes = 0;
      start = end + 1;
    }
    if (start < chunk.byteLength) {
      parts.push(chunk.subarray(start));
      bytes += chunk.byteLength - start;
      assertLineLength(bytes, maxLineBytes);
    }
  }
}

function assertLineLength(bytes: number, maxLineBytes: number): void {
  if (bytes > maxLineBytes) throw new HeddleError('message_too_large', `a line of more than ${maxLineBytes} bytes was sent`);
}

function trimEnd(line: Uint8Array): Uint8Array {
  return line[line.byteLength - 1] === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
}

/**
 * One message as a line. A message may hold line breaks between its tokens (pretty-printed JSON); inside a JSON
 * string they are always escaped, so turning them into spaces changes nothing.
 */
export function encodeLine(message: Uint8Array): Uint8Array {
  const line = new Uint8Array(message.byteLength + 1);
  line.set(message);
  for (let at = line.indexOf(NEWLINE); at >= 0; at = line.indexOf(NEWLINE, at)) line[at] = 0x20;
  line[message.byteLength] = NEWLINE;
  return line;
}

/** A channel of JSON lines. The end of the far side's lines ends it with `endReason`. */
export function jsonlChannel(duplex: ByteDuplex, options: { maxLineBytes: number; endReason?: CloseReason }): Channel {
  const incoming = new BoundedQueue<Uint8Array>({ highWater: QUEUED_BYTES });
  const { promise: closed, resolve } = Promise.withResolvers<CloseReason>();
  let why: CloseReason | undefined;
  let lastWrite = Promise.resolve();
  const close = (reason: CloseReason = closedNormally) => {
    if (why !== undefined) return;
    why = reason;
    incoming.end();
    resolve(reason);
    void lastWrite.then(() => duplex.closeWrite()).catch((error: unknown) => duplex.abort(asError(error)));
  };
  const read = async () => {
    for await (const line of splitLines(duplex.source, options.maxLineBytes)) {
      incoming.push(line, line.byteLength);
      await incoming.room();
    }
    close(options.endReason);
  };
  read().catch((error: unknown) => {
    close(
      error instanceof HeddleError && error.code === 'message_too_large' ? { code: error.code, message: error.message } : connectionLost,
    );
  });
  void duplex.closed.then(() => incoming.lift());
  return {
    incoming,
    closed,
    close,
    async send(message) {
      if (why !== undefined) throw new HeddleError(why.code, why.message, { hint: why.hint });
      lastWrite = duplex.write(encodeLine(message));
      await lastWrite;
    },
  };
}
