// Owns what a command is given: streams, places, colours and the two questions it may ask of the process. No command
// touches `process`.

import type { Readable, Writable } from 'node:stream';
import { type HostPaths, resolvePaths } from '@heddle/host';
import { createPaint, type Paint } from './paint.ts';
import { version } from './version.ts';

export interface CliIo {
  stdin: Readable & { isTTY?: boolean };
  stdout: Writable & { isTTY?: boolean; columns?: number };
  stderr: Writable & { isTTY?: boolean };
  env: NodeJS.ProcessEnv;
  /** From this call on the first interrupt (Ctrl-C, a termination) aborts the signal; the second ends the process. */
  catchInterrupt: () => AbortSignal;
  /** From this call on a reader of stdout that goes away does not end the process. */
  surviveBrokenOutput: () => void;
}

export interface CliContext extends CliIo {
  /** Version of this program. */
  readonly version: string;
  readonly paths: HostPaths;
  readonly paintStdout: Paint;
  readonly paintStderr: Paint;
  /** What the process ends with unless an error is thrown. */
  exitCode: number;
  /** Writes lines to stdout: what the user has asked for. */
  print: (text: string) => void;
  /** Writes a line to stderr: what is good to know beside. */
  note: (text: string, hint?: string) => void;
  /** Compares the version that a daemon answered with to ours; tells a difference once. */
  readonly onVersion: (daemonVersion: string) => void;
}

/** @throws HeddleError when a path is first asked for and the environment names an impossible one. */
export function createContext(io: CliIo): CliContext {
  let paths: HostPaths | undefined;
  let hasToldVersion = false;
  const paintStderr = createPaint(io.stderr, io.env);
  const context: CliContext = {
    ...io,
    version,
    get paths() {
      return (paths ??= resolvePaths(io.env));
    },
    paintStdout: createPaint(io.stdout, io.env),
    paintStderr,
    exitCode: 0,
    print: (text) => void io.stdout.write(`${text}\n`),
    note: (text, hint) =>
      void io.stderr.write(`heddle: ${paintStderr('yellow', 'note:')} ${text}\n${hint === undefined ? '' : `  hint: ${hint}\n`}`),
    onVersion: (daemonVersion) => {
      if (daemonVersion === version || hasToldVersion) return;
      hasToldVersion = true;
      context.note(
        `the running daemon is heddle ${daemonVersion}, this command is ${version}`,
        'Restart it: `heddle stop`, then `heddle serve`.',
      );
    },
  };
  return context;
}
