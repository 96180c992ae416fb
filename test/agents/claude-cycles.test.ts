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
/** Threads before the first weighing: code is compiled, caches and pools are filled. */
const WARM_UP = 24;
/** More than one, so that they get in each other's way. */
const AT_ONCE = 4;
/** Threads that are left to themselves: more than there may be processes, so that some of these have to give way. */
const KEPT_THREADS = 20;

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
  it(`is started, interrupted, resumed and killed ${THREADS * CYCLES_OF_A_THREAD} times and leaves nothing behind`, {
    timeout: 60_000 + CYCLES * 10_000,
  }, async () => {
    await runThreads(0, WARM_UP);
    const before = await weighAtRest();
    for (let n = WARM_UP; n < THREADS; n += 20) {
      const t = performance.now();
      await runThreads(n, Math.min(THREADS, n + 20));
      process.stdout.write(`${n} ${(performance.now() - t) | 0} ms ${JSON.stringify(await weighAtRest())}\n`);
    }
    const after = await weighAtRest();
    process.stdout.write(`${JSON.stringify({ before, after })}\n`);
    expect(after.warnings).toEqual([]);
  });
});
