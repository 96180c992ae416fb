import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, lstat, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@heddle/rpc';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { callControl } from '../../../packages/control/src/client.ts';
import { listenExclusively } from '../../../packages/control/src/listen-exclusively.ts';
import { startControlServer } from '../../../packages/control/src/server.ts';
import { fakeHandlers } from './fixtures/handlers.ts';

const starterFile = join(import.meta.dirname, 'fixtures/starter.ts');
let folder: string;
let socketPath: string;
let children: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heddle-control-'));
  socketPath = join(folder, 'run', 'control.sock');
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
  await rm(folder, { recursive: true });
});

/** Starts one and resolves with its first line. */
function start(): Promise<{ child: ChildProcess; said: { won?: number; code?: string; message?: string } }> {
  const child = spawn(process.execPath, [starterFile, socketPath], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.endsWith('\n')) resolve({ child, said: JSON.parse(text) as object });
    });
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`the starter ended with ${code} before it said anything`)));
  });
}

function killed(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.on('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

test('a second daemon is refused and told the pid of the first', async () => {
  const first = await start();
  const second = await start();
  expect(second.said).toEqual({ code: 'daemon_running', message: `a heddle daemon is running already, with pid ${first.child.pid}` });
});

test('a socket file left by a killed daemon is taken over', async () => {
  const first = await start();
  await killed(first.child);
  expect(existsSync(socketPath)).toBe(true);
  await expect(callControl(socketPath, 'status', {})).rejects.toMatchObject({ code: 'daemon_not_running' });
  const second = await start();
  expect(second.said).toEqual({ won: second.child.pid });
  expect((await callControl(socketPath, 'status', {})).pid).toBe(second.child.pid);
});

test('of twenty that start at once on a stale path exactly one wins, and it can be reached', async () => {
  await killed((await start()).child);
  const all = await Promise.all(Array.from({ length: 20 }, start));
  const winners = all.filter(({ said }) => said.won !== undefined);
  expect(all.filter(({ said }) => said.won === undefined).map(({ said }) => said.code)).toEqual(Array(19).fill('daemon_running'));
  expect(winners).toHaveLength(1);
  expect((await callControl(socketPath, 'status', {})).pid).toBe(winners[0]?.child.pid);
  expect(await readdir(join(folder, 'run'))).toEqual(['control.sock']);
});

test('within one process: 300 rounds of eight starters at uneven times, on a path that was left dead each time', async () => {
  const random = unevenNumbers();
  for (let round = 0; round < 300; round++) {
    const servers = Array.from({ length: 8 }, () => createServer());
    const results = await Promise.allSettled(
      servers.map(async (server) => {
        for (let turns = random(60); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
        return listenExclusively(server, socketPath);
      }),
    );
    const winners = servers.filter((_, at) => results[at]?.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'daemon_running' });
    }
    // Closing without release() is what a crash leaves: a file that refuses.
    await new Promise((resolve) => winners[0]?.close(resolve));
    expect(existsSync(socketPath)).toBe(true);
  }
});

/** Numbers from 0 to below a limit, the same ones in every run (Lehmer's generator). */
function unevenNumbers(): (limit: number) => number {
  let state = 1;
  return (limit) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % limit;
  };
}

test('a starter that died while it cleared a dead path away is cleared away as well', async () => {
  await mkdir(join(folder, 'run'), { mode: 0o700 });
  await leaveDead(socketPath);
  const { ino } = await lstat(socketPath, { bigint: true });
  const right = `.${createHash('sha256').update(`${socketPath}:${ino}`).digest('base64url').slice(0, 9)}`;
  await leaveDead(join(folder, 'run', right));
  const server = createServer();
  const listener = await listenExclusively(server, socketPath);
  expect(await readdir(join(folder, 'run'))).toEqual(['control.sock']);
  await listener.release();
});

/** A socket file whose process has gone. */
async function leaveDead(path: string): Promise<void> {
  const server = createServer();
  const name = join(folder, 'short-lived');
  await new Promise<void>((resolve) => server.listen(name, resolve));
  await link(name, path);
  await new Promise((resolve) => server.close(resolve));
}

test('the socket is for its owner alone, and a close removes it', async () => {
  const server = await startControlServer({ socketPath, version: '1.2.3', handlers: fakeHandlers(), log: silentLog });
  expect(((await stat(socketPath)).mode & 0o777).toString(8)).toBe('600');
  expect(((await stat(join(folder, 'run'))).mode & 0o777).toString(8)).toBe('700');
  await server.close();
  expect(await readdir(join(folder, 'run'))).toEqual([]);
});

test('a close does not remove what somebody else has put there since', async () => {
  const server = await startControlServer({ socketPath, version: '1.2.3', handlers: fakeHandlers(), log: silentLog });
  await rm(socketPath); // a cleaner of old files
  const other = await startControlServer({ socketPath, version: '1.2.4', handlers: fakeHandlers(), log: silentLog });
  await server.close();
  expect((await callControl(socketPath, 'status', {})).version).toBe('1.2.3');
  await other.close();
});

test('a file that is no socket is left alone and named', async () => {
  await rm(join(folder, 'run'), { recursive: true, force: true });
  const path = join(folder, 'control.sock');
  await writeFile(path, 'precious');
  const starting = startControlServer({ socketPath: path, version: '1.2.3', handlers: fakeHandlers(), log: silentLog });
  await expect(starting).rejects.toMatchObject({ code: 'state_unreadable', message: `${path} is not a socket` });
  expect(existsSync(path)).toBe(true);
});
