// How soon a session goes on when its path is back: after resets, and after silences during which bytes are swallowed
// and nobody is told. Time runs from the moment the path is back until an echo of what was said meanwhile arrives.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { dialHost, type HostConnection } from '@heddle/client/node';
import type { Channel } from '@heddle/rpc';
import type { EchoAddresses } from './doors.ts';
import { percentile } from './measure.ts';

/** What is used of test/support/flaky-proxy.ts. The tests are built upon the scripts, so it can't be a plain import. */
interface FlakyProxy {
  port: number;
  cutAll(): void;
  setSilent(isSilent: boolean): void;
  close(): Promise<void>;
}
const flakyProxy = new URL('../../test/support/flaky-proxy.ts', import.meta.url).href;
const { startFlakyProxy } = (await import(flakyProxy)) as {
  startFlakyProxy: (targetPort: number, options: { seed: number }) => Promise<FlakyProxy>;
};

const RESETS = 100;
const SILENCES_MS = [15_000, 40_000];
const SESSIONS_PER_SILENCE = 10;
/** Silent sessions return spread over this long: their dials are not to compete with each other. */
const SPREAD_MS = 1_000;

export interface ReconnectFigures {
  name: string;
  count: number;
  p50Ms: number;
  p95Ms: number;
  goalP95Ms: number;
}

interface Phone {
  proxy: FlakyProxy;
  host: HostConnection;
  channel: Channel;
  /** Resolves with the time at which the next echo arrives. */
  echoed: () => Promise<number>;
}

/** Measures all cases; the silences are waited for at the same time. */
export async function measureReconnect(): Promise<ReconnectFigures[]> {
  const server: ChildProcess = fork(new URL('./echo-server.ts', import.meta.url));
  const [{ payload }] = (await once(server, 'message')) as [EchoAddresses];
  const phones: Phone[] = [];
  const open = async () => {
    const phone = await openThrough(payload);
    phones.push(phone);
    return phone;
  };
  try {
    const resets = await afterResets(await open());
    const silences = SILENCES_MS.flatMap((silenceMs) => [
      { silenceMs, hasHint: false },
      { silenceMs, hasHint: true },
    ]);
    const silent = await Promise.all(
      silences.map(async ({ silenceMs, hasHint }) => {
        const waiting = await Promise.all(Array.from({ length: SESSIONS_PER_SILENCE }, open));
        const timesMs = await Promise.all(
          waiting.map((phone, n) => afterSilence(phone, silenceMs + (SPREAD_MS * n) / waiting.length, hasHint)),
        );
        return figures(`${silenceMs / 1000} s of silence${hasHint ? ', then wake()' : ''}`, timesMs, 1_000);
      }),
    );
    return [figures('a reset', resets, 150), ...silent];
  } finally {
    await Promise.all(phones.map(({ host }) => host.close()));
    await Promise.all(phones.map(({ proxy }) => proxy.close()));
    server.disconnect();
  }
}

async function openThrough(payload: EchoAddresses['payload']): Promise<Phone> {
  const proxy = await startFlakyProxy(Number(payload.addrs[0]?.split('/').at(-1)), { seed: 1 });
  const host = await dialHost({ ...payload, addrs: [`/ip4/127.0.0.1/tcp/${proxy.port}`] });
  const channel = await host.openChannel('echo');
  const incoming = channel.incoming[Symbol.asyncIterator]();
  return {
    proxy,
    host,
    channel,
    async echoed() {
      const { done } = await incoming.next();
      if (done === true) throw new Error('the session ended');
      return performance.now();
    },
  };
}

/** The path is back the moment it is cut. */
async function afterResets({ proxy, channel, echoed }: Phone): Promise<number[]> {
  const timesMs: number[] = [];
  for (let n = 0; n < RESETS; n++) {
    const message = new TextEncoder().encode(`after reset ${n}`);
    proxy.cutAll();
    const backAtMs = performance.now();
    const [atMs] = await Promise.all([echoed(), channel.send(message)]);
    timesMs.push(atMs - backAtMs);
  }
  return timesMs;
}

async function afterSilence({ proxy, host, channel, echoed }: Phone, silenceMs: number, hasHint: boolean): Promise<number> {
  proxy.setSilent(true);
  await channel.send(new TextEncoder().encode('said in the dark'));
  await new Promise((resolve) => setTimeout(resolve, silenceMs));
  // The connections of before are gone for good: bytes that were swallowed can't be made good on them.
  proxy.cutAll();
  proxy.setSilent(false);
  const backAtMs = performance.now();
  if (hasHint) host.wake();
  return (await echoed()) - backAtMs;
}

function figures(name: string, timesMs: number[], goalP95Ms: number): ReconnectFigures {
  const sorted = timesMs.toSorted((a, b) => a - b);
  return { name, count: sorted.length, p50Ms: percentile(sorted, 0.5), p95Ms: percentile(sorted, 0.95), goalP95Ms };
}
