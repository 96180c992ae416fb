// Owns the life of one shell command: started in its own process group, drained, ended on time, and gone when the
// promise settles. A process that leaves the group on purpose (setsid) is out of reach.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { signalGroup } from '@heddle/bridge-kit';
import { CapturedOutput } from './captured-output.ts';

const TIME_LIMIT_MS = 60_000;
/** A command that floods us is ended: reading on would cost the whole daemon its time. */
const MAX_WRITTEN_BYTES = 64 * 1024 * 1024;
/** Between asking the group to end and ending it. */
const TERM_GRACE_MS = 500;
/** How long killed processes may take to go. They may stay in the table for longer where nobody reaps orphans. */
const GONE_GRACE_MS = 500;
const GONE_POLL_MS = 5;
/** How long the pipes may stay open after the group is gone, held by a process that left it. */
const PIPE_GRACE_MS = 500;

export interface ShellCommandOptions {
  command: string;
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Aborting ends the command; the result still says how. */
  signal: AbortSignal;
  onStarted: (processId: number) => void;
  onText: (text: string) => void;
  timeLimitMs?: number;
  maxOutputBytes?: number;
}

export interface ShellCommandResult {
  output: string;
  /** 128 and the signal's number for a process that a signal ended, as shells say it. */
  exitCode: number;
  durationMs: number;
  /** Why it was ended from here; absent when it ended by itself. The first cause is kept. */
  why: string | undefined;
}

/** How the shell is called with a command, for showing and for starting. */
export function shellArguments(command: string, env: NodeJS.ProcessEnv): { file: string; args: string[]; display: string } {
  if (process.platform === 'win32') {
    const file = env['ComSpec'] ?? 'cmd.exe';
    return { file, args: ['/d', '/s', '/c', `"${command}"`], display: `${file} /d /s /c "${command}"` };
  }
  return { file: '/bin/sh', args: ['-c', command], display: `/bin/sh -c '${command.replaceAll("'", String.raw`'\''`)}'` };
}

/**
 * Runs a command to its end, or to its being ended. Resolves when no process of its group is left.
 * @throws Error when it could not be started.
 */
export async function runShellCommand(options: ShellCommandOptions): Promise<ShellCommandResult> {
  const startedAtMs = Date.now();
  const child = spawnShell(options);
  const exited = new Promise<number>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
  });
  const pipesClosed = new Promise((resolve) => child.once('close', resolve));
  await once(child, 'spawn'); // rejects with the error event when there is no such shell or folder
  const pid = child.pid as number;
  options.onStarted(pid);

  const limits = limitGroup(pid, options);
  const captured = new CapturedOutput({
    onText: options.onText,
    ...(options.maxOutputBytes === undefined ? {} : { maxBytes: options.maxOutputBytes }),
  });
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (chunk: Uint8Array) => {
      captured.push(stream, chunk);
      if (captured.totalBytes > MAX_WRITTEN_BYTES) limits.end(`it wrote more than ${MAX_WRITTEN_BYTES} bytes`);
    });
  }
  const exitCode = await exited;
  limits.lift();
  if (process.platform !== 'win32') await endGroup(pid); // what the shell left behind in the background
  const timer = setTimeout(() => {
    child.stdout.destroy();
    child.stderr.destroy();
  }, PIPE_GRACE_MS);
  await pipesClosed;
  clearTimeout(timer);
  return { output: captured.end(), exitCode, durationMs: Date.now() - startedAtMs, why: limits.why };
}

function spawnShell(options: ShellCommandOptions): ChildProcessByStdio<null, Readable, Readable> {
  const { file, args } = shellArguments(options.command, options.env);
  const isWindows = process.platform === 'win32';
  return spawn(file, args, {
    cwd: options.cwd,
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: !isWindows, // a process group of its own
    windowsHide: true,
    windowsVerbatimArguments: isWindows,
  });
}

interface Limits {
  /** Why the group was ended; absent while it was not. */
  readonly why: string | undefined;
  /** Ends the group: politely, and then not. The first cause is kept. */
  end(cause: string): void;
  /** No more limits: the process has ended. */
  lift(): void;
}

function limitGroup(pid: number, { signal, timeLimitMs = TIME_LIMIT_MS }: ShellCommandOptions): Limits {
  let why: string | undefined;
  let killTimer: NodeJS.Timeout | undefined;
  const end = (cause: string) => {
    if (why !== undefined) return;
    why = cause;
    signalGroup(pid, 'SIGTERM');
    killTimer = setTimeout(() => signalGroup(pid, 'SIGKILL'), TERM_GRACE_MS);
  };
  const timeTimer = setTimeout(() => end(`it ran for more than ${timeLimitMs / 1000} s`), timeLimitMs);
  const onAbort = () => end('the turn was cut short');
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  return {
    get why() {
      return why;
    },
    end,
    lift() {
      clearTimeout(timeTimer);
      clearTimeout(killTimer);
      signal.removeEventListener('abort', onAbort);
    },
  };
}

/** Kills whoever is left in a group and waits until nobody is: the end of an orphan can only be asked for. */
async function endGroup(pid: number): Promise<void> {
  const deadlineMs = Date.now() + GONE_GRACE_MS;
  while (signalGroup(pid, 'SIGKILL') && Date.now() < deadlineMs) await sleep(GONE_POLL_MS);
}
