// Those who guess the token: each with an identity and a node of its own, all together at a given pace. Every attempt
// ends and is counted by what became of it, whether it was answered, cut off or not even connected.

import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { encodeFrame, FrameReader, libp2pDuplex } from '@heddle/rpc';
import { PROTOCOL_ID } from '@heddle/wire';
import type { Connection, Libp2p } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';

export interface GuessPlan {
  /** Multiaddr of the daemon, without its peer id. */
  address: string;
  peers: number;
  guesses: number;
  /** Of all peers together. */
  perSecond: number;
}

/** Attempts by their outcome: the code of the daemon's answer, or `cut` or `not connected`. */
export type GuessOutcomes = Record<string, number>;

const ATTEMPT_TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024;
const guess = encodeFrame(new TextEncoder().encode(JSON.stringify({ v: 1, token: 'f'.repeat(64), op: 'list_agents' })));

/** Makes all guesses; resolves when the last one has ended. */
export async function guessAll(plan: GuessPlan): Promise<GuessOutcomes> {
  const outcomes: GuessOutcomes = {};
  const nodes = await Promise.all(Array.from({ length: plan.peers }, startNode));
  const startMs = performance.now();
  await Promise.all(
    nodes.map(async (node, n) => {
      for (let turn = n; turn < plan.guesses; turn += plan.peers) {
        await until(startMs + (turn * 1_000) / plan.perSecond);
        const outcome = await attempt(node, plan.address);
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      }
    }),
  );
  await Promise.all(nodes.map(async (node) => node.stop()));
  return outcomes;
}

function startNode(): Promise<Libp2p> {
  return createLibp2p({
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
  });
}

/** One guess, over the connection that there is, or over a new one. */
async function attempt(node: Libp2p, address: string): Promise<string> {
  const signal = AbortSignal.timeout(ATTEMPT_TIMEOUT_MS);
  let connection: Connection;
  try {
    connection = node.getConnections()[0] ?? (await node.dial(multiaddr(address), { signal }));
  } catch {
    return 'not connected';
  }
  try {
    const duplex = libp2pDuplex(await connection.newStream(PROTOCOL_ID, { signal }));
    signal.addEventListener('abort', () => duplex.abort(new Error('no answer in time')));
    await duplex.write(guess);
    const answer = await new FrameReader(duplex.source).next(MAX_ANSWER_BYTES);
    void duplex.closeWrite().catch(() => undefined); // nothing of it is waited for: the answer was read
    const { error } = JSON.parse(new TextDecoder().decode(answer)) as { error: { code: string } };
    return error.code;
  } catch {
    return 'cut';
  }
}

/** The pace; who is late goes on at once. */
function until(atMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, atMs - performance.now())));
}
