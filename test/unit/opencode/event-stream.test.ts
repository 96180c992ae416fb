// Server-sent events from bytes, wherever the bytes are cut.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readEvents } from '../../../packages/bridges/src/opencode/server/event-stream.ts';

async function read(chunks: readonly Uint8Array[], options?: Parameters<typeof readEvents>[1]): Promise<unknown[]> {
  const source = (async function* () {
    for (const chunk of chunks) yield await Promise.resolve(chunk);
  })();
  const events: unknown[] = [];
  for await (const event of readEvents(source, options)) events.push(event);
  return events;
}

const bytes = (text: string) => new TextEncoder().encode(text);

describe('events from bytes', () => {
  it('come whole wherever the bytes are cut', async () => {
    const data = fc.record({ text: fc.string({ unit: 'grapheme' }), more: fc.array(fc.jsonValue(), { maxLength: 3 }) });
    const property = fc.asyncProperty(fc.array(data, { maxLength: 5 }), fc.array(fc.nat({ max: 40 })), async (events, cuts) => {
      const all = bytes(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));
      const chunks: Uint8Array[] = [];
      let at = 0;
      for (const cut of cuts) chunks.push(all.subarray(at, (at += cut)));
      chunks.push(all.subarray(at));
      expect(await read(chunks)).toEqual(events.map((event) => JSON.parse(JSON.stringify(event)) as unknown));
    });
    await fc.assert(property, { numRuns: 200 });
  });

  it('may have CRLF, comments, other fields, no space, and data on several lines', async () => {
    const text = ': hello\r\nevent: message\r\nid: 7\r\ndata:{"a":\r\ndata: 1}\r\n\r\nretry: 10\n\ndata: [2]\n\n';
    expect(await read([bytes(text)])).toEqual([{ a: 1 }, [2]]);
  });

  it('without an end are none', async () => {
    expect(await read([bytes('data: {"a":1}\n\ndata: {"b":2}\n')])).toEqual([{ a: 1 }]);
  });

  it('that are too long are refused before they are whole', async () => {
    await expect(read([bytes('data: "'), bytes('x'.repeat(100))], { maxEventBytes: 64 })).rejects.toThrow('more than 64 bytes');
    await expect(read([bytes(`data: 1\n`.repeat(60))], { maxEventBytes: 64 })).rejects.toThrow('more than 64 bytes');
  });

  it('are shown without what nobody may see', async () => {
    const redact = (text: string) => text.replaceAll('secret', '…');
    expect(await read([bytes('data: "a secret"\n\n')], { redact })).toEqual(['a …']);
  });
});
