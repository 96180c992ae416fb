// Owns the life of one agent process: spawn → serving → closing → gone. A process group of its own and a mark in its
// environment, so that what the agent has started goes with it; noted on disk, so that it does not outlive a killed
// daemon; pipes always drained; the tail of stderr kept for the error text.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import type { Log } from '@heddle/rpc';
import { asError, HeddleError } from '@heddle/wire';
import { type ChildRecord, removeChildRecord, writeChildRecord } from './child-record.ts';
import { ProcessFamily } from './process-family.ts';
import { findProcess, MARK_VARIABLE } from './process-table.ts';
import { signalGroup } from './signal-group.ts';

/** How much of stderr is kept: enough for a panic with its backtrace. */
const STDERR_TAIL_BYTES = 64 * 1024;
/** How long after the exit the end of stderr is waited for: whoever was started may hold the pipe. */
const STDERR_GRACE_MS = 200;
const END_STDIN_GRACE_MS = 1_000;
const TERMINATE_GRACE_MS = 3_000;

export interface ChildProcessOptions {
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  cwd?: string;
  log: Log;
  /** The daemon's private folder, where the process is noted while it lives. */
  runtimeDir: string;
  /** Names of files in it that go with the process, such as a socket: removed when it has gone, whoever notices. */
  files?: readonly string[];
}

/** How a process ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The last of what it wrote to stderr. */
  stderrTail: string;
}

/** A running agent process. */
export interface ChildProcess {
  readonly pid: number;
  readonly stdin: Writable;
  /** To be read by the owner; call `stdout.resume()` if nobody does. */
  readonly stdout: Readable;
  /** Resolves at once when the process is gone. Whatever it has left behind is being ended then. */
  readonly exited: Promise<Exit>;
  /**
   * Ends stdin and waits, unless it was ended before; sends TERM to the process and all that it has started, waits,
   * sends KILL. Resolves when nothing of it is left.
   */
  stop(): Promise<Exit>;
}

/**
 * Starts a process.
 * @throws HeddleError `agent_unavailable` when it can't be started at all (missing, not executable).
 */
export async function startChildProcess(options: ChildProcessOptions): Promise<ChildProcess> {
  const { log } = options;
  const mark = randomBytes(8).toString('hex');
  const child = spawn(options.command, options.args, {
    env: { ...options.env, [MARK_VARIABLE]: mark },
    cwd: options.cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: process.platform !== 'win32', // a group of its own; on Windows it would be a window of its own
    windowsHide: true,
  });
  await started(child, options);
  const stderr = keepTail(child.stderr);
  // `exit`, not `close`: a grandchild may hold the pipes open for ever.
  const gone = new Promise<Pick<Exit, 'code' | 'signal'>>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  child.stdin.on('error', () => {}); // the process has gone; `exited` tells
  const pid = child.pid as number;
  log.info('process started', { pid, command: options.command });

  const startedAt = (await findProcess(pid).catch(() => undefined))?.startedAt;
  const family = new ProcessFamily({ pid, startedAt, mark, ownsGroup: true });
  const record: ChildRecord = { pid, startedAt, mark, command: options.command, files: options.files ?? [] };
  await writeChildRecord(options.runtimeDir, record).catch((error: unknown) => {
    log.warn('a process could not be noted: it would outlive a daemon that is killed', { pid, error: asError(error) });
  });
  const cleared = gone.then(async () => {
    try {
      const left = await family.end();
      if (left.length > 0) log.warn('processes that an agent has left behind can not be ended', { pid, left: left.map((one) => one.pid) });
      else await removeChildRecord(options.runtimeDir, record);
    } catch (error) {
      log.warn('what a process has left behind could not be ended', { pid, error: asError(error) });
    }
  });
  const exited = gone.then(async ({ code, signal }): Promise<Exit> => {
    log.info('process ended', { pid, code, signal });
    await settlesWithin(stderr.ended, STDERR_GRACE_MS);
    return { code, signal, stderrTail: stderr.tail() };
  });

  const end = async () => {
    // Whoever is known by its parent only has to be seen while it has one.
    await family.look().catch((error: unknown) => log.warn('processes can not be listed', { error: asError(error) }));
    if (!child.stdin.writableEnded) {
      child.stdin.end();
      if (await settlesWithin(gone, END_STDIN_GRACE_MS)) return;
    }
    signalGroup(pid, 'SIGTERM');
    await family.terminate().catch(() => {}); // told above
    if (await settlesWithin(gone, TERMINATE_GRACE_MS)) return;
    signalGroup(pid, 'SIGKILL');
  };
  let ending: Promise<void> | undefined;
  const stop = async () => {
    await (ending ??= end());
    await cleared;
    return exited;
  };
  return { pid, stdin: child.stdin, stdout: child.stdout, exited, stop };
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

function started(child: Child, { command, cwd }: ChildProcessOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => {
      const where = cwd === undefined ? '' : ` in ${cwd}`; // a folder that is not there reads like a program that is not
      reject(new HeddleError('agent_unavailable', `can't start ${command}${where}: ${cause.message}`, { cause }));
    });
  });
}

function keepTail(stream: Readable): { tail(): string; ended: Promise<unknown> } {
  let chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes < 2 * STDERR_TAIL_BYTES) return;
    chunks = [Buffer.concat(chunks).subarray(-STDERR_TAIL_BYTES)];
    bytes = STDERR_TAIL_BYTES;
  });
  return {
    tail: () => Buffer.concat(chunks).subarray(-STDERR_TAIL_BYTES).toString('utf8'),
    ended: new Promise((resolve) => stream.once('close', resolve)),
  };
}

async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), ms);
  const isSettled = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return isSettled;
}
