import { BoundedQueue } from '@heddle/rpc';
import { describe, expect, it } from 'vitest';
import { collect, pull } from '../../support/collect.ts';

describe('BoundedQueue', () => {
  it('gives items in order and ends after the last', async () => {
    const queue = new BoundedQueue<number>({ highWater: 10 });
    for (let n = 0; n < 3; n++) queue.push(n);
    queue.end();
    expect(await collect(queue)).toEqual([0, 1, 2]);
  });

  it('tells the producer when to stop, and once when to go on', async () => {
    let released = 0;
    const queue = new BoundedQueue<string>({ highWater: 10, onRoom: () => (released += 1) });
    expect(queue.push('a', 6)).toBe(true);
    expect(queue.push('b', 6)).toBe(false);
    let hasRoom = false;
    void queue.room().then(() => (hasRoom = true));
    await Promise.resolve();
    expect(hasRoom).toBe(false);
    const next = pull(queue);
    expect(await next()).toBe('a');
    expect(released).toBe(1);
    await queue.room();
    expect(queue.push('c', 1)).toBe(true);
  });

  it('lets go of producers when the consumer leaves', async () => {
    const queue = new BoundedQueue<number>({ highWater: 1 });
    queue.push(1);
    queue.push(2);
    const waiting = queue.room();
    for await (const _ of queue) break;
    await waiting;
    expect(queue.isEnded).toBe(true);
  });

  it('keeps its order over many more items than it moves at once', async () => {
    const queue = new BoundedQueue<number>({ highWater: 1e9 });
    const next = pull(queue);
    const seen: number[] = [];
    for (let n = 0; n < 5_000; n++) {
      queue.push(n);
      if (n % 3 === 0) seen.push((await next()) as number);
    }
    queue.end();
    for (let n = await next(); n !== undefined; n = await next()) seen.push(n);
    expect(seen).toEqual(Array.from({ length: 5_000 }, (_, n) => n));
  });
});
