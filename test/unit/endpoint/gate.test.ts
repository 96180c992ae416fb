import { type DeviceRegistry, Gate, type Visitor } from '@heddle/endpoint';
import { HeddleError } from '@heddle/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { addressKey } from '../../../packages/endpoint/src/gate.ts';
import { RateLimiter } from '../../../packages/endpoint/src/rate-limiter.ts';

let nowMs: number;
let records: Map<string, { scope: 'watch' | 'drive'; isRevoked: boolean }>;
let enrolled: string[];
let saving: Promise<void>;
let gate: Gate;

const at = (peerId: string, address = '/ip4/203.0.113.7/tcp/1'): Visitor => ({ peerId, address });
const minutes = (n: number) => n * 60_000;
const codeOf = (act: () => unknown) => {
  try {
    act();
    return undefined;
  } catch (error) {
    return (error as HeddleError).code;
  }
};
const admitted = (visitor: Visitor, name?: string) =>
  gate.admit(visitor, name).then(
    () => 'in',
    (error: HeddleError) => error.code,
  );

beforeEach(() => {
  nowMs = 0;
  records = new Map();
  enrolled = [];
  saving = Promise.resolve();
  const devices: DeviceRegistry = {
    hasBeenPaired: () => records.size > 0,
    find: (peerId) => records.get(peerId),
    async enrol(peerId, name) {
      await saving;
      records.set(peerId, { scope: 'drive', isRevoked: false });
      enrolled.push(`${peerId} ${name}`);
    },
    seen: () => undefined,
  };
  gate = new Gate({ devices, nowMs: () => nowMs });
});

describe('the pairing window', () => {
  it('lets in as many new devices as it was opened for, then is closed', async () => {
    expect(await admitted(at('a'))).toBe('pairing_closed');
    gate.openWindow({ forMs: minutes(10), devices: 2 });
    expect(await admitted(at('a'), 'A')).toBe('in');
    expect(gate.window).toEqual({ untilMs: minutes(10), devices: 1 });
    expect(await admitted(at('a'))).toBe('in'); // a device takes no second place
    expect(gate.window?.devices).toBe(1);
    expect(await admitted(at('b'))).toBe('in');
    expect(gate.window).toBeUndefined();
    expect(await admitted(at('c'))).toBe('pairing_closed');
    expect(enrolled).toEqual(['a A', 'b undefined']);
  });

  it('closes when its time is over', async () => {
    gate.openWindow({ forMs: minutes(10), devices: 1 });
    nowMs = minutes(10) - 1;
    expect(gate.window).toBeDefined();
    nowMs = minutes(10);
    expect(gate.window).toBeUndefined();
    expect(await admitted(at('a'))).toBe('pairing_closed');
  });

  it('gives its last place to one of two who come at once', async () => {
    gate.openWindow({ forMs: minutes(10), devices: 1 });
    const { promise, resolve } = Promise.withResolvers<void>();
    saving = promise;
    const both = Promise.all([admitted(at('a')), admitted(at('b'))]);
    resolve();
    expect(await both).toEqual(['in', 'pairing_closed']);
  });

  it('takes a phone that opens several streams at once for one device', async () => {
    gate.openWindow({ forMs: minutes(10), devices: 1 });
    expect(await Promise.all([admitted(at('a')), admitted(at('a')), admitted(at('a'))])).toEqual(['in', 'in', 'in']);
    expect(enrolled).toEqual(['a undefined']);
  });

  it('keeps the place of a device that could not be saved', async () => {
    gate.openWindow({ forMs: minutes(10), devices: 1 });
    saving = Promise.reject(new HeddleError('state_unreadable', 'the disk is full'));
    saving.catch(() => undefined);
    expect(await admitted(at('a'))).toBe('state_unreadable');
    saving = Promise.resolve();
    expect(gate.window?.devices).toBe(1);
    expect(await admitted(at('a'))).toBe('in');
  });

  it('takes back a revoked device, which is told outside of it that it was revoked', async () => {
    records.set('a', { scope: 'watch', isRevoked: true });
    expect(await admitted(at('a'))).toBe('device_revoked');
    gate.openWindow({ forMs: minutes(10), devices: 1 });
    expect(await admitted(at('a'))).toBe('in');
    expect(gate.scopeOf('a')).toBe('drive');
  });
});

describe('connections', () => {
  it('of strangers are kept before the first device, and in a window; of devices always; of revoked ones to tell them', () => {
    expect(gate.mayConnect(at('stranger'))).toBe(true);
    records.set('device', { scope: 'drive', isRevoked: false }).set('revoked', { scope: 'drive', isRevoked: true });
    expect(['stranger', 'device', 'revoked'].map((peer) => gate.mayConnect(at(peer)))).toEqual([false, true, true]);
    gate.openWindow({ forMs: minutes(1), devices: 1 });
    expect(gate.mayConnect(at('stranger'))).toBe(true);
    nowMs = minutes(1);
    expect(gate.mayConnect(at('stranger'))).toBe(false);
  });
});

