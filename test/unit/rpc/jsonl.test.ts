import { encodeLine, jsonlChannel, splitLines } from '@heddle/rpc';
import { describe, expect, it } from 'vitest';
import { byteDuplexPair } from '../../support/byte-duplex-pair.ts';
import { bytes, collect, pull, text } from '../../support/collect.ts';

async function* inChunks(whole: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < whole.byteLength; at += size) yield whole.subarray(at, at + size);
}

describe('splitLines', () => {
  it('splits at \\n only, at every chunk boundary, and never inside a character', async () => {
    const lines = ['{"a":"ö"}', '{"b":"line\u2028separator"}', '{"c":"😀"}'];
    const whole = bytes(`${lines[0]}\n\n${lines[1]}\r\n${lines[2]}\n`);
    for (let size = 1; size <= whole.byteLength; size++) {
      expect((await collect(splitLines(inChunks(whole, size), 1000))).map(text)).toEqual(lines);
    }
  });

  it('leaves out a last line without its end: it may have been cut', async () => {
    expect((await collect(splitLines(inChunks(bytes('{"a":1}\n{"b":'), 5), 100))).map(text)).toEqual(['{"a":1}']);
  });

  it('refuses a long line before its end comes', async () => {
    const endless = (async function* () {
      for (;;) yield new Uint8Array(100).fill(0x61);
    })();
    await expect(collect(splitLines(endless, 1_000))).rejects.toMatchObject({ code: 'message_too_large' });
  });
});

describe('jsonlChannel', () => {
  it('keeps a pretty-printed message on one line, with the same meaning', () => {
    const message = { text: 'two\nlines', list: [1, 2] };
    const line = text(encodeLine(bytes(JSON.stringify(message, null, 2))));
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(JSON.parse(line)).toEqual(message);
  });

  it('carries messages and ends with the reason it was given', async () => {
    const [left, right] = byteDuplexPair({ chunkBytes: 3 });
    const a = jsonlChannel(left, { maxLineBytes: 100 });
    const b = jsonlChannel(right, { maxLineBytes: 100, endReason: { code: 'agent_exited', message: 'gone' } });
    await a.send(bytes('{"x":1}'));
    expect(text(await pull(b.incoming)())).toBe('{"x":1}');
    a.close();
    expect(await b.closed).toEqual({ code: 'agent_exited', message: 'gone' });
    await expect(b.send(bytes('{}'))).rejects.toMatchObject({ code: 'agent_exited' });
  });
});
