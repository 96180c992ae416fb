// Properties of the two ways to cut bytes into messages: length-prefixed frames and JSON lines.

import assert from 'node:assert/strict';
import { encodeFrame, encodeLine, FrameReader, splitLines } from '@heddle/rpc';
import { HeddleError } from '@heddle/wire';
import * as fc from 'fast-check';
import { encodeFrames } from '../../packages/rpc/src/link-frames.ts';
import { chunkSizes, inChunks, joined } from './chunks.ts';
import { within } from './within.ts';

interface Decoded {
  frames: number[][];
  end: 'end' | 'connection_lost' | 'message_too_large' | 'protocol_error';
}

/** What the bytes mean, decoded in the plainest way: the whole at once. */
function decodeAll(bytes: Uint8Array, caps: readonly number[]): Decoded {
  const frames: number[][] = [];
  for (let at = 0; ; ) {
    if (at === bytes.byteLength) return { frames, end: 'end' };
    const start = at;
    let length = 0;
    for (;;) {
      if (at === bytes.byteLength) return { frames, end: 'connection_lost' };
      const byte = bytes[at++] as number;
      length += (byte % 128) * 128 ** (at - start - 1);
      if (byte < 128) {
        if (byte === 0 && at - start > 1) return { frames, end: 'protocol_error' };
        break;
      }
      if (at - start === 4) return { frames, end: 'protocol_error' };
    }
    if (length > (caps[frames.length % caps.length] ?? 0)) return { frames, end: 'message_too_large' };
    if (at + length > bytes.byteLength) return { frames, end: 'connection_lost' };
    frames.push([...bytes.subarray(at, at + length)]);
    at += length;
  }
}

const body = fc.uint8Array({ maxLength: 400 });
/** Junk alone would seldom get past the first prefix. */
const framesAndJunk = fc
  .array(
    fc.oneof({ weight: 3, arbitrary: body.map((bytes) => encodeFrame(bytes)) }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }) }),
    {
      maxLength: 12,
    },
  )
  .map(joined);

/** Whatever comes, in whatever chunks: the frames a plain decoder finds, its end, and no more read ahead than a chunk. */
export const frameReaderDecodes = () =>
  fc.asyncProperty(
    framesAndJunk,
    chunkSizes,
    fc.array(fc.nat({ max: 500 }), { minLength: 1, maxLength: 3 }),
    async (bytes, sizes, caps) => {
      let pulled = 0;
      let returned = 0;
      const source = inChunks(bytes, sizes, () => {
        assert.ok(pulled - returned <= Math.max(...caps) + 4, `${pulled - returned} bytes were held while more were asked for`);
        pulled = Math.min(bytes.byteLength, pulled + (sizes[chunk++ % sizes.length] ?? 1));
      });
      let chunk = 0;
      const reader = new FrameReader(source);
      const decoded: Decoded = { frames: [], end: 'end' };
      try {
        for (;;) {
          const cap = caps[decoded.frames.length % caps.length] ?? 0;
          const frame = await within('FrameReader.next', reader.next(cap));
          if (frame === undefined) break;
          returned += encodeFrame(frame).byteLength;
          decoded.frames.push([...frame]);
        }
      } catch (error) {
        assert.ok(error instanceof HeddleError, String(error));
        decoded.end = error.code as Decoded['end'];
        await assert.rejects(reader.next(1e6), { code: error.code }); // nothing is read after that
      }
      assert.deepEqual(decoded, decodeAll(bytes, caps));
    },
  );

/** What is written is what is read, with its kind before it. */
export const framesRoundTrip = () =>
  fc.asyncProperty(fc.array(fc.record({ kind: fc.nat({ max: 255 }), body }), { maxLength: 40 }), chunkSizes, async (frames, sizes) => {
    const reader = new FrameReader(inChunks(encodeFrames(frames), sizes));
    for (const frame of frames) {
      const read = await within('FrameReader.next', reader.next(401));
      assert.deepEqual([...(read ?? [])], [frame.kind, ...frame.body]);
    }
    assert.equal(await reader.next(401), undefined);
  });

/** Any bytes: lines as a plain split finds them, or the cap. */
export const linesSplit = () =>
  fc.asyncProperty(
    fc.array(fc.oneof(fc.uint8Array({ maxLength: 30 }), fc.constantFrom(Uint8Array.of(10), Uint8Array.of(13, 10), Uint8Array.of(13))), {
      maxLength: 30,
    }),
    chunkSizes,
    fc.integer({ min: 1, max: 60 }),
    async (parts, sizes, cap) => {
      const bytes = joined(parts);
      const lines: string[] = [];
      let isTooLong = false;
      try {
        for await (const line of splitLines(inChunks(bytes, sizes), cap)) lines.push(Buffer.from(line).toString('latin1'));
      } catch (error) {
        assert.ok(error instanceof HeddleError && error.code === 'message_too_large', String(error));
        isTooLong = true;
      }
      const all = Buffer.from(bytes).toString('latin1').split('\n');
      const tooLong = all.findIndex((line) => line.length > cap);
      const whole = tooLong < 0 ? all.slice(0, -1) : all.slice(0, tooLong);
      assert.equal(isTooLong, tooLong >= 0);
      assert.deepEqual(
        lines,
        whole.map((line) => line.replace(/\r$/, '')).filter((line) => line !== ''),
      );
    },
  );

/** A JSON message, pretty-printed or not, arrives as one line with the same meaning. */
export const jsonLinesRoundTrip = () =>
  fc.asyncProperty(fc.array(fc.tuple(fc.jsonValue(), fc.constantFrom(0, 2)), { maxLength: 20 }), chunkSizes, async (values, sizes) => {
    const lines = values.map(([value, indent]) => encodeLine(Buffer.from(JSON.stringify(value, null, indent))));
    const read: unknown[] = [];
    for await (const line of splitLines(inChunks(joined(lines), sizes), 1e6)) read.push(JSON.parse(Buffer.from(line).toString()));
    assert.deepEqual(
      read,
      values.map(([value]) => JSON.parse(JSON.stringify(value)) as unknown),
    );
  });
