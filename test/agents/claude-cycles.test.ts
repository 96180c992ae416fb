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
import { runCycle } from './support/claude-cycle.ts';
import { type ClaudeHome, makeClaudeHome } from './support/claude-home.ts';

const CYCLES = Number(process.env['HEDDLE_CYCLES'] ?? 500);
/** Cycles before the first weighing: code is compiled, caches and pools are filled. */
const WARM_UP = Number(process.env['W'] ?? 40);
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

async function runCycles(first: number, end: number): Promise<void> {
  const kept: ThreadId[] = [];
  const session = await phone.openAgent('claude', { clientInfo: { name: 'cycles', version: '1' } });
  const stage = { phone, modelServer, folder, daemonPid: daemon.pid };
  let next = first;
  const work = async () => {
    while (next < end) {
      const number = next++;
      const goesOn = number % 4 === 0;
      kept.push(await runCycle(stage, { number, goesOn }));
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
  it(`is started, interrupted, resumed and killed ${CYCLES} times and leaves nothing behind`, { timeout: 60_000 + CYCLES * 10_000 }, async () => {
    await runCycles(0, WARM_UP);
    const before = await weighAtRest();
    await runCycles(WARM_UP, CYCLES);
    const after = await weighAtRest();
    const { readFileSync } = await import('node:fs'); for (const pid of [process.pid, daemon.pid]) { const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' '); process.stdout.write(`cpu own ${f[11]} ${f[12]} children ${f[13]} ${f[14]}\n`); }
    process.stdout.write(`${JSON.stringify({ before, after })}\n`);
    expect(after.warnings).toEqual([]);
  });
});
