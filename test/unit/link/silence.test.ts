// How soon a link finds out that its path is dead when nobody says so: on a clock of the test's own, with the silence
// beginning at every moment between two looks at the path.

import { type ByteDuplex, clientLinkLimits, daemonLinkLimits, FrameReader, Link, type LinkOptions } from '@heddle/rpc';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { byteDuplexPair } from '../../support/byte-duplex-pair.ts';
import { bytes } from '../../support/collect.ts';

/** The promises of the link. */
const IDLE_MS = 30_000;
const TRAFFIC_MS = 10_000;
const HOUR_MS = 3_600_000;
/** By then an exchange is over, its acknowledgements included: nothing is on its way any more. */
const ACKNOWLEDGED_MS = 500;
/** Where in a second, and in the rhythm of the pings, the path dies. */
const moments = Array.from({ length: 31 }, (_, n) => n * 1_033);

// `setImmediate` stays real: a link waits for the end of a turn of the event loop by it, not for a time.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] }));
afterEach(() => void vi.useRealTimers());

interface Side {
  link: Link;
  /** When it took the path for dead. */
  foundAtMs: number | undefined;
}

/** A link over a path that can go silent: what is written then is lost, and nobody learns of it. */
function startLink() {
  const [left, right] = byteDuplexPair();
  let isSilent = false;
  const muffled = (duplex: ByteDuplex): ByteDuplex => ({
    source: duplex.source,
    closed: duplex.closed,
    write: async (chunk) => (isSilent ? undefined : duplex.write(chunk)),
    closeWrite: async () => (isSilent ? undefined : duplex.closeWrite()),
    abort: (error) => !isSilent && duplex.abort(error),
  });
  const side = (duplex: ByteDuplex, limits: Pick<LinkOptions, 'maxIncomingBytes' | 'maxOutgoingBytes'>): Side => {
    const made: Side = {
      link: new Link({ ...limits, whenDetached: 'wait', onDetached: () => (made.foundAtMs = performance.now()) }),
      foundAtMs: undefined,
    };
    made.link.attach(muffled(duplex), new FrameReader(duplex.source));
    void (async () => {
      for await (const message of made.link.incoming) if (made === daemon) await daemon.link.send(message);
    })();
    return made;
  };
  const client = side(left, clientLinkLimits);
  const daemon = side(right, daemonLinkLimits);
  return { client, daemon, fallSilent: () => (isSilent = true) };
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe('a path that dies without a word', () => {
  it.each(moments)('is found by both sides within 30 s when nothing is said, after %i ms', async (moment) => {
    const { client, daemon, fallSilent } = startLink();
    await pass(moment);
    fallSilent();
    const silentAtMs = performance.now();
    await pass(2 * IDLE_MS);
    for (const { foundAtMs } of [client, daemon]) expect((foundAtMs ?? Number.POSITIVE_INFINITY) - silentAtMs).toBeLessThanOrEqual(IDLE_MS);
  });

  it.each(moments)('is found by both sides within 10 s of traffic, after %i ms', async (moment) => {
    const { client, daemon, fallSilent } = startLink();
    await pass(moment);
    await client.link.send(bytes('heard, and answered by an echo'));
    await pass(ACKNOWLEDGED_MS);
    fallSilent();
    const silentAtMs = performance.now();
    await pass(2 * IDLE_MS);
    for (const { foundAtMs } of [client, daemon])
      expect((foundAtMs ?? Number.POSITIVE_INFINITY) - silentAtMs).toBeLessThanOrEqual(TRAFFIC_MS);
  });

  it.each(moments)('is found within 10 s by a side that then says something into it, after %i ms', async (moment) => {
    const { client, fallSilent } = startLink();
    await pass(moment);
    fallSilent();
    const silentAtMs = performance.now();
    await client.link.send(bytes('lost'));
    await pass(2 * IDLE_MS);
    expect((client.foundAtMs ?? Number.POSITIVE_INFINITY) - silentAtMs).toBeLessThanOrEqual(TRAFFIC_MS);
  });

  it('is found within 10 s when a message was lost and the last thing heard was said before it', async () => {
    const { client, daemon, fallSilent } = startLink();
    await daemon.link.send(bytes('on its way'));
    await client.link.send(bytes('lost, while the other is heard'));
    fallSilent();
    const silentAtMs = performance.now();
    await pass(2 * IDLE_MS);
    expect((client.foundAtMs ?? Number.POSITIVE_INFINITY) - silentAtMs).toBeLessThanOrEqual(TRAFFIC_MS);
  });

  it('is found within 10 s by a side that goes on talking into it', async () => {
    const { client, fallSilent } = startLink();
    fallSilent();
    const silentAtMs = performance.now();
    for (let spokenMs = 0; spokenMs < 2 * TRAFFIC_MS; spokenMs += 250) {
      await client.link.send(bytes('lost'));
      await pass(250);
    }
    expect((client.foundAtMs ?? Number.POSITIVE_INFINITY) - silentAtMs).toBeLessThanOrEqual(TRAFFIC_MS);
  });
});

it('a path that lives is never taken for dead, however long nothing is said', async () => {
  const { client, daemon } = startLink();
  await pass(HOUR_MS);
  expect([client.foundAtMs, daemon.foundAtMs]).toEqual([undefined, undefined]);
  await client.link.send(bytes('still there?'));
  await pass(HOUR_MS);
  expect([client.link.isAttached, daemon.link.isAttached]).toEqual([true, true]);
});
