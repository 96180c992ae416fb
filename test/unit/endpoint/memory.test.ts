// A phone that stops reading while its agent goes on: the daemon's memory stays flat, and others are served.

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { dialHost, type HostConnection } from '@heddle/client/node';
import type { Channel } from '@heddle/rpc';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { bytes, pull, text } from '../../support/collect.ts';
import { type EchoEndpoint, startEchoEndpoint } from '../../support/echo-endpoint.ts';

const MESSAGE_BYTES = 64 * 1024;
const PRODUCED_BYTES = 1024 * 1024 * 1024;
/** Half of what is produced would show; windows, queues and garbage that waits for its collection do not. */
const MAX_GROWTH_BYTES = 100e6;
/** An agent that could send nothing for so long is held back. */
const STALLED_MS = 500;
/** Others wait milliseconds; the rest is a busy test machine. */
const MAX_ANSWER_MS = 5_000;

let echo: EchoEndpoint;
const toEnd: (() => unknown)[] = [];
beforeEach(async () => {
  echo = await startEchoEndpoint();
  toEnd.push(() => echo.endpoint.stop({ code: 'shutting_down', message: 'over' }));
});
afterEach(async () => {
  for (const end of toEnd.splice(0).toReversed()) await end();
});

async function dial(addrs = echo.payload.addrs): Promise<HostConnection> {
  const phone = await dialHost({ ...echo.payload, addrs });
  toEnd.push(() => phone.close());
  return phone;
}

/** A network between phone and daemon that at some moment takes nothing more, without a word. */
async function network(): Promise<{ address: string; stall: () => void }> {
  const sockets: Socket[] = [];
  let isStalled = false;
  const relay = createServer((near) => {
    const far = connect(Number(echo.payload.addrs[0]?.split('/').at(-1)), '127.0.0.1');
    sockets.push(near, far);
    for (const socket of [near, far]) socket.on('error', () => socket.destroy());
    if (!isStalled) near.pipe(far).pipe(near);
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  toEnd.push(() => {
    for (const socket of sockets) socket.destroy();
    relay.close();
  });
  const { port } = relay.address() as { port: number };
  const stall = () => {
    isStalled = true;
    for (const socket of sockets) socket.unpipe().pause();
  };
  return { address: `/ip4/127.0.0.1/tcp/${port}`, stall };
}

const readers: [string, () => Promise<Channel>][] = [
  ['never reads', async () => (await dial()).openChannel('echo')],
  [
    'is no longer reached, and nobody says so',
    async () => {
      const { address, stall } = await network();
      const channel = await (await dial([address])).openChannel('echo');
      stall();
      return channel;
    },
  ],
];

it.each(readers)('holds back the agent of a phone that %s, and serves others meanwhile', async (_, openDeaf) => {
  await openDeaf();
  const agent = echo.agentChannels[0];
  const other = await (await dial()).openChannel('echo');
  const next = pull(other.incoming);
  const rssBefore = process.memoryUsage.rss();

  let produced = 0;
  let lastMs = performance.now();
  let isEnded = false;
  const producing = (async () => {
    while (produced < PRODUCED_BYTES) {
      await agent?.send(new Uint8Array(MESSAGE_BYTES)); // a new one each time: what is kept anywhere is seen
      produced += MESSAGE_BYTES;
      lastMs = performance.now();
    }
  })()
    .catch(() => undefined) // the session's end
    .finally(() => (isEnded = true));

  let rssPeak = 0;
  let slowestMs = 0;
  for (let n = 0; !isEnded && performance.now() - lastMs < STALLED_MS; n++) {
    const sentMs = performance.now();
    await other.send(bytes(`message ${n}`));
    expect(text(await next())).toBe(`message ${n}`);
    slowestMs = Math.max(slowestMs, performance.now() - sentMs);
    rssPeak = Math.max(rssPeak, process.memoryUsage.rss());
    await new Promise((resolve) => setImmediate(resolve));
  }

  expect(produced).toBeGreaterThan(0);
  expect(produced).toBeLessThan(PRODUCED_BYTES); // it was held back, or its session ended
  expect(rssPeak - rssBefore).toBeLessThan(MAX_GROWTH_BYTES); // the phone's share of it included
  expect(slowestMs).toBeLessThan(MAX_ANSWER_MS);
  agent?.close();
  await producing;
});
