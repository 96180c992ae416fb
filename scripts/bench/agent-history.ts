// What an agent's stored history costs: listing ten thousand sessions, cold and warm, and reading a transcript of ten
// thousand items.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHubBridge, type HubAgent, type ThreadStore } from '@heddle/bridge-kit';
import { JsonRpcPeer, silentLog } from '@heddle/rpc';
import type { BenchedAgent, HistorySize } from './agents/benched-agent.ts';
import { median } from './measure.ts';

/** So a listed session is larger than what is read of it. */
const size: HistorySize = { sessions: 10_000, folders: 50, turns: 30 };
/** Two items each. */
const LONG_TURNS = 5_000;

export interface HistoryFigures {
  /** How many sessions are listed. */
  sessions: number;
  /** Milliseconds of the first list, with nothing known. */
  coldMs: number;
  /** Of a list when nothing has changed, the median of some. */
  warmMs: number;
  /** Of a client's warm `thread/list`, one page of it. */
  clientMs: number;
  /** Of reading one long transcript, and of reading it again. */
  readMs: number;
  readAgainMs: number;
  itemsRead: number;
}

export async function measureHistory(agent: BenchedAgent): Promise<HistoryFigures> {
  const { name } = agent;
  const history = await agent.writeHistory(size);
  try {
    const store = await history.openStore();
    let listed = 0;
    const coldMs = await timed(async () => {
      listed = (await store.list()).length;
    });
    if (listed !== size.sessions) throw new Error(`${name} has ${size.sessions} sessions, and ${listed} were listed`);
    const warm = await timedRounds(() => store.list());
    const clientMs = await measureClient(name, store);
    const longId = await history.add(LONG_TURNS);
    let itemsRead = 0;
    const readMs = await timed(async () => {
      itemsRead = (await store.read(longId)).turns.reduce((sum, turn) => sum + turn.items.length, 0);
    });
    const readAgainMs = await timed(() => store.read(longId));
    return { sessions: listed, coldMs, warmMs: median(warm), clientMs, readMs, readAgainMs, itemsRead };
  } finally {
    await history.remove();
  }
}

/** `thread/list` over the hub and JSON-RPC, without an agent: the store is all that is asked. */
async function measureClient(name: string, store: ThreadStore): Promise<number> {
  const unused = () => Promise.reject(new Error('this bench only lists'));
  const agent: HubAgent = {
    name,
    version: '',
    store,
    modes: ['default'],
    createThread: unused,
    openThread: unused,
    changeSettings: unused,
    unloadThread: () => Promise.resolve(),
    runTurn: unused,
    models: unused,
    skills: unused,
    rateLimits: () => Promise.resolve(undefined),
  };
  const launchEnv = () => Promise.resolve(process.env);
  const folder = await mkdtemp(join(tmpdir(), 'heddle-bench-'));
  const bridge = createHubBridge({
    name,
    displayName: name,
    capabilities: { approvals: 'before' },
    context: { log: silentLog, launchEnv, runtimeDir: folder, stateDir: folder, heddleVersion: 'bench' },
    probe: () => Promise.resolve({ isAvailable: true, version: '' }),
    createAgent: () => agent,
  });
  const client = new JsonRpcPeer(await bridge.open());
  try {
    await client.request('initialize', { clientInfo: { name: 'bench', version: '1' } });
    await client.notify('initialized');
    return median(await timedRounds(() => client.request('thread/list', { limit: 50 })));
  } finally {
    await bridge.close();
    await rm(folder, { recursive: true });
  }
}

async function timedRounds(work: () => Promise<unknown>): Promise<number[]> {
  const rounds: number[] = [];
  for (let round = 0; round < 5; round++) rounds.push(await timed(work));
  return rounds;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}
