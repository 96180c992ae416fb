// Threads of the real claude that are started, interrupted, resumed and killed, over and over: nothing of them is left
// but what a person wants to keep. The daemon is a process of its own, so that what it holds can be weighed.

import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { HostConnection } from '@heddle/client/node';
import type { ThreadId } from '@heddle/wire';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentPaths } from '../../scripts/install-agents.ts';
import { type ModelServer, startModelServer } from '../model-server/server.ts';
import { processesWith } from '../support/process.ts';
import { type ServedDaemon, startServedDaemon } from '../support/served-daemon.ts';
import type { Weight } from '../support/weigh-process.ts';
import { CYCLES_OF_A_THREAD, runThreadCycles } from './support/claude-cycles.ts';
import { type ClaudeHome, makeClaudeHome } from './support/claude-home.ts';

const CYCLES = Number(process.env['HEDDLE_CYCLES'] ?? 500);
const THREADS = Math.ceil(CYCLES / CYCLES_OF_A_THREAD);
/** Threads before the first weighing: code is compiled, caches are filled, processes have had to give way. */
const WARM_UP_THREADS = 24;
/** More than one, so that they get in each other's way. */
const AT_ONCE = 4;
/** Threads that are left to themselves: more than there may be processes, so that some of those have to give way. */
const KEPT_THREADS = 20;
/** How often the daemon is weighed on the way. */
const WEIGHINGS = 4;

/**
 * What may be more than after the warm-up, at any time. Nothing that belongs to a thread stays (compared by heap
 * snapshots); what does is code that was compiled meanwhile, and holes in the memory that the C library keeps, both of
 * which come to an end.
 */
const MAX_GROWTH = {
  rssBytes: 24 * 1024 * 1024,
  heapBytes: 2 * 1024 * 1024,
  // The log file is opened anew when it is full; a timer may be a collection away from its end.
  descriptors: 2,
  timers: 20,
  sockets: 2,
  childProcesses: 0,
  abortSignals: 2,
  eventTargets: 10,
} as const satisfies Record<keyof Omit<Weight, 'warnings'>, number>;

let modelServer: ModelServer;
let home: ClaudeHome;
let daemon: ServedDaemon;
let phone: HostConnection;
let folder: string;
beforeAll(async () => {
  modelServer = await startModelServer();
  home = await makeClaudeHome(modelServer.url);
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'heddle-cycles-')));
  daemon = await startServedDaemon({ toml: `[agents.claude]\ncommand = "${agentPaths().claude}"\n`, env: home.env });
  phone = await daemon.dial();
});
afterAll(async () => {
  await phone.close();
  await daemon.end();
  await modelServer.close();
  await home.remove();
  rmSync(folder, { recursive: true });
});

async function runThreads(first: number, end: number): Promise<void> {
  const kept: ThreadId[] = [];
  const session = await phone.openAgent('claude', { clientInfo: { name: 'cycles', version: '1' } });
  const stage = { phone, folder, daemonPid: daemon.pid };
  let next = first;
  const work = async () => {
    while (next < end) {
      kept.push(await runThreadCycles(stage, next++));
      if (kept.length > KEPT_THREADS) await session.request('thread/delete', { threadId: kept.shift() as ThreadId });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  for (const threadId of kept) await session.request('thread/delete', { threadId });
  session.close();
  await session.closed;
}

/** Whatever the daemon has started has this run's home in its environment, and so has what that has started in turn. */
const leftBehind = () => processesWith(`CLAUDE_CONFIG_DIR=${home.path}`).filter(({ pid }) => pid !== daemon.pid);

async function weighAtRest(): Promise<Weight> {
  await expect.poll(leftBehind, { timeout: 10_000 }).toEqual([]);
  expect(readdirSync(daemon.paths.runtimeDir).filter((name) => name.startsWith('child-'))).toEqual([]);
  return daemon.weigh();
}

describe('real claude', () => {
  it(`leaves nothing behind in ${THREADS * CYCLES_OF_A_THREAD} cycles of start, interrupt, resume and kill`, {
    timeout: 120_000 + CYCLES * 5_000,
  }, async () => {
    expect(THREADS).toBeGreaterThan(WARM_UP_THREADS);
    const startedMs = performance.now();
    await runThreads(0, WARM_UP_THREADS);
    const before = await weighAtRest();
    const weights = [before];
    const step = Math.ceil((THREADS - WARM_UP_THREADS) / WEIGHINGS);
    for (let first = WARM_UP_THREADS; first < THREADS; first += step) {
      await runThreads(first, Math.min(THREADS, first + step));
      const weight = await weighAtRest();
      weights.push(weight);
      for (const [what, most] of Object.entries(MAX_GROWTH) as [keyof typeof MAX_GROWTH, number][]) {
        expect(weight[what] - before[what], `growth of ${what}`).toBeLessThanOrEqual(most);
      }
      expect(weight.warnings).toEqual([]);
    }
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0);
    const row = (what: keyof typeof MAX_GROWTH, unit: number) => weights.map((weight) => (weight[what] / unit).toFixed(1)).join(' → ');
    const said = `RSS ${row('rssBytes', 1e6)} MB, heap ${row('heapBytes', 1e6)} MB`;
    process.stdout.write(`${THREADS * CYCLES_OF_A_THREAD} cycles in ${seconds} s; the daemon: ${said}\n`);
  });
});
