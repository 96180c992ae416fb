// Owns the life of one command: started in its own process group, drained, ended politely and then not, and gone with
// its whole group when `ended` resolves. A process that leaves the group on purpose (setsid) is out of reach.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { signalGroup } from '../processes/signal-group.ts';

/** Between asking the group to end and ending it. */
const TERM_GRACE_MS = 500;
/** How long killed processes may take to go. They may stay in the table for longer where nobody reaps orphans. */
const GONE_GRACE_MS = 500;
const GONE_POLL_MS = 5;
/** How long the pipes may stay open after the group is gone, held by a process that left it. */
const PIPE_GRACE_MS = 500;

export type OutputStream = 'stdout' | 'stderr';

export interface CommandStart {
  file: string;
  args: readonly string[];
  /** Absolute. */
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Output as it comes; none comes after `ended`. */
  onOutput: (stream: OutputStream, chunk: Uint8Array) => void;
}

/** A running command. */
export interface CommandProcess {
  /** Also the id of its group. */
  readonly pid: number;
  /** Resolves with the exit code when nobody of the group is left: 128 and the signal's number after a signal, as shells say it. */
  readonly ended: Promise<number>;
  /** Asks the group to end, and ends it when it does not. */
  end(): void;
  /** Holds the output back, and with it the command. */
  pause(): void;
  resume(): void;
}

export interface PipedProcess extends CommandProcess {
  /** Absent when the command reads from nothing. */
  readonly stdin: Writable | undefined;
}

/**
 * Starts a command on pipes.
 * @throws Error of the system (`ENOENT`, `EACCES` …) when it could not be started.
 */
export async function startPiped(options: CommandStart & { hasStdin: boolean; isVerbatim?: boolean }): Promise<PipedProcess> {
  const isWindows = process.platform === 'win32';
  const child = spawn(options.file, options.args, {
    cwd: options.cwd,
    env: options.env,
    stdio: [options.hasStdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    detached: !isWindows, // a process group of its own
    windowsHide: true,
    windowsVerbatimArguments: isWindows && options.isVerbatim === true,
  });
  const exited = new Promise<number>((resolve) => child.once('exit', (code, signal) => resolve(exitCodeOf(code, signal))));
  const pipesClosed = new Promise((resolve) => child.once('close', resolve));
  child.stdin?.on('error', () => {}); // it does not read any more; its exit tells
  await once(child, 'spawn'); // rejects with the error event when there is no such program or folder
  const pid = child.pid as number;
  const streams = [child.stdout, child.stderr] as const;
  child.stdout?.on('data', (chunk: Uint8Array) => options.onOutput('stdout', chunk));
  child.stderr?.on('data', (chunk: Uint8Array) => options.onOutput('stderr', chunk));

  const terminate = politeEnd(pid, 'SIGTERM');
  let hasExited = false;
  const finish = async () => {
    const exitCode = await exited;
    hasExited = true;
    terminate.lift();
    await endGroup(pid); // what it left behind in the background
    for (const stream of streams) stream?.resume(); // what it has written is still handed on
    const timer = setTimeout(() => {
      for (const stream of streams) stream?.destroy();
    }, PIPE_GRACE_MS);
    await pipesClosed;
    clearTimeout(timer);
    return exitCode;
  };
  return {
    pid,
    stdin: child.stdin ?? undefined,
    ended: finish(),
    end: terminate.end,
    pause: () => {
      if (hasExited) return; // held back, the last of its output would be lost with the pipes
      for (const stream of streams) stream?.pause();
    },
    resume: () => {
      for (const stream of streams) stream?.resume();
    },
  };
}

function exitCodeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + constants.signals[signal ?? 'SIGKILL'];
}

/** The first signal, and after a while the last one. `lift`: it has gone, and its number may be another's soon. */
export function politeEnd(pid: number, signal: NodeJS.Signals): { end: () => void; lift: () => void } {
  let killTimer: NodeJS.Timeout | undefined;
  let isOver = false;
  return {
    end() {
      if (isOver || killTimer !== undefined) return;
      signalGroup(pid, signal);
      killTimer = setTimeout(() => signalGroup(pid, 'SIGKILL'), TERM_GRACE_MS);
    },
    lift() {
      isOver = true;
      clearTimeout(killTimer);
    },
  };
}

/** Kills whoever is left in a group and waits until nobody is: the end of an orphan can only be asked for. */
export async function endGroup(pid: number): Promise<void> {
  if (process.platform === 'win32') return; // there `signalGroup` took the whole tree, by the id of who has gone now
  const deadlineMs = Date.now() + GONE_GRACE_MS;
  while (signalGroup(pid, 'SIGKILL') && Date.now() < deadlineMs) await sleep(GONE_POLL_MS);
}
