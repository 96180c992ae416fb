// Owns commands in a pseudo-terminal, through an optional native package that is loaded when the first one is asked
// for. Without it everything else works, and whoever asks is told what is missing.

import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { RpcError } from '@heddle/rpc';
import { jsonRpcCodes, type TerminalSize } from '@heddle/wire';
import which from 'which';
import { type CommandProcess, type CommandStart, endGroup, politeEnd } from './command-process.ts';

const PACKAGE = '@lydell/node-pty';
const DEFAULT_SIZE: TerminalSize = { rows: 24, cols: 80 };
/** What the terminal can do when the client does not say it; the daemon's own TERM is another terminal's. */
const DEFAULT_TERM = 'xterm-256color';
/** A line's end and the end of input, as a person types them: there is no other way to close a terminal's input. */
const END_OF_INPUT = Uint8Array.of(0x0a, 0x04);

type PtyModule = typeof import('@lydell/node-pty');
export type PtyLoader = () => Promise<PtyModule>;

export interface TerminalProcess extends CommandProcess {
  write(bytes: Uint8Array): void;
  closeInput(): void;
  resize(size: TerminalSize): void;
}

/** The package as it is installed. CommonJS: its exports may stand under `default`. */
export const loadPty: PtyLoader = async () => {
  const loaded = (await import('@lydell/node-pty')) as PtyModule & { default?: PtyModule };
  return loaded.default ?? loaded;
};

/**
 * Starts a command as the leader of a session of its own, with the terminal as its standard input and outputs.
 * @throws RpcError when the package can't be loaded; Error of the system when there is no such program or folder.
 */
export async function startInTerminal(
  options: CommandStart & { size: TerminalSize | undefined; term: string | undefined; load: PtyLoader },
): Promise<TerminalProcess> {
  const pty = await options.load().catch((cause: unknown) => {
    throw notInstalled(cause);
  });
  const file = await findProgram(options);
  const { rows, cols } = options.size ?? DEFAULT_SIZE;
  const terminal = pty.spawn(file, [...options.args], {
    cwd: options.cwd,
    env: options.env,
    rows,
    cols,
    name: options.term ?? DEFAULT_TERM,
    encoding: null, // bytes; on Windows it is text all the same
  });
  terminal.onData((data: string | Uint8Array) => options.onOutput('stdout', typeof data === 'string' ? Buffer.from(data) : data));
  const hangUp = politeEnd(terminal.pid, 'SIGHUP');
  const exited = new Promise<number>((settle) => {
    terminal.onExit(({ exitCode, signal }) => settle(signal === undefined || signal === 0 ? exitCode : 128 + signal));
  });
  const finish = async () => {
    const exitCode = await exited;
    hangUp.lift();
    await endGroup(terminal.pid);
    return exitCode;
  };
  return {
    pid: terminal.pid,
    ended: finish(),
    end: hangUp.end,
    pause: () => terminal.pause(),
    resume: () => terminal.resume(),
    write: (bytes) => terminal.write(bytes as never), // it takes bytes, although its types say text
    closeInput: () => terminal.write(END_OF_INPUT as never),
    resize: (size) => terminal.resize(size.cols, size.rows),
  };
}

/** The package would start it all the same, and only its exit code would tell. */
async function findProgram({ file, cwd, env }: CommandStart): Promise<string> {
  if (!(await stat(cwd)).isDirectory()) throw Object.assign(new Error(`${cwd} is no folder`), { code: 'ENOTDIR' });
  const wanted = /[\\/]/.test(file) ? resolve(cwd, file) : file;
  return which(wanted, { path: env['PATH'] ?? env['Path'] ?? '' });
}

function notInstalled(cause: unknown): RpcError {
  const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
  return new RpcError(
    jsonRpcCodes.internalError,
    `a terminal (tty) needs the optional package ${PACKAGE}, which can't be loaded on that computer: install heddle there again without --omit=optional. ${why}`,
  );
}
