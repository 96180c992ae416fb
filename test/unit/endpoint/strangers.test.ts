// Those who connect to the port and never do the key exchange: they cost next to nothing and keep nobody out.

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { dialHost } from '@heddle/client/node';
import { createLibp2p } from 'libp2p';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EchoEndpoint, startEchoEndpoint } from '../../support/echo-endpoint.ts';

const GREETING = '\x13/multistream/1.0.0\n';
/** Long before a time-out would have done it. */
const AT_ONCE_MS = 1_000;

let echo: EchoEndpoint;
let port: number;
const toEnd: (() => unknown)[] = [];
beforeEach(async () => {
  echo = await startEchoEndpoint();
  port = Number(echo.payload.addrs[0]?.split('/').at(-1));
  toEnd.push(() => echo.endpoint.stop({ code: 'shutting_down', message: 'over' }));
});
afterEach(async () => {
  for (const end of toEnd.splice(0).toReversed()) await end();
});

interface Stranger {
  socket: Socket;
  /** All that the daemon said. */
  heard: () => string;
  /** Milliseconds until the daemon closed the connection. */
  closed: Promise<number>;
}

/** @param from an address of the loopback network: each is another address to the daemon. */
async function stranger(bytes: Uint8Array | string = '', from = '127.0.0.1'): Promise<Stranger> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  toEnd.push(() => socket.destroy());
  const startedMs = performance.now();
  const closed = new Promise<number>((resolve) => socket.once('close', () => resolve(performance.now() - startedMs)));
  let heard = '';
  socket.setEncoding('latin1').on('data', (text: string) => (heard += text));
  socket.on('error', () => socket.destroy()); // cut with a reset
  await Promise.race([once(socket, 'connect'), closed]);
  if (bytes.length > 0 && socket.writable) socket.write(bytes);
  return { socket, heard: () => heard, closed };
}

