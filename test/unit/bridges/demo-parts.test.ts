import { describe, expect, test } from 'vitest';
import { boundedChannelPair } from '../../../packages/bridge-kit/src/server/bounded-channel-pair.ts';
import { pageOf } from '../../../packages/bridge-kit/src/server/page.ts';
import { uuidV7Maker } from '../../../packages/bridge-kit/src/threads/uuid-v7.ts';
import { MAX_STEPS, readScript } from '../../../packages/bridges/src/demo/script.ts';

describe('the script', () => {
  const steps = (message: string) => {
    const script = readScript(message);
    return script.kind === 'tour' ? 'tour' : script.steps;
  };

  test('one word, several in a line, one a line', () => {
    expect(steps('text')).toEqual([{ kind: 'text' }]);
    expect(steps(' Plan, command  FILE ')).toEqual([{ kind: 'plan' }, { kind: 'command' }, { kind: 'file' }]);
    expect(steps('reason\nslow 40\nfail')).toEqual([{ kind: 'reason' }, { kind: 'slow', words: 40 }, { kind: 'fail' }]);
    expect(steps('slow')).toEqual([{ kind: 'slow', words: 20 }]);
    expect(steps('slow 99999999')).toEqual([{ kind: 'slow', words: 1000 }]);
  });

  test('what is behind a colon is taken as it is', () => {
    expect(steps('command: echo "a: b"; ls | wc -l')).toEqual([{ kind: 'command', command: 'echo "a: b"; ls | wc -l' }]);
    expect(steps('text: plan, command')).toEqual([{ kind: 'text', text: 'plan, command' }]);
  });

  test('prose is for the tour, and is passed over between steps', () => {
    for (const prose of ['', 'hello', 'plan a trip to Rome', 'run the command', 'command:', 'textile', 'slowly', 'file.txt'])
      expect(steps(prose)).toBe('tour');
    expect(steps('please do this\ntext\nthank you')).toEqual([{ kind: 'text' }]);
  });

  test('has an end', () => {
    expect(steps('text\n'.repeat(100))).toHaveLength(MAX_STEPS);
  });
});

describe('pages', () => {
  const entries = [3, 1, 2, 2].map((rank, index) => ({ value: `${rank}${'abcd'[index]}`, rank, id: 'abcd'[index] as string }));

  test('walk through equals without losing or repeating one', () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = pageOf(entries, { cursor, limit: 1, direction: 'asc' });
      seen.push(...page.data);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual(['1b', '2c', '2d', '3a']);
  });

  test('a cursor stays right when its entry is gone', () => {
    const page = pageOf(entries, { cursor: undefined, limit: 2, direction: 'desc' });
    expect(page.data).toEqual(['3a', '2d']);
    const without = entries.filter((entry) => entry.id !== 'd');
    expect(pageOf(without, { cursor: page.nextCursor ?? '', limit: 9, direction: 'desc' }).data).toEqual(['2c', '1b']);
  });

  test('an empty list has no cursors', () => {
    expect(pageOf([], { cursor: undefined, limit: undefined, direction: 'asc' })).toEqual({
      data: [],
      nextCursor: null,
      backwardsCursor: null,
    });
  });
});

describe('ids', () => {
  test('are UUIDs of version 7 that carry the time', () => {
    const make = uuidV7Maker(() => 0x0123456789ab);
    expect(make()).toMatch(/^01234567-89ab-7000-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(make()).toMatch(/^01234567-89ab-7001-/);
  });

  test('sort as they were made, many in a millisecond, and when the clock goes back', () => {
    let clockMs = 1_000_000;
    const make = uuidV7Maker(() => clockMs);
    const ids = Array.from({ length: 10_000 }, () => make());
    clockMs -= 500;
    ids.push(make());
    clockMs += 1_000;
    ids.push(make());
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('a bounded pair of channels', () => {
  const message = (bytes: number) => new Uint8Array(bytes);
  const limits = { holdBytes: 100, maxQueuedBytes: 100, maxQueuedMessages: 100 };

  test('counts what waits, not what was sent', async () => {
    const { near, far } = boundedChannelPair({ ...limits, maxQueuedBytes: 10 });
    const reading = far.incoming[Symbol.asyncIterator]();
    for (let round = 0; round < 5; round += 1) {
      await near.send(message(8));
      await reading.next();
    }
    await near.send(message(8));
    await near.send(message(8));
    await expect(near.send(message(8))).rejects.toMatchObject({ code: 'connection_lost' });
    expect(await far.closed).toMatchObject({ code: 'connection_lost' });
  });

  test('a single message may be of any size', async () => {
    const { near, far } = boundedChannelPair({ ...limits, maxQueuedBytes: 10 });
    await near.send(message(1000));
    await near.send(message(10));
    const sizes: number[] = [];
    for await (const one of far.incoming) {
      sizes.push(one.byteLength);
      if (sizes.length === 2) break;
    }
    expect(sizes).toEqual([1000, 10]);
  });

  test('counts messages too, and delivers what was queued before the end', async () => {
    const { near, far } = boundedChannelPair({ ...limits, maxQueuedMessages: 2 });
    for (let round = 0; round < 2; round += 1) await near.send(message(1));
    await expect(near.send(message(1))).rejects.toMatchObject({ code: 'connection_lost' });
    const taken: Uint8Array[] = [];
    for await (const one of far.incoming) taken.push(one);
    expect(taken).toHaveLength(2);
  });

  test('holds back requests until the answers were read, and lets go when the channel ends', async () => {
    const { near, far } = boundedChannelPair({ ...limits, holdBytes: 10 });
    const requests = near.incoming[Symbol.asyncIterator]();
    await far.send(message(1));
    await far.send(message(2));
    expect((await requests.next()).value?.byteLength).toBe(1);
    await near.send(message(11));
    let isTaken = false;
    const second = requests.next().then((result) => {
      isTaken = true;
      return result;
    });
    await far.send(message(3)); // everything that could happen without reading has happened by now
    expect(isTaken).toBe(false);
    await far.incoming[Symbol.asyncIterator]().next();
    expect((await second).value?.byteLength).toBe(2);
    await near.send(message(11));
    const third = requests.next();
    far.close();
    expect((await third).value?.byteLength).toBe(3);
    expect((await requests.next()).done).toBe(true);
  });
});
