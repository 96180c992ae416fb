// Owns one shell command whose output is text for people: bounded in time and in what is kept and written.

import { CapturedOutput } from './captured-output.ts';
import { startPiped } from './command-process.ts';

const TIME_LIMIT_MS = 60_000;
/** A command that floods us is ended: reading on would cost the whole daemon its time. */
const MAX_WRITTEN_BYTES = 64 * 1024 * 1024;

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
  const { cwd, env, signal, timeLimitMs = TIME_LIMIT_MS } = options;
  const startedAtMs = Date.now();
  const captured = new CapturedOutput({
    onText: options.onText,
    ...(options.maxOutputBytes === undefined ? {} : { maxBytes: options.maxOutputBytes }),
  });
  let why: string | undefined;
  const end = (cause: string) => {
    why ??= cause;
    running.end();
  };
  const { file, args } = shellArguments(options.command, env);
  const running = await startPiped({
    file,
    args,
    cwd,
    env,
    hasStdin: false,
    isVerbatim: true,
    onOutput: (stream, chunk) => {
      captured.push(stream, chunk);
      if (captured.totalBytes > MAX_WRITTEN_BYTES) end(`it wrote more than ${MAX_WRITTEN_BYTES} bytes`);
    },
  });
  options.onStarted(running.pid);
  const timer = setTimeout(() => end(`it ran for more than ${timeLimitMs / 1000} s`), timeLimitMs);
  const onAbort = () => end('the turn was cut short');
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const exitCode = await running.ended;
  clearTimeout(timer);
  signal.removeEventListener('abort', onAbort);
  return { output: captured.end(), exitCode, durationMs: Date.now() - startedAtMs, why };
}