/** In turn with the daemon, which lives in this process and accepts one connection per turn: its backlog must not fill. */
async function crowd(count: number, from: (n: number) => string, bytes?: string): Promise<Stranger[]> {
  const all: Promise<Stranger>[] = [];
  for (let n = 0; n < count; n++) {
    all.push(stranger(bytes, from(n)));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return Promise.all(all);
}

const stillOpen = (strangers: readonly Stranger[]) => strangers.filter(({ socket }) => !socket.destroyed).length;

async function expectServed(): Promise<void> {
  const startedMs = performance.now();
  const phone = await dialHost(echo.payload);
  expect(await phone.listAgents()).toHaveLength(1);
  await phone.close();
  expect(performance.now() - startedMs).toBeLessThan(2_500); // less than a time-out that would have made room
}

describe('junk', () => {
  it.each([
    ['a few bytes of 0xff', () => new Uint8Array(4096).fill(0xff)],
    ['one byte', () => '\xff'],
    ['a request of HTTP', () => 'GET / HTTP/1.1\r\n\r\n'],
    ['a length of two bytes', () => '\x80\x01'],
    ['half a greeting, then 0xff', () => Buffer.from('\x13/multi\xff', 'latin1')],
    ['a greeting without its newline', () => '\x13/multistream/1.0.0/'],
    ['a proposal before the greeting', () => '\x07/noise\n'],
    ['an empty proposal', () => `${GREETING}\x01\n`],
    ['a proposal of 65 bytes', () => `${GREETING}\x41${'a'.repeat(64)}\n`],
    ['a greeting, then 0xff', () => Buffer.from(`${GREETING}\xff`, 'latin1')],
    ['endless proposals', () => GREETING + '\x02a\n'.repeat(200)],
  ])('is cut at once: %s', async (_, junk) => {
    const { closed } = await stranger(junk());
    expect(await closed).toBeLessThan(AT_ONCE_MS);
    await expectServed();
  });

  it('of a megabyte each on many connections does not keep the daemon from its work', async () => {
    const megabyte = new Uint8Array(1024 * 1024).fill(0xff);
    const all = await Promise.all(Array.from({ length: 20 }, () => stranger(megabyte)));
    await expectServed(); // 26 s of CPU with the library's own reader
    for (const { closed } of all) expect(await closed).toBeLessThan(AT_ONCE_MS);
  });

  it('after the proposal of Noise is cut by Noise', async () => {
    const { closed } = await stranger(Buffer.concat([Buffer.from(`${GREETING}\x07/noise\n`), Buffer.alloc(256 * 1024, 0xff)]));
    expect(await closed).toBeLessThan(AT_ONCE_MS);
    await expectServed();
  });
});

describe('silence', () => {
  it('is cut after the time-out, and so is a greeting that comes byte by byte', async () => {
    const silent = await stranger();
    const slow = await stranger();
    let sent = 0;
    const timer = setInterval(() => slow.socket.write(GREETING.charAt(sent++)), 250);
    toEnd.push(() => clearInterval(timer));
    for (const { closed } of [silent, slow]) {
      const ms = await closed;
      expect(ms).toBeGreaterThan(2_500);
      expect(ms).toBeLessThan(4_500);
    }
    expect(sent).toBeGreaterThan(5);
  });

  const noiseProposed = `${GREETING}\x07/noise\n`;
  it.each([
    ['of one other address', () => '127.0.0.2', '', 64],
    ['of the same address', () => '127.0.0.1', '', 64],
    ['of many addresses, after the proposal of Noise', (n: number) => `127.0.1.${1 + (n % 20)}`, noiseProposed, 160],
  ])('of 300 connections %s locks nobody out', async (_, from, bytes, places) => {
    const all = await crowd(300, from, bytes);
    await expectServed();
    await expect.poll(() => stillOpen(all)).toBeLessThanOrEqual(places);
  });

  it('of 2,000 connections of many addresses locks nobody out and leaves nothing behind', async () => {
    const rssBefore = process.memoryUsage.rss();
    const all = await crowd(2_000, (n) => `127.0.1.${1 + (n % 100)}`);
    await expectServed();
    await expect.poll(() => stillOpen(all)).toBeLessThanOrEqual(160);
    expect(process.memoryUsage.rss() - rssBefore).toBeLessThan(100e6); // both ends of them
    for (const { socket } of all) socket.destroy();
    await expectServed();
    await expect.poll(() => echo.endpoint.connectionCount()).toBe(0);
  });

  it('does not keep the daemon from stopping', async () => {
    const { closed } = await stranger(GREETING);
    const startedMs = performance.now();
    await echo.endpoint.stop({ code: 'shutting_down', message: 'over' });
    await closed;
    expect(performance.now() - startedMs).toBeLessThan(AT_ONCE_MS);
  });
});

describe('an honest dialer', () => {
  it('may wait for each answer before it goes on', async () => {
    const { socket, heard } = await stranger(GREETING);
    await expect.poll(heard).toBe(GREETING);
    socket.write('\x0b/tls/1.0.0\n');
    await expect.poll(heard).toBe(`${GREETING}\x03na\n`);
    socket.write('\x07/noise\n');
    await expect.poll(heard).toBe(`${GREETING}\x03na\n\x07/noise\n`);
  });

  it('may propose another encryption first', async () => {
    const unspoken: ReturnType<typeof noise> = (components) => Object.assign(noise()(components), { protocol: '/tls/1.0.0' });
    const node = await createLibp2p({
      transports: [tcp()],
      connectionEncrypters: [unspoken, noise()],
      streamMuxers: [yamux()],
      connectionMonitor: { enabled: false },
    });
    toEnd.push(() => node.stop());
    const connection = await node.dial(multiaddr(`${echo.payload.addrs[0]}/p2p/${echo.payload.peer_id}`));
    expect(connection.encryption).toBe('/noise');
    expect((await connection.newStream('/heddle/1')).protocol).toBe('/heddle/1');
  });

  it('is understood byte by byte', async () => {
    const relay = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        to.setNoDelay(true).on('error', () => from.destroy());
        void byteByByte(from, to).catch(() => to.destroy());
      }
    });
    relay.listen(0, '127.0.0.1');
    await once(relay, 'listening');
    toEnd.push(() => relay.close());
    const { port: relayPort } = relay.address() as { port: number };
    const phone = await dialHost({ ...echo.payload, addrs: [`/ip4/127.0.0.1/tcp/${relayPort}`] });
    expect(await phone.listAgents()).toHaveLength(1);
    await phone.close();
  });
});

/** Each byte in a turn of its own, so that the far side reads them one by one. */
async function byteByByte(from: Socket, to: Socket): Promise<void> {
  for await (const chunk of from as AsyncIterable<Buffer>) {
    for (const byte of chunk) {
      to.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  to.end();
}
