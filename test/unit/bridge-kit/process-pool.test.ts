import { type Poolable, ProcessPool } from '@heddle/bridge-kit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

/** A process that ends when the test says so. */
class FakeProcess implements Poolable {
  readonly name: string;
  readonly exited: Promise<void>;
  #settleExited = () => {};
  isStopping = false;

  constructor(name: string) {
    this.name = name;
    this.exited = new Promise((resolve) => (this.#settleExited = resolve));
  }
  async stop(): Promise<void> {
    this.isStopping = true;
    await this.exited;
  }
  die(): void {
    this.#settleExited();
  }
}

let started: FakeProcess[];
let pool: ProcessPool<FakeProcess>;
const start = (name: string) => async () => {
  const process = new FakeProcess(name);
  started.push(process);
  return process;
};
const acquire = (key: string) => pool.acquire(key, start(key));
const names = () => started.map(({ name }) => name);
/** Lets everything happen that waits for nothing but promises. */
const settle = () => vi.advanceTimersByTimeAsync(0);
const fill = async (count: number) => Promise.all(Array.from({ length: count }, (_, index) => acquire(`thread ${index}`)));

beforeEach(() => {
  vi.useFakeTimers();
  started = [];
  pool = new ProcessPool<FakeProcess>({ agent: 'claude' });
});
afterEach(() => vi.useRealTimers());

describe('ProcessPool', () => {
  it('starts one process for a thread, and has it at hand afterwards', async () => {
    const first = await acquire('a');
    first.release();
    const second = await acquire('a');
    expect(second.process).toBe(first.process);
    expect(pool.peek('a')).toBe(first.process);
    expect(pool.peek('b')).toBeUndefined();
    expect(names()).toEqual(['a']);
  });

  it('shares a start among those who ask at once, with a lease for each', async () => {
    const [one, other] = await Promise.all([acquire('a'), acquire('a')]);
    expect(names()).toEqual(['a']);
    one.release();
    one.release();
    await vi.advanceTimersByTimeAsync(20 * 60_000);
    expect(started[0]?.isStopping).toBe(false); // the other one still works with it
    other.release();
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    expect(started[0]?.isStopping).toBe(true);
  });

  it('ends a process that was idle for ten minutes, counted from its last use', async () => {
    (await acquire('a')).release();
    await vi.advanceTimersByTimeAsync(9 * 60_000);
    (await acquire('a')).release();
    await vi.advanceTimersByTimeAsync(10 * 60_000 - 1);
    expect(started[0]?.isStopping).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(started[0]?.isStopping).toBe(true);
    expect(pool.size).toBe(0);
  });

  it('refuses a seventeenth while all are busy', async () => {
    await fill(16);
    await expect(acquire('one more')).rejects.toMatchObject({
      code: 'too_many_requests',
      message: 'all 16 claude processes are busy',
      hint: expect.stringContaining('Wait'),
    });
    expect(pool.size).toBe(16);
    expect(started.some(({ isStopping }) => isStopping)).toBe(false);
  });

  it('ends the one that was idle for longest to make room, and waits until it has gone', async () => {
    const leases = await fill(16);
    for (const index of [5, 3, 9]) leases[index]?.release();
    (await acquire('thread 5')).release(); // used again: now 3 is the oldest
    const starting = acquire('one more');
    await settle();
    expect(started.filter(({ isStopping }) => isStopping).map(({ name }) => name)).toEqual(['thread 3']);
    expect(names()).not.toContain('one more');
    started.find(({ name }) => name === 'thread 3')?.die();
    expect((await starting).process.name).toBe('one more');
    expect(pool.size).toBe(16);
  });

  it('never has more than the limit, whoever comes at once', async () => {
    for (const lease of await fill(16)) lease.release();
    const many = Array.from({ length: 16 }, (_, index) => acquire(`next ${index}`));
    await expect(acquire('too many')).rejects.toMatchObject({ code: 'too_many_requests' });
    const old = [...started];
    let mostAtOnce = 0;
    for (const one of old) {
      await settle();
      one.die();
      mostAtOnce = Math.max(mostAtOnce, started.length - old.indexOf(one) - 1);
    }
    await Promise.all(many);
    expect(mostAtOnce).toBeLessThanOrEqual(16);
    expect(old.every(({ isStopping }) => isStopping)).toBe(true);
    expect(started).toHaveLength(32);
  });

  it('forgets a process that has died, and starts another', async () => {
    const lease = await acquire('a');
    lease.process.die();
    await settle();
    expect(pool.size).toBe(0);
    const next = await acquire('a');
    expect(next.process).not.toBe(lease.process);
    lease.release(); // of the dead one: nothing to do with the new one
    await vi.advanceTimersByTimeAsync(20 * 60_000);
    expect(next.process.isStopping).toBe(false);
  });

  it('tells all who wait when a start fails, and tries again for the next', async () => {
    const fail = () => Promise.reject(new Error('no such program'));
    const waiting = [pool.acquire('a', fail), pool.acquire('a', fail)];
    await expect(waiting[0]).rejects.toThrow('no such program');
    await expect(waiting[1]).rejects.toThrow('no such program');
    expect(pool.size).toBe(0);
    expect((await acquire('a')).process.name).toBe('a');
  });
});

describe('ending processes of a pool', () => {
  it('ends one by its key although it is leased; the next waits until it has gone', async () => {
    const { process } = await acquire('a');
    let isRemoved = false;
    const removing = pool.remove('a').then(() => (isRemoved = true));
    const next = acquire('a');
    await settle();
    expect([process.isStopping, isRemoved, started.length]).toEqual([true, false, 1]);
    process.die();
    await removing;
    expect((await next).process).toBe(started[1]);
    await pool.remove('unknown');
  });

  it('ends one that is starting: who waits for it is told', async () => {
    const { promise, resolve } = Promise.withResolvers<FakeProcess>();
    const waiting = pool.acquire('a', () => promise);
    const removing = pool.remove('a');
    const late = new FakeProcess('late');
    resolve(late);
    await settle();
    expect(late.isStopping).toBe(true);
    late.die();
    await expect(waiting).rejects.toMatchObject({ code: 'agent_exited' });
    await removing;
    expect(pool.size).toBe(0);
  });

  it('ends one that waits for its predecessor to go, without ever starting it', async () => {
    const first = await acquire('a');
    const removing = pool.remove('a');
    const second = acquire('a');
    const removingAgain = pool.remove('a');
    first.process.die();
    await expect(second).rejects.toMatchObject({ code: 'agent_exited' });
    await Promise.all([removing, removingAgain]);
    expect(started).toHaveLength(1);
    expect((await acquire('a')).process).toBe(started[1]);
  });

  it('ends all, and goes on; closed it refuses', async () => {
    await fill(3);
    const stopping = pool.stopAll();
    for (const process of started) process.die();
    await stopping;
    expect(started.every(({ isStopping }) => isStopping)).toBe(true);
    const { process } = await acquire('a');
    const closing = pool.close();
    process.die();
    await closing;
    await expect(acquire('b')).rejects.toMatchObject({ code: 'agent_unavailable' });
    expect(vi.getTimerCount()).toBe(0);
  });
});
