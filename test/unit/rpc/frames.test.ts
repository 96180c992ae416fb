import { encodeFrame, FrameReader, readJsonFrame, writeJsonFrame } from '@heddle/rpc';
import { describe, expect, it } from 'vitest';
import { byteDuplexPair } from '../../support/byte-duplex-pair.ts';
import { bytes, text } from '../../support/collect.ts';

async function* source(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

describe('frames', () => {
  it('are a varint length and the bytes (pinned)', () => {
    expect([...encodeFrame(bytes('hi'))]).toEqual([2, 0x68, 0x69]);
    expect([...encodeFrame(new Uint8Array(300)).subarray(0, 3)]).toEqual([0xac, 0x02, 0]);
    expect([...encodeFrame(Uint8Array.of(0), bytes('x'))]).toEqual([2, 0, 0x78]);
  });

  it('survive every chunk boundary', async () => {
    const whole = Buffer.concat([encodeFrame(bytes('erste Größe')), encodeFrame(new Uint8Array(200)), encodeFrame(bytes('z'))]);
    for (let cut = 1; cut < whole.length; cut++) {
      const reader = new FrameReader(source(whole.subarray(0, cut), whole.subarray(cut)));
      expect(text(await reader.next(1000))).toBe('erste Größe');
      expect((await reader.next(1000))?.byteLength).toBe(200);
      expect(text(await reader.next(1000))).toBe('z');
      expect(await reader.next(1000)).toBeUndefined();
    }
  });

  it('are refused by their announced length, before the bytes come', async () => {
    const reader = new FrameReader(source(encodeFrame(new Uint8Array(101)).subarray(0, 1)));
    await expect(reader.next(100)).rejects.toMatchObject({
      code: 'message_too_large',
      message: 'a frame of 101 bytes was announced, 100 are allowed',
    });
  });

  it('have a cap of their own each', async () => {
    const reader = new FrameReader(source(encodeFrame(new Uint8Array(10)), encodeFrame(new Uint8Array(100))));
    await reader.next(10);
    await expect(reader.next(50)).rejects.toMatchObject({ code: 'message_too_large' });
  });

  it('refuse a length prefix without end', async () => {
    let sent = 0;
    const endless = (async function* () {
      for (;;) {
        sent += 1;
        yield Uint8Array.of(0xff);
      }
    })();
    await expect(new FrameReader(endless).next(8192)).rejects.toMatchObject({ code: 'protocol_error' });
    expect(sent).toBeLessThan(20);
  });

  it('say when the flow ended inside a frame', async () => {
    const reader = new FrameReader(source(encodeFrame(new Uint8Array(50)).subarray(0, 20)));
    await expect(reader.next(100)).rejects.toMatchObject({ code: 'connection_lost', message: 'the stream ended in the middle of a frame' });
  });
});

describe('readJsonFrame', () => {
  const limits = { maxBytes: 1000, timeoutMs: 60 };

  it('reads what writeJsonFrame wrote', async () => {
    const [left, right] = byteDuplexPair({ chunkBytes: 3 });
    await writeJsonFrame(left, { hello: 'wörld' });
    expect(await readJsonFrame(new FrameReader(right.source), right, limits)).toEqual({ hello: 'wörld' });
  });

  it('cuts a far side that sends half a frame and then nothing', async () => {
    const [left, right] = byteDuplexPair();
    await left.write(encodeFrame(bytes('{"a":1}')).subarray(0, 4));
    await expect(readJsonFrame(new FrameReader(right.source), right, limits)).rejects.toMatchObject({ code: 'timeout' });
    await left.closed;
  });

  it('refuses what is not JSON, and an end before anything came', async () => {
    const [left, right] = byteDuplexPair();
    await left.write(encodeFrame(Uint8Array.of(0xff, 0xfe)));
    await left.closeWrite();
    const reader = new FrameReader(right.source);
    await expect(readJsonFrame(reader, right, limits)).rejects.toMatchObject({ code: 'bad_request', message: 'the request is not JSON' });
    await expect(readJsonFrame(reader, right, limits)).rejects.toMatchObject({ code: 'bad_request' });
  });
});
