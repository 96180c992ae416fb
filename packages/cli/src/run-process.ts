// Owns what is global in a process: its signals, its broken pipes and its end. What a command does is elsewhere.

import { constants } from 'node:os';
import { runProgram } from './run-program.ts';

/** Runs the command line of this process and ends the process. */
export async function runProcess(): Promise<void> {
  const interrupts = new AbortController();
  let isCaught = false;
  const onSignal = (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => {
    // Nobody wants to end in order, or somebody did and takes too long.
    if (!isCaught || interrupts.signal.aborted) process.exit(128 + constants.signals[signal]);
    interrupts.abort(signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);

  let survivesBrokenOutput = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // `heddle logs | head`: the reader has what it wanted.
    if (!survivesBrokenOutput) process.exit(error.code === 'EPIPE' ? 0 : 1);
  });
  process.stderr.on('error', () => {}); // there is nowhere left to say it

  const exitCode = await runProgram(process.argv.slice(2), {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    catchInterrupt() {
      isCaught = true;
      return interrupts.signal;
    },
    surviveBrokenOutput() {
      survivesBrokenOutput = true;
    },
  });
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(exitCode); // sockets of a network library must not keep a finished command alive
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (!stream.writable) resolve();
    else stream.write('', () => resolve());
  });
}
