import type { MultiaddrConnection } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { expect, it } from 'vitest';
import { PendingConnections } from '../../../packages/endpoint/src/pending-connections.ts';

/** Enters connections from these addresses one after the other; returns the indices of those that gave way, in order. */
function evicted(addresses: readonly string[], limits = { maxPending: 5, maxPendingPerAddress: 3 }): number[] {
  const pending = new PendingConnections(limits);
  const gone: number[] = [];
  for (const [index, address] of addresses.entries()) {
    const connection: Pick<MultiaddrConnection, 'remoteAddr' | 'abort'> = {
      remoteAddr: multiaddr(`${address}/tcp/1000`),
      abort: () => gone.push(index),
    };
    pending.enter(connection as MultiaddrConnection);
  }
  return gone;
}

const a = '/ip4/192.0.2.1';
const b = '/ip4/192.0.2.2';
const c = '/ip4/192.0.2.3';

it('lets the oldest of an address that is full give way', () => {
  expect(evicted([a, b, a, a, a, a])).toEqual([0, 2]);
});

it('lets the address with most connections give way when all places are taken', () => {
  expect(evicted([b, a, a, a, c, '/ip4/192.0.2.4', '/ip4/192.0.2.5'])).toEqual([1, 2]);
});

it('gives a place back once', () => {
  const pending = new PendingConnections({ maxPending: 1, maxPendingPerAddress: 1 });
  let aborts = 0;
  const connection: Pick<MultiaddrConnection, 'remoteAddr' | 'abort'> = { remoteAddr: multiaddr(`${a}/tcp/1`), abort: () => aborts++ };
  for (let n = 0; n < 3; n++) {
    const leave = pending.enter({ ...connection } as MultiaddrConnection);
    leave();
    leave();
  }
  expect(aborts).toBe(0);
});

it.each([
  ['of one IPv6 subscriber', ['/ip6/2001:db8::1', '/ip6/2001:db8:0:0:ffff::2', '/ip6/2001:db8::3:0:0:4', '/ip6/2001:db8::5'], [0]],
  ['of different IPv6 subscribers', ['/ip6/2001:db8:0:1::1', '/ip6/2001:db8:0:2::1', '/ip6/2001:db8:0:3::1', '/ip6/2001:db8:0:4::1'], []],
  ['of IPv4 on a socket for both', [1, 2, 3, 4].map((n) => `/ip6/::ffff:192.0.2.${n}`), []],
  ['of one link', [1, 2, 3, 4].map((n) => `/ip6zone/eth0/ip6/fe80::${n}`), [0]],
  ['of loopback', ['/ip6/::1', '/ip6/::1', '/ip6/::1', '/ip6/::1'], [0]],
])('counts addresses %s', (_, addresses, expected) => {
  expect(evicted(addresses)).toEqual(expected);
});
