import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endOrphans } from '@heddle/bridge-kit';
import { silentLog } from '@heddle/rpc';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAlive } from '../../support/process.ts';

let runtimeDir: string;
const toKill: number[] = [];

beforeEach(() => {
  runtimeDir = mkdtempSync(join(tmpdir(), 'heddle-orphans-'));
});
afterEach(() => {
  for (const pid of toKill.splice(0)) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  rmSync(runtimeDir, { recursive: true, force: true });
});

/** Starts a daemon with one agent and kills it. */
async function killedDaemon(...traits: string[]): Promise<{ agent: number; tool: number }> {
  const daemon = spawn(process.execPath, [join(import.meta.dirname, 'fixtures/fake-daemon.ts'), runtimeDir, ...traits], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(daemon.stdout, 'data')) as [Buffer];
  const pids = JSON.parse(line.toString()) as { agent: number; tool: number };
  toKill.push(pids.agent, pids.tool);
  const gone = once(daemon, 'exit');
  daemon.kill('SIGKILL');
  await gone;
  return pids;
}

describe('the processes of a daemon that was killed', () => {
  it.each([[[]], [['stubborn']], [['bare']]])('run on, and are ended at the next start with what they started (%s)', async (traits) => {
    const { agent, tool } = await killedDaemon(...traits);
    expect([isAlive(agent), isAlive(tool)]).toEqual([true, true]);
    writeFileSync(join(runtimeDir, 'agent.sock'), '');
    await endOrphans({ runtimeDir, log: silentLog });
    expect([isAlive(agent), isAlive(tool)]).toEqual([false, false]);
    expect(readdirSync(runtimeDir)).toEqual([]);
  });

  // Elsewhere than on Linux the environment of the system's own programs can't be read.
  it.runIf(process.platform === 'linux')('are found when only what they started is left', async () => {
    const { agent, tool } = await killedDaemon();
    process.kill(agent, 'SIGKILL');
    await expect.poll(() => isAlive(agent)).toBe(false);
    expect(isAlive(tool)).toBe(true);
    await endOrphans({ runtimeDir, log: silentLog });
    expect(isAlive(tool)).toBe(false);
    expect(readdirSync(runtimeDir)).toEqual([]);
  });

  it('are forgotten when they have ended by themselves', async () => {
    const { agent } = await killedDaemon('obedient');
    await expect.poll(() => isAlive(agent)).toBe(false);
    await endOrphans({ runtimeDir, log: silentLog });
    expect(readdirSync(runtimeDir)).toEqual([]);
  });

  it('are not mistaken for a process that has got their pid', async () => {
    const { agent } = await killedDaemon();
    const file = join(runtimeDir, readdirSync(runtimeDir)[0] ?? 'none');
    const other = spawn('/bin/sh', ['-c', 'sleep 600 & wait'], { detached: true, stdio: 'ignore' });
    await once(other, 'spawn');
    toKill.push(other.pid as number);
    const record = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    rmSync(file);
    writeFileSync(join(runtimeDir, 'child-0123456789abcdef.json'), JSON.stringify({ ...record, pid: other.pid }));
    await endOrphans({ runtimeDir, log: silentLog });
    expect([isAlive(other.pid as number), isAlive(agent)]).toEqual([true, true]);
    expect(readdirSync(runtimeDir)).toEqual([]);
    process.kill(-(other.pid as number), 'SIGKILL');
  });

  it.each(['', '{"pid": 12', '{"pid": "12", "files": "x"}', 'null'])('are not kept by a record that was cut off: %s', async (text) => {
    const { agent } = await killedDaemon();
    writeFileSync(join(runtimeDir, 'child-00.json'), text);
    await endOrphans({ runtimeDir, log: silentLog });
    expect(isAlive(agent)).toBe(false);
    expect(readdirSync(runtimeDir)).toEqual([]);
  });

  // Elsewhere than on Linux the environment of the system's own programs can't be read.
  it.runIf(process.platform === 'linux')('are found by their mark when nothing else is known of them', async () => {
    const { agent, tool } = await killedDaemon();
    writeFileSync(join(runtimeDir, readdirSync(runtimeDir)[0] ?? 'none'), '{"pi');
    await endOrphans({ runtimeDir, log: silentLog });
    expect([isAlive(agent), isAlive(tool)]).toEqual([false, false]);
  });
});
