// Owns the life of one agent process: spawn → serving → closing → gone. A process group of its own, so that what
// the agent has started goes with it; pipes always drained; the tail of stderr kept for the error text.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { Log } from '@heddle/rpc';
import { HeddleError } from '@heddle/wire';

/** How much of stderr is kept: enough for a panic with its backtrace. */
const STDERR_TAIL_BYTES = 64 * 1024;
const END_STDIN_GRACE_MS = 1_000;
const TERMINATE_GRACE_MS = 3_000;

export interface ChildProcessOptions {
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  cwd?: string;
  log: Log;
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
  /** Resolves when the process is gone; whatever is left of its group is killed then. */
  readonly exited: Promise<Exit>;
  /** Ends stdin and waits, unless it was ended before; sends TERM to the group, waits, sends KILL. Resolves when the process is gone. */
  stop(): Promise<Exit>;
}

/**
 * Starts a process.
 * @throws HeddleError `agent_unavailable` when it can't be started at all (missing, not executable).
 */
export async function startChildProcess(options: ChildProcessOptions): Promise<ChildProcess> {
  const child = spawn(options.command, options.args, {
    env: options.env,
    cwd: options.cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: process.platform !== 'win32', // a group of its own; on Windows it would be a window of its own
    windowsHide: true,
  });
  await started(child, options.command);
  const pid = child.pid as number;
  const tail = keepTail(child.stderr);
  child.stdin.on('error', () => {}); // the process has gone; `exited` tells
  // `exit`, not `close`: a grandchild may hold the pipes open for ever.
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      signalGroup(pid, 'SIGKILL');
      options.log.info('process ended', { pid, code, signal });
      resolve({ code, signal, stderrTail: tail() });
    });
  });
  options.log.info('process started', { pid, command: options.command });

  const goneWithin = (ms: number) => Promise.race([exited.then(() => true), delay(ms).then(() => false)]);
  const stop = async () => {
    if (!child.stdin.writableEnded) {
      child.stdin.end();
      if (await goneWithin(END_STDIN_GRACE_MS)) return exited;
    }
    signalGroup(pid, 'SIGTERM');
    if (await goneWithin(TERMINATE_GRACE_MS)) return exited;
    signalGroup(pid, 'SIGKILL');
    return exited;
  };
  return { pid, stdin: child.stdin, stdout: child.stdout, exited, stop };
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

function started(child: Child, command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => reject(new HeddleError('agent_unavailable', `can't start ${command}: ${cause.message}`, { cause })));
  });
}

function keepTail(stream: Readable): () => string {
  let chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes < 2 * STDERR_TAIL_BYTES) return;
    chunks = [Buffer.concat(chunks).subarray(-STDERR_TAIL_BYTES)];
    bytes = STDERR_TAIL_BYTES;
  });
  return () => Buffer.concat(chunks).subarray(-STDERR_TAIL_BYTES).toString('utf8');
}

/**
 * Signals a whole process group. Windows has neither groups nor polite signals: there the tree is ended at once.
 * @returns whether there was anybody to be signalled; that nobody is left is mostly what was wanted
 */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  if (process.platform === 'win32') {
    spawn('taskkill', ['/pid', String(pid), '/T', '/F'], { stdio: 'ignore', windowsHide: true }).on('error', () => {});
    return true;
  }
  try {
    return process.kill(-pid, signal);
  } catch {
    return false; // ESRCH, or EPERM where only dead members are left (macOS)
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
