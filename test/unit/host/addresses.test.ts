import type { NetworkInterfaceInfo } from 'node:os';
import { decodePairPayload, encodePairPayload } from '@heddle/wire';
import qrcode from 'qrcode-terminal';
import { describe, expect, it } from 'vitest';
import { createPairPayload, parseConfig, reachableAddresses } from '../../../packages/host/src/index.ts';

const info = (address: string): NetworkInterfaceInfo => {
  const isV6 = address.includes(':');
  const rest = { address, netmask: '', mac: '', internal: address === '127.0.0.1' || address === '::1', cidr: null };
  return isV6 ? { ...rest, family: 'IPv6', scopeid: 0 } : { ...rest, family: 'IPv4' };
};
const interfaces = {
  lo: [info('127.0.0.1'), info('::1')],
  docker0: [info('172.17.0.1'), info('2001:db8::d0c')],
  'br-0f3a': [info('172.18.0.1')],
  utun4: [info('10.8.0.2')],
  tailscale0: [info('100.101.102.103'), info('fd7a:115c:a1e0::1')],
  eth0: [info('203.0.113.9'), info('fe80::1'), info('2001:db8::9')],
  wlan0: [info('192.168.1.5'), info('169.254.3.4')],
  br0: [info('10.0.0.7')],
};

describe('reachableAddresses', () => {
  it('puts what a phone most likely reaches first', () => {
    const announce = ['/dns4/home.example.org/tcp/9'];
    expect(reachableAddresses({ listen: ['::', '0.0.0.0'], port: 7, announce }, interfaces)).toEqual([
      '/dns4/home.example.org/tcp/9',
      '/ip4/192.168.1.5/tcp/7',
      '/ip4/10.0.0.7/tcp/7',
      '/ip4/203.0.113.9/tcp/7',
      '/ip4/10.8.0.2/tcp/7',
      '/ip4/100.101.102.103/tcp/7',
      '/ip6/2001:db8::9/tcp/7',
      '/ip6/fd7a:115c:a1e0::1/tcp/7',
      '/ip6/2001:db8::d0c/tcp/7',
      '/ip4/172.17.0.1/tcp/7',
      '/ip4/172.18.0.1/tcp/7',
    ]);
  });

  it('names only what is listened on', () => {
    const at = { port: 7, announce: [] };
    expect(reachableAddresses({ ...at, listen: ['::'] }, interfaces).every((address) => address.startsWith('/ip6/'))).toBe(true);
    expect(reachableAddresses({ ...at, listen: ['192.168.1.5', '127.0.0.1'] }, interfaces)).toEqual(['/ip4/192.168.1.5/tcp/7']);
    expect(reachableAddresses({ ...at, listen: ['192.0.2.77'] }, interfaces)).toEqual(['/ip4/192.0.2.77/tcp/7']);
    expect(reachableAddresses({ ...at, listen: ['172.17.0.1', '10.0.0.7'] }, interfaces)).toEqual([
      '/ip4/10.0.0.7/tcp/7',
      '/ip4/172.17.0.1/tcp/7',
    ]);
  });

  it('falls back to loopback when there is nothing else', () => {
    const at = { port: 7, announce: [] };
    expect(reachableAddresses({ ...at, listen: ['127.0.0.1'] }, interfaces)).toEqual(['/ip4/127.0.0.1/tcp/7']);
    expect(reachableAddresses({ ...at, listen: ['0.0.0.0'] }, { lo: [info('127.0.0.1')] })).toEqual(['/ip4/127.0.0.1/tcp/7']);
    expect(reachableAddresses({ ...at, listen: ['0.0.0.0', '::'] }, {})).toEqual(['/ip4/127.0.0.1/tcp/7', '/ip6/::1/tcp/7']);
  });

  it('says nothing twice', () => {
    const announce = ['/ip4/192.168.1.5/tcp/7', '/ip4/192.168.1.5/tcp/7'];
    expect(reachableAddresses({ listen: ['192.168.1.5'], port: 7, announce }, interfaces)).toEqual(['/ip4/192.168.1.5/tcp/7']);
  });

  it('finds an address of this very computer', () => {
    expect(reachableAddresses({ listen: ['0.0.0.0'], port: 7, announce: [] })[0]).toMatch(/^\/ip4\/[\d.]+\/tcp\/7$/);
  });
});

describe('createPairPayload', () => {
  const config = (hostName: string) =>
    parseConfig(`token = "${'a1'.repeat(32)}"\n[endpoint]\nport = 1\nhost_name = "${hostName}"`, 'host.toml');
  const identity = { seed: new Uint8Array(32), peerId: '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN' };
  const longest = (n: number) => `/ip6/2001:db80:1111:2222:3333:4444:5555:${6000 + n}/tcp/65535`;

  it('holds what a phone needs, at most four addresses', () => {
    const addresses = Array.from({ length: 6 }, (_, n) => `/ip4/192.168.1.${n}/tcp/1`);
    const payload = createPairPayload({ config: config('loom'), identity, addresses });
    expect(payload).toEqual({ v: 1, peer_id: identity.peerId, token: 'a1'.repeat(32), host_name: 'loom', addrs: addresses.slice(0, 4) });
    expect(decodePairPayload(encodePairPayload(payload))).toEqual(payload);
  });

  it('shortens the name at a whole character', () => {
    const nameOf = (name: string) => createPairPayload({ config: config(name), identity, addresses: ['/ip4/1.2.3.4/tcp/1'] }).host_name;
    expect(nameOf('x'.repeat(50))).toBe('x'.repeat(40));
    expect(nameOf('👩‍👩‍👧'.repeat(5))).toBe('👩‍👩‍👧'.repeat(2));
  });

  it.each([
    ['the longest addresses', Array.from({ length: 5 }, (_, n) => longest(n)), 4],
    ['long names', Array.from({ length: 4 }, (_, n) => `/dns4/${'n'.repeat(100)}${n}/tcp/65535`), 2],
  ])('fits a terminal of 80 columns with %s', async (_, addresses, kept) => {
    const payload = createPairPayload({ config: config('x'.repeat(100)), identity, addresses });
    expect(payload.addrs).toEqual(addresses.slice(0, kept));
    const code = await new Promise<string>((resolve) => qrcode.generate(encodePairPayload(payload), { small: true }, resolve));
    expect(Math.max(...code.split('\n').map((line) => Array.from(line).length))).toBeLessThanOrEqual(80);
  });

  it('refuses to make a payload that leads nowhere', () => {
    expect(() => createPairPayload({ config: config('x'), identity, addresses: [] })).toThrow('no network address');
  });
});
