// Owns finding an agent's program and asking it short questions (`--version`, `--help`). Answers are kept for as
// long as the file stays the same, so that a user may install or update at any moment.

import { execFile } from 'node:child_process';
import { realpath, stat } from 'node:fs/promises';
import which from 'which';

const ASK_TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 256 * 1024;

/** A program on this machine. */
export interface Program {
  /** Absolute path as found on PATH. */
  path: string;
  /** Runs it with these arguments and gives what it printed, on stderr if not on stdout; undefined when it failed or took too long. */
  ask(args: readonly string[]): Promise<string | undefined>;
}

/** Finds programs in the environment that agents are started with. */
export class ProgramFinder {
  readonly #launchEnv: () => Promise<NodeJS.ProcessEnv>;
  readonly #answers = new Map<string, Promise<string | undefined>>();

  constructor(launchEnv: () => Promise<NodeJS.ProcessEnv>) {
    this.#launchEnv = launchEnv;
  }

  /** Looks a name up on PATH, or takes an absolute path; undefined when there is no such executable. */
  async find(command: string): Promise<Program | undefined> {
    const env = await this.#launchEnv();
    const path = await which(command, { path: env['PATH'] ?? '', nothrow: true });
    if (path === null) return undefined;
    const file = await realpath(path);
    const { mtimeMs, size } = await stat(file);
    return {
      path,
      ask: (args) => {
        const key = JSON.stringify([file, mtimeMs, size, args]);
        const known = this.#answers.get(key);
        if (known !== undefined) return known;
        const answer = run(path, args, env).then((text) => {
          if (text === undefined) this.#answers.delete(key); // a failure may pass; ask again next time
          return text;
        });
        this.#answers.set(key, answer);
        return answer;
      },
    };
  }
}

function run(path: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { env, timeout: ASK_TIMEOUT_MS, maxBuffer: MAX_ANSWER_BYTES, windowsHide: true };
    execFile(path, [...args], options, (error, stdout, stderr) => resolve(error === null ? stdout || stderr : undefined)).stdin?.end();
  });
}
