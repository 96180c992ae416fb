// Many who guess the token, while the pairing window is open and all come from the address of an honest device.

import { randomBytes } from 'node:crypto';
import { generateKeyPair } from '@libp2p/crypto/keys';
import type { PrivateKey } from '@libp2p/interface';
import { dialHost, type HostConnection } from '@heddle/client/node';
import { Gate } from '@heddle/endpoint';
import type { HeddleError, PairPayload } from '@heddle/wire';
import { afterEach, expect, it } from 'vitest';
import { guessAll } from '../../../scripts/bench/guess.ts';
import { bytes, pull, text } from '../../support/collect.ts';
import { startEchoEndpoint } from '../../support/echo-endpoint.ts';

const PEERS = 50;
const GUESSES = 10_000;
/** As fast as they can, more or less. */
const GUESSES_PER_SECOND = 1_000;
/** Long enough for a slow machine; an honest request that waits this long is not served. */
const SERVED_WITHIN_MS = 5_000;

const toEnd: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of toEnd.splice(0).toReversed()) await end();
});

const MANY_FAILURES = 50;

/** Its clock stands still: nobody's pause ends. */
function makeGate(): { gate: Gate; enrolled: Set<string> } {
  const enrolled = new Set<string>();
  const gate = new Gate({
    nowMs: () => 0,
    devices: {
      hasBeenPaired: () => enrolled.size > 0,
      find: (peerId) => (enrolled.has(peerId) ? { scope: 'drive', isRevoked: false } : undefined),
      enrol: async (peerId) => enrolled.add(peerId),
      seen: () => undefined,
    },
  });
  return { gate, enrolled };
}

it('10,000 wrong tokens of 50 peers: hardly any is compared, and the device is served throughout', { timeout: 180_000 }, async () => {
  const { gate, enrolled } = makeGate();
  const token = randomBytes(32).toString('hex');
  let comparisons = 0;
  const echo = await startEchoEndpoint({
    gate,
    token: () => {
      comparisons += 1;
      return token;
    },
  });
  toEnd.push(() => echo.endpoint.stop({ code: 'shutting_down', message: 'over' }));
  const payload = { ...echo.payload, token };
  gate.openWindow({ forMs: 600_000, devices: 2 });
  const phone = await dialHost(payload);
  toEnd.push(() => phone.close());
  await phone.listAgents();
  expect(enrolled.size).toBe(1);
  expect(gate.window?.devices).toBe(1);

  comparisons = 0;
  let served = 0;
  let isOver = false;
  const attack = guessAll({ address: payload.addrs[0] as string, peers: PEERS, guesses: GUESSES, perSecond: GUESSES_PER_SECOND }).finally(
    () => (isOver = true),
  );
  const slowest = (async () => {
    let slowestMs = 0;
    while (!isOver) {
      const startedMs = performance.now();
      await phone.listAgents();
      served += 1;
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
    }
    return slowestMs;
  })();
  const outcomes = await attack;
  expect(await slowest).toBeLessThan(SERVED_WITHIN_MS);
  expect(served).toBeGreaterThan(50);
  const { unauthorized = 0, too_many_requests: unheard = 0, cut = 0, 'not connected': outside = 0, ...others } = outcomes;
  expect(others).toEqual({});
  expect(unauthorized + unheard + cut + outside).toBe(GUESSES);
  expect(unauthorized).toBeGreaterThan(0);
  expect(unauthorized).toBeLessThan(100);
  expect(comparisons - served).toBe(unauthorized);
  // Whoever is told to wait loses the connection as well: no peer goes on guessing on one it has.
  expect(unheard).toBeLessThan(5 * PEERS);
  // A stranger from that address is not even connected any more; the guessers became no device.
  const stranger = await dialHost(payload)
    .then(async (host) => {
      toEnd.push(() => host.close());
      return host.listAgents();
    })
    .catch((error: HeddleError) => error.code);
  expect(['unreachable', 'connection_lost']).toContain(stranger);
  expect(enrolled.size).toBe(1);
});

it('who is told to wait loses the connection too, unless it is a device', async () => {
  const { gate } = makeGate();
  const echo = await startEchoEndpoint({ gate });
  toEnd.push(() => echo.endpoint.stop({ code: 'shutting_down', message: 'over' }));
  const dial = async (payload: PairPayload, privateKey?: PrivateKey) => {
    const host = await dialHost(payload, privateKey === undefined ? {} : { privateKey });
    toEnd.push(() => host.close());
    return host;
  };
  const wrong = { ...echo.payload, token: 'f'.repeat(64) };
  const failUntilPaused = async (host: HostConnection) => {
    for (let code = ''; code !== 'too_many_requests'; ) code = await host.listAgents().then(String, (error: HeddleError) => error.code);
  };
  gate.openWindow({ forMs: 600_000, devices: 2 });
  const key = await generateKeyPair('Ed25519');
  const channel = await (await dial(echo.payload, key)).openChannel('echo');
  const stranger = await dial(wrong);
  await expect.poll(() => echo.endpoint.connectionCount()).toBe(2);
  await failUntilPaused(stranger);
  // It asks again at once and is cut in the middle of it: it is to wait for another connection, not to spin.
  let failures = 0;
  void (async () => {
    while (failures < MANY_FAILURES) await stranger.listAgents().catch(() => (failures += 1));
  })();
  await expect.poll(() => echo.endpoint.connectionCount()).toBe(1);
  expect(failures).toBeLessThan(MANY_FAILURES);

  await failUntilPaused(await dial(wrong, key)); // a device whose app has an old token, beside the one that works
  await channel.send(bytes('still here'));
  expect(text(await pull(channel.incoming)())).toBe('still here');
  expect(echo.endpoint.connectionCount()).toBe(2);
});