describe('what a peer may do', () => {
  it('is least for one that is no device any more', () => {
    records.set('device', { scope: 'drive', isRevoked: false }).set('watcher', { scope: 'watch', isRevoked: false });
    records.set('revoked', { scope: 'drive', isRevoked: true });
    expect(['device', 'watcher', 'revoked', 'stranger'].map((peer) => gate.scopeOf(peer))).toEqual(['drive', 'watch', 'watch', 'watch']);
  });
});

describe('failures', () => {
  const fail = (times: number, visitor: Visitor) => {
    for (let n = 0; n < times; n++) gate.failed(visitor);
  };
  const mayTry = (visitor: Visitor) => codeOf(() => gate.assertMayTry(visitor)) === undefined;

  it('of a peer: five are free, then pauses double; another peer at another address is not concerned', () => {
    fail(5, at('a'));
    expect(mayTry(at('a'))).toBe(true);
    for (const pauseMs of [1_000, 2_000, 4_000, 8_000]) {
      fail(1, at('a'));
      expect(codeOf(() => gate.assertMayTry(at('a')))).toBe('too_many_requests');
      expect(gate.mayConnect(at('a'))).toBe(false);
      nowMs += pauseMs - 1;
      expect(mayTry(at('a'))).toBe(false);
      nowMs += 1;
      expect(mayTry(at('a'))).toBe(true);
    }
    expect(mayTry(at('b', '/ip4/203.0.113.8/tcp/1'))).toBe(true);
  });

  it('of an address: many peers behind it are as one, but no device is kept out by them', () => {
    records.set('device', { scope: 'drive', isRevoked: false });
    for (let n = 0; n < 21; n++) gate.failed(at(`peer ${n}`));
    expect(mayTry(at('fresh peer'))).toBe(false);
    expect(mayTry(at('fresh peer', '/ip4/203.0.113.8/tcp/1'))).toBe(true);
    expect([mayTry(at('device')), gate.mayConnect(at('device'))]).toEqual([true, true]);
  });

  it("of a device are its own: they don't count against its address", () => {
    records.set('device', { scope: 'drive', isRevoked: false });
    fail(50, at('device'));
    expect([mayTry(at('device')), mayTry(at('stranger'))]).toEqual([false, true]);
  });

  it('are forgotten by a success, after an hour, and when a window is opened', async () => {
    records.set('device', { scope: 'drive', isRevoked: false });
    fail(5, at('device'));
    await gate.admit(at('device'));
    fail(5, at('device'));
    expect(mayTry(at('device'))).toBe(true);
    fail(30, at('stranger'));
    nowMs += minutes(60) - 1;
    fail(1, at('stranger'));
    nowMs += 1;
    expect(mayTry(at('stranger'))).toBe(false); // the hour counts from the last failure
    nowMs += minutes(60);
    fail(5, at('stranger'));
    expect(mayTry(at('stranger'))).toBe(true);
    fail(30, at('stranger'));
    gate.openWindow({ forMs: minutes(1), devices: 1 });
    expect(mayTry(at('stranger'))).toBe(true);
  });
});

describe('RateLimiter', () => {
  it('keeps a bounded number of keys, the newest, and no pause over 15 minutes', () => {
    const limiter = new RateLimiter({ freeFailures: 0, nowMs: () => nowMs, maxKeys: 100 });
    for (let n = 0; n < 1_000; n++) limiter.failed(`key ${n}`);
    expect(limiter.size).toBe(100);
    expect([limiter.pauseOf('key 0'), limiter.pauseOf('key 999')]).toEqual([0, 1_000]);
    for (let n = 0; n < 5_000; n++) limiter.failed('key 999');
    expect(limiter.pauseOf('key 999')).toBe(minutes(15));
  });
});

describe('addressKey', () => {
  it.each([
    ['/ip4/203.0.113.7/tcp/5000', '203.0.113.7'],
    ['/ip6/2001:db8:1:2:3:4:5:6/tcp/1', '2001:db8:1:2/64'],
    ['/ip6/2001:db8:1:2::9/tcp/1', '2001:db8:1:2/64'],
    ['/ip6/2001:DB8::1/tcp/1', '2001:db8:0:0/64'],
    ['/ip6/::1/tcp/1', '0:0:0:0/64'],
    ['/ip6/fe80::1%eth0/tcp/1', 'fe80:0:0:0/64'],
    ['/ip6/::ffff:203.0.113.7/tcp/1', '203.0.113.7'],
    ['/memory/5', '/memory/5'],
  ])('%s is %s', (address, key) => {
    expect(addressKey(address)).toBe(key);
  });
});
