// The promise of the link: over a connection that is cut again and again, each message arrives once and in order.

import { dialHost, type HostConnection, type SessionState } from '@heddle/client/node';
import type { Channel } from '@heddle/rpc';
import { afterEach, describe, expect, it } from 'vitest';
import { pull, text, bytes } from '../../support/collect.ts';
import { type EchoEndpoint, startEchoEndpoint } from '../../support/echo-endpoint.ts';
import { type FlakyProxy, startFlakyProxy } from '../../support/flaky-proxy.ts';

const MESSAGES = Number(process.env['HEDDLE_CUT_MESSAGES'] ?? 200_000);
const CUTS = Number(process.env['HEDDLE_CUTS'] ?? 1_000);
const seed = Number(process.env['HEDDLE_SEED'] ?? Math.floor(Math.random() * 1e9));

const toEnd: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of toEnd.splice(0).toReversed()) await end();
});

async function dialThrough(): Promise<{ echo: EchoEndpoint; proxy: FlakyProxy; phone: HostConnection }> {
  const echo = await startEchoEndpoint();
  toEnd.push(() => echo.endpoint.stop({ code: 'shutting_down', message: 'over' }));
  const proxy = await startFlakyProxy(Number(echo.payload.addrs[0]?.split('/').at(-1)), { seed });
  toEnd.push(() => proxy.close());
  const phone = await dialHost({ ...echo.payload, addrs: [`/ip4/127.0.0.1/tcp/${proxy.port}`] });
  toEnd.push(() => phone.close());
  return { echo, proxy, phone };
}

describe(`a link over a flaky path (seed ${seed})`, () => {
  it(`carries ${MESSAGES} messages each way over ${CUTS} cuts, each once and in order`, {
    timeout: 600 * Math.max(CUTS, 1_000),
  }, async () => {
    const { proxy, phone } = await dialThrough();
    const channel = await phone.openChannel('echo');
    proxy.harmEvery(50);
    const said = (n: number) => `${n} ${'x'.repeat(n % 150)}`;
    let sent = 0;
    const sending = (async () => {
      // On and on until both are reached, so that the cuts fall into the traffic.
      for (; sent < MESSAGES || proxy.cuts < CUTS; sent++) await channel.send(bytes(said(sent)));
      await channel.send(bytes('the end'));
    })();
    const next = pull(channel.incoming);
    let received = 0;
    for (let message = text(await next()); message !== 'the end'; message = text(await next())) {
      if (message !== said(received)) expect(message).toBe(said(received)); // `expect` on every one would take minutes
      received += 1;
    }
    await sending;
    expect(received).toBe(sent);
    expect(proxy.cuts).toBeGreaterThanOrEqual(CUTS);
  });

  it('says what it is doing', async () => {
    const { proxy, phone } = await dialThrough();
    const states: SessionState['is'][] = [];
    const channel = await phone.openChannel('echo', { onState: ({ is }) => states.push(is) });
    proxy.cutAll();
    await channel.send(bytes('said while it was away'));
    expect(text(await pull(channel.incoming)())).toBe('said while it was away');
    channel.close();
    await channel.closed;
    expect(states).toEqual(['live', 'reconnecting', 'live', 'closed']);
  });

  it('finds a path that has gone silent within 10 s of traffic, and goes on when it is back', { timeout: 40_000 }, async () => {
    const { proxy, phone } = await dialThrough();
    const states: SessionState['is'][] = [];
    const channel = await phone.openChannel('echo', { onState: ({ is }) => states.push(is) });
    proxy.setSilent(true);
    const startedMs = performance.now();
    await channel.send(bytes('into the dark'));
    await expect.poll(() => states, { timeout: 15_000 }).toContain('reconnecting');
    expect(performance.now() - startedMs).toBeLessThan(11_000);
    proxy.setSilent(false);
    expect(text(await pull(channel.incoming)())).toBe('into the dark');
  });

  it('finds it at once after a hint', { timeout: 40_000 }, async () => {
    const { proxy, phone } = await dialThrough();
    const channel = await phone.openChannel('echo');
    proxy.setSilent(true);
    await channel.send(bytes('hello?'));
    proxy.cutAll(); // both ends believe in connections that nobody forwards any more
    proxy.setSilent(false);
    const startedMs = performance.now();
    phone.wake();
    expect(text(await pull(channel.incoming)())).toBe('hello?');
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });
});

describe('a session whose client is away', () => {
  const away = async (channel: Channel, echo: EchoEndpoint, proxy: FlakyProxy) => {
    proxy.setSilent(true);
    proxy.cutAll();
    await expect.poll(() => echo.endpoint.sessions()[0]?.isAttached, { timeout: 15_000 }).toBe(false);
    return channel;
  };

  it('never holds its agent back: it ends when too much is kept, and the client learns of it', { timeout: 40_000 }, async () => {
    const { echo, proxy, phone } = await dialThrough();
    const states: SessionState['is'][] = [];
    const channel = await phone.openChannel('echo', { onState: ({ is }) => states.push(is) });
    await channel.send(bytes('x'));
    await pull(channel.incoming)();
    await away(channel, echo, proxy);
    const agent = echo.agentChannels[0] as Channel;
    for (let n = 0; n < 20; n++) await agent.send(new Uint8Array(1024 * 1024)).catch(() => undefined);
    expect((await agent.closed).code).toBe('overflowed');
    proxy.setSilent(false);
    expect((await channel.closed).code).toBe('session_reset');
    expect(states.at(-1)).toBe('reset');
  });
});
