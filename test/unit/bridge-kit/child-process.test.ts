import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { type ChildProcess, type ChildProcessOptions, explainExit, startChildProcess } from '@heddle/bridge-kit';
import { silentLog } from '@heddle/rpc';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAlive } from '../../support/process.ts';

const fakeAgent = join(import.meta.dirname, 'fixtures/fake-agent.ts');
let runtimeDir: string;
let toStop: ChildProcess[];

beforeEach(() => {
  runtimeDir = mkdtempSync(join(tmpdir(), 'heddle-child-'));
  toStop = [];
});
afterEach(async () => {
  await Promise.all(toStop.map((child) => child.stop()));
  rmSync(runtimeDir, { recursive: true, force: true });
});

async function startProgram(options: Pick<ChildProcessOptions, 'command' | 'args'> & Partial<ChildProcessOptions>): Promise<ChildProcess> {
  const child = await startChildProcess({ env: { PATH: process.env['PATH'] }, log: silentLog, runtimeDir, ...options });
  toStop.push(child);
  return child;
}
const start = (script: string) => startProgram({ command: '/bin/sh', args: ['-c', script] });

async function firstLine(child: ChildProcess): Promise<string> {
  let seen = '';
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    seen += chunk.toString();
    if (seen.includes('\n')) break;
  }
  return seen.trim();
}
/** An agent whose tool runs in a session of its own. */
async function startAgent(...traits: string[]): Promise<{ child: ChildProcess; tool: number }> {
  const child = await startProgram({ command: execPath, args: [fakeAgent, ...traits] });
  const { tool } = JSON.parse(await firstLine(child)) as { tool: number };
  expect(isAlive(tool)).toBe(true);
  return { child, tool };
}

describe('startChildProcess', () => {
  it('says which program can not be started', async () => {
    const starting = startProgram({ command: '/nowhere/agent', args: [] });
    await expect(starting).rejects.toMatchObject({ code: 'agent_unavailable', message: expect.stringContaining('/nowhere/agent') });
    const elsewhere = startProgram({ command: '/bin/sh', args: [], cwd: '/nowhere' });
    await expect(elsewhere).rejects.toMatchObject({ message: expect.stringContaining('/bin/sh in /nowhere') });
    expect(readdirSync(runtimeDir)).toEqual([]);
  });

  it('tells how it ended, with the tail of stderr', async () => {
    const child = await start(
      'i=0; while [ $i -lt 3000 ]; do echo "line $i of a long complaint about nothing" >&2; i=$((i+1)); done; exit 7',
    );
    child.stdout.resume();
    const { code, signal, stderrTail } = await child.exited;
    expect({ code, signal }).toEqual({ code: 7, signal: null });
    expect(stderrTail.endsWith('line 2999 of a long complaint about nothing\n')).toBe(true);
    expect(Buffer.byteLength(stderrTail)).toBe(64 * 1024);
  });

  it('ends by the end of its input alone when that is enough', async () => {
    const child = await start('cat > /dev/null; exit 0');
    child.stdout.resume();
    expect(await child.stop()).toMatchObject({ code: 0 });
    expect(await child.stop()).toMatchObject({ code: 0 });
  });

  it('is noted for the owner only, until it is gone; its files go with it', async () => {
    const child = await startProgram({ command: '/bin/sh', args: ['-c', 'cat'], files: ['agent.sock'] });
    writeFileSync(join(runtimeDir, 'agent.sock'), '');
    writeFileSync(join(runtimeDir, 'of-others.sock'), '');
    const [name = ''] = readdirSync(runtimeDir).filter((file) => file.startsWith('child-'));
    expect(statSync(join(runtimeDir, name)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(join(runtimeDir, name), 'utf8'))).toMatchObject({ pid: child.pid, command: '/bin/sh' });
    await child.stop();
    expect(readdirSync(runtimeDir)).toEqual(['of-others.sock']);
  });
});

describe('what a process has started', () => {
  it('ends with it, even what ignores TERM', async () => {
    const child = await start(`"${execPath}" -e "process.on('SIGTERM',()=>{});setInterval(()=>{},1000);console.log(process.pid)" & wait`);
    const grandchild = Number(await firstLine(child));
    await child.stop();
    expect(isAlive(grandchild)).toBe(false);
  });

  it.each(['sleep 300', 'env -i /bin/sleep 300'])('is taken along when it is killed by somebody else: %s', async (command) => {
    const child = await start(`${command} & echo $!; wait`);
    const grandchild = Number(await firstLine(child));
    expect(isAlive(grandchild)).toBe(true);
    process.kill(child.pid, 'SIGKILL');
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
    await expect.poll(() => isAlive(grandchild)).toBe(false);
  });

  it.each([
    ['in a session of its own', []],
    ['in a session of its own, ignoring TERM', ['stubborn']],
    ['in a session of its own, with an environment of its own', ['bare']],
    ['in a session of its own, left behind by an agent that ends with its input', ['obedient']],
    ['in a session of its own, left behind with an environment of its own', ['obedient', 'bare']],
  ])('ends with it also %s', async (_how, traits) => {
    const { child, tool } = await startAgent(...traits);
    await child.stop();
    expect(isAlive(tool)).toBe(false);
    expect(readdirSync(runtimeDir)).toEqual([]);
  });

  // Elsewhere than on Linux the environment of the system's own programs can't be read.
  it.runIf(process.platform === 'linux').each([[[]], [['stubborn']]])(
    'ends also when an agent that kept it elsewhere was killed (%s)',
    async (traits) => {
      const { child, tool } = await startAgent(...traits);
      process.kill(child.pid, 'SIGKILL');
      const killedAtMs = Date.now();
      expect(await child.exited).toMatchObject({ signal: 'SIGKILL' }); // at once, although the tool holds stderr open
      expect(Date.now() - killedAtMs).toBeLessThan(1_000);
      await expect.poll(() => isAlive(tool), { timeout: 5_000 }).toBe(false);
      await expect.poll(() => readdirSync(runtimeDir)).toEqual([]);
    },
  );

  it('does not take along what others have started', async () => {
    const [one, other] = [await startAgent(), await startAgent()];
    await one.child.stop();
    expect([isAlive(one.tool), isAlive(other.child.pid), isAlive(other.tool)]).toEqual([false, true, true]);
  });
});

describe('explainExit', () => {
  it('has the last lines of stderr, without colours', () => {
    const stderrTail = 'first\n\u001b[31mError\u001b[0m: config.toml:3\n\n  unknown field\nbye\n';
    const error = explainExit('claude', { code: 1, signal: null, stderrTail });
    expect(error).toMatchObject({ code: 'agent_exited', message: 'claude ended (exit code 1): Error: config.toml:3   unknown field bye' });
  });

  it('names the signal, and says so when nothing was said', () => {
    const error = explainExit('claude', { code: null, signal: 'SIGKILL', stderrTail: '' });
    expect(error.message).toBe('claude ended (SIGKILL): it said nothing');
  });
});
