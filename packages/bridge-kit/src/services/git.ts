// Owns calling git: bounded in time, in output and in how many at once; never asking anybody anything, taking no locks
// that somebody else could wait for, and running no program that a repository's configuration names, as far as that
// can be switched off.

import { setTimeout as sleep } from 'node:timers/promises';
import { startPiped } from './command-process.ts';

const TIMEOUT_MS = 10_000;
/** Somebody waits for the answer to a short question: a thread begins with one. */
const QUESTION_TIMEOUT_MS = 3_000;
const MAX_OUTPUT_BYTES = 1024 * 1024;
const MAX_AT_ONCE = 4;

/** They would lead git to another repository than the folder's: a daemon may have been started from a hook. */
const misleadingVariables = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_COMMON_DIR',
  'GIT_OBJECT_DIRECTORY',
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_NAMESPACE',
  'GIT_PREFIX',
  'GIT_EXTERNAL_DIFF',
  'GIT_DIFF_OPTS',
];

const quietVariables = { GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0', GIT_PAGER: 'cat', LC_ALL: 'C' };
const quietOptions = ['--no-pager', '-c', 'core.fsmonitor=false', '-c', 'core.quotePath=false', '-c', 'color.ui=false'];

export interface GitCall {
  /** Absolute. */
  cwd: string;
  args: readonly string[];
  maxBytes?: number;
  timeoutMs?: number;
  variables?: NodeJS.ProcessEnv;
}

export interface GitAnswer {
  /** 0: it did what it was asked. */
  exitCode: number;
  stdout: Buffer;
  /** It had more to say than was asked for, or took too long: `stdout` is only the beginning. */
  isCut: boolean;
}

export class Git {
  readonly #env: () => NodeJS.ProcessEnv | Promise<NodeJS.ProcessEnv>;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(env: () => NodeJS.ProcessEnv | Promise<NodeJS.ProcessEnv>) {
    this.#env = env;
  }

  /** @throws Error of the system when git, or the folder, is not there. */
  async call(call: GitCall): Promise<GitAnswer> {
    if (this.#running >= MAX_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      return await this.#run(call);
    } finally {
      // The place goes to whoever waits.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  /** What git printed, without the line's end; `undefined` when it did not do what it was asked in time, or is not there. */
  async ask(cwd: string, ...args: string[]): Promise<string | undefined> {
    const answer = await this.call({ cwd, args, timeoutMs: QUESTION_TIMEOUT_MS }).catch(() => undefined);
    return answer?.exitCode === 0 && !answer.isCut ? answer.stdout.toString('utf8').trimEnd() : undefined;
  }

  async #run({ cwd, args, maxBytes = MAX_OUTPUT_BYTES, timeoutMs = TIMEOUT_MS, variables = {} }: GitCall): Promise<GitAnswer> {
    const env = { ...(await this.#env()) };
    for (const name of misleadingVariables) delete env[name];
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    let isCut = false;
    const cut = () => {
      isCut = true;
      git.end();
    };
    const git = await startPiped({
      file: 'git',
      args: [...quietOptions, ...args],
      cwd,
      env: { ...env, ...quietVariables, ...variables },
      hasStdin: false,
      onOutput: (stream, chunk) => {
        if (stream === 'stderr' || isCut) return;
        chunks.push(chunk.subarray(0, maxBytes - bytes));
        bytes += chunk.byteLength;
        if (bytes > maxBytes) cut();
      },
    });
    const over = new AbortController();
    sleep(timeoutMs, undefined, { signal: over.signal }).then(cut, () => {}); // it was in time
    const exitCode = await git.ended;
    over.abort();
    return { exitCode, stdout: Buffer.concat(chunks), isCut };
  }
}
