// Owns the app-server that heddle starts itself: one process on a private socket, from spawn until nothing of it is
// left. The npm `codex` is a shim around the real binary; the process group holds both.

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type ChildProcess, signalGroup, startChildProcess } from '@heddle/bridge-kit';
import type { Channel, Log } from '@heddle/rpc';
import { HeddleError } from '@heddle/wire';
import { connectAppServer } from './app-server-socket.ts';

const START_TIMEOUT_MS = 20_000;
const RETRY_MS = 25;
/** Lines of stderr that go into an error; the rest is in the log. */
const REASON_LINES = 3;

export interface AppServerOptions {
  path: string;
  env: NodeJS.ProcessEnv;
  runtimeDir: string;
  log: Log;
}

/** A running app-server of our own. */
export interface AppServer {
  readonly socketPath: string;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

/**
 * Starts an app-server; it is ready when it has answered on its socket.
 * @throws HeddleError `agent_unavailable` with what codex itself said.
 */
export async function startAppServer(options: AppServerOptions): Promise<AppServer> {
  await killOrphan(options);
  // A new name each time: a killed server leaves its socket behind.
  const socketPath = join(options.runtimeDir, `codex-${randomBytes(4).toString('hex')}.sock`);
  const process = await startChildProcess({
    command: options.path,
    args: ['app-server', '--listen', `unix://${socketPath}`],
    env: options.env,
    cwd: options.env['HOME'] ?? homedir(), // where a client that names no folder works; not where the daemon happened to be started
    log: options.log,
  });
  process.stdout.resume();
  process.stdin.end(); // it listens on its socket only, and does not end with its input
  await writeFile(recordFile(options), JSON.stringify({ pid: process.pid, socketPath }), { mode: 0o600 });
  const cleanUp = () => Promise.all([rm(socketPath, { force: true }), rm(recordFile(options), { force: true })]);
  void process.exited.then(cleanUp);
  const stop = async () => {
    await process.stop();
    await cleanUp();
  };
  try {
    (await firstAnswer(socketPath, process)).close();
  } catch (error) {
    await stop();
    throw error;
  }
  return { socketPath, process, stop };
}

async function firstAnswer(socketPath: string, process: ChildProcess): Promise<Channel> {
  let hasExited = false;
  void process.exited.then(() => {
    hasExited = true;
  });
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      return await connectAppServer(socketPath);
    } catch (cause) {
      if (hasExited) throw await explainExit(process);
      if (Date.now() > deadline)
        throw new HeddleError('agent_unavailable', `codex app-server did not answer within ${START_TIMEOUT_MS / 1000} s`, { cause });
    }
    await Promise.race([process.exited, new Promise((resolve) => setTimeout(resolve, RETRY_MS))]);
  }
}

async function explainExit(process: ChildProcess): Promise<HeddleError> {
  const { code, signal, stderrTail } = await process.exited;
  const said = plainLines(stderrTail).slice(-REASON_LINES).join(' ');
  return new HeddleError(
    'agent_unavailable',
    `codex app-server ended at its start (${signal ?? `exit code ${code}`}): ${said || 'it said nothing'}`,
    {
      hint: 'Try `codex app-server` in a terminal; `heddle logs` has more.',
    },
  );
}

function plainLines(text: string): string[] {
  // oxlint-disable-next-line no-control-regex -- terminal colours begin with the escape character
  const withoutColours = text.replace(/\x1b\[[0-9;]*m/g, '');
  return withoutColours.split('\n').filter((line) => line.trim() !== '');
}

function recordFile(options: AppServerOptions): string {
  return join(options.runtimeDir, 'codex-app-server.json');
}

/** Ends the app-server of a daemon that was killed, if it is still there and really is that one. */
async function killOrphan(options: AppServerOptions): Promise<void> {
  const record = await readRecord(recordFile(options));
  if (record === undefined) return;
  const commandLine = await new Promise<string>((resolve) => {
    execFile('ps', ['-ww', '-o', 'args=', '-p', String(record.pid)], (_error, stdout) => resolve(stdout));
  });
  if (commandLine.includes(record.socketPath)) {
    options.log.warn('ending the app-server of a daemon that was killed', { pid: record.pid });
    signalGroup(record.pid, 'SIGKILL');
  }
  await rm(record.socketPath, { force: true });
  await rm(recordFile(options), { force: true });
}

async function readRecord(file: string): Promise<{ pid: number; socketPath: string } | undefined> {
  try {
    const value = JSON.parse(await readFile(file, 'utf8')) as { pid?: unknown; socketPath?: unknown };
    return typeof value.pid === 'number' && typeof value.socketPath === 'string'
      ? { pid: value.pid, socketPath: value.socketPath }
      : undefined;
  } catch {
    return undefined; // there is none, or it was cut off while being written: nothing to end
  }
}
