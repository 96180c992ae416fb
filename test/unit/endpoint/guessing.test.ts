// Many who guess the token, while the pairing window is open and all come from the address of an honest device.

import { randomBytes } from 'node:crypto';
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { dialHost } from '@heddle/client/node';
import { Gate } from '@heddle/endpoint';
import { encodeFrame, FrameReader, libp2pDuplex } from '@heddle/rpc';
import type { HeddleError } from '@heddle/wire';
import { createLibp2p } from 'libp2p';
import { afterEach, expect, it } from 'vitest';
import { bytes, text } from '../../support/collect.ts';
import { startEchoEndpoint } from '../../support/echo-endpoint.ts';

const PEERS = 50;
const GUESSES = 10_000;
/** Long enough for a slow machine; an honest request that waits this long is not served. */
const SERVED_WITHIN_MS = 5_000;

const toEnd: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of toEnd.splice(0).toReversed()) await end();
});

it('10,000 wrong tokens of 50 peers: hardly any is compared, and the device is served throughout', { timeout: 180_000 }, async () => {
  const enrolled = new Set<string>();
  const gate = new Gate({
    nowMs: () => 0, // nobody's pause ends
    devices: {
      hasBeenPaired: () => enrolled.size > 0,
      find: (peerId) => (enrolled.has(peerId) ? { scope: 'drive', isRevoked: false } : undefined),
      enrol: async (peerId) => enrolled.add(peerId),
      seen: () => undefined,
    },
  });
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

  const guess = encodeFrame(bytes(JSON.stringify({ v: 1, token: 'f'.repeat(64), op: 'list_agents' })));
  const address = multiaddr(`${payload.addrs[0]}/p2p/${payload.peer_id}`);
  const attackers = await Promise.all(
    Array.from({ length: PEERS }, async () => {
      const node = await createLibp2p({
        transports: [tcp()],
        connectionEncrypters: [noise()],
        streamMuxers: [yamux()],
        connectionMonitor: { enabled: false },
      });
      toEnd.push(() => node.stop());
      // The endpoint takes only so many connections of an address in a second; an attacker tries until it has one.
      for (;;) {
        try {
          return await node.dial(address);
        } catch {
          continue;
        }
      }
    }),
  );
  const answers = new Map<string, number>();
  comparisons = 0;
  let served = 0;
  let isOver = false;
  const attack = Promise.all(
    attackers.map(async (connection) => {
      for (let n = 0; n < GUESSES / PEERS; n++) {
        const duplex = libp2pDuplex(await connection.newStream('/heddle/1'));
        await duplex.write(guess).catch(() => undefined);
        const { error } = JSON.parse(text(await new FrameReader(duplex.source).next(1e6))) as { error: { code: string } };
        answers.set(error.code, (answers.get(error.code) ?? 0) + 1);
        await duplex.closeWrite().catch(() => undefined);
      }
    }),
  ).finally(() => (isOver = true));
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
  await attack;
  expect(await slowest).toBeLessThan(SERVED_WITHIN_MS);
  expect(served).toBeGreaterThan(50);
  expect([...answers.values()].reduce((sum, count) => sum + count)).toBe(GUESSES);
  expect([...answers.keys()].toSorted()).toEqual(['too_many_requests', 'unauthorized']);
  expect(answers.get('unauthorized')).toBeLessThan(100);
  expect(comparisons - served).toBe(answers.get('unauthorized'));
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
