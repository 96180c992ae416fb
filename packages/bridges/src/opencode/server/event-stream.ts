// Owns the reading of server-sent events from bytes: lines, the data of each event, its JSON. Everything else of the
// format (names, ids, retry times, comments) says nothing here. Source: the HTML standard, 9.2.6.

import { concatBytes } from '@heddle/rpc';

/** A part of a message may hold a whole file, or an image. */
const MAX_EVENT_BYTES = 64 * 1024 * 1024;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const DATA = Buffer.from('data:');
const NEWLINE = Uint8Array.of(LF);

export interface EventStreamOptions {
  maxEventBytes?: number;
  /** Takes out of an event's text what nobody may see. */
  redact?: (text: string) => string;
}

/**
 * The JSON of each event. An event without its end is none.
 * @throws Error when an event is too long, or the stream breaks; SyntaxError when one is no JSON
 */
export async function* readEvents(source: AsyncIterable<Uint8Array>, options: EventStreamOptions = {}): AsyncGenerator {
  const { maxEventBytes = MAX_EVENT_BYTES, redact = (text) => text } = options;
  let data: Uint8Array[] = [];
  for await (const line of linesOf(source, maxEventBytes)) {
    if (line.byteLength > 0) {
      const part = dataOf(line);
      if (part !== undefined) data.push(...(data.length > 0 ? [NEWLINE] : []), part);
      const bytes = data.reduce((sum, { byteLength }) => sum + byteLength, 0);
      if (bytes > maxEventBytes) throw new Error(`an event of more than ${maxEventBytes} bytes was sent`);
      continue;
    }
    const text = Buffer.from(concatBytes(data)).toString('utf8');
    data = [];
    if (text !== '') yield JSON.parse(redact(text));
  }
}

/** Whole lines, empty ones too, without their ends. */
async function* linesOf(source: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      parts.push(chunk.subarray(start, end));
      const line = concatBytes(parts);
      yield line.at(-1) === CR ? line.subarray(0, -1) : line;
      parts = [];
      bytes = 0;
      start = end + 1;
    }
    if (start === chunk.byteLength) continue;
    parts.push(chunk.subarray(start));
    bytes += chunk.byteLength - start;
    if (bytes > maxBytes) throw new Error(`a line of more than ${maxBytes} bytes was sent`);
  }
}

function dataOf(line: Uint8Array): Uint8Array | undefined {
  if (!DATA.equals(line.subarray(0, DATA.byteLength))) return undefined;
  return line.subarray(line[DATA.byteLength] === SPACE ? DATA.byteLength + 1 : DATA.byteLength);
}
