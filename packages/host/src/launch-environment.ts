// Owns the environment that agents are started with: what the user's login shell has, and what the daemon was given.
// A daemon that a service manager started knows neither the user's PATH nor the keys in a shell profile. Values are
// never logged.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { basename, delimiter } from 'node:path';
import type { Log } from '@heddle/rpc';
import { asError } from '@heddle/wire';

const TIME_LIMIT_MS = 3_000;
/** Profiles may print things; an environment is a few dozen KiB. */
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
/** Set for the shell only: tells what it prints from what its profile prints. */
const MARKER_VARIABLE = 'HEDDLE_ENVIRONMENT_MARKER';
/** What launchd, systemd and cron have in PATH for everybody, on the systems in use. */
const SYSTEM_FOLDERS = new Set([
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
  '/usr/local/games',
  '/usr/games',
  '/snap/bin',
]);
/** What a shell sets about itself. */
const OF_THE_SHELL = new Set(['_', 'SHLVL', 'PWD', 'OLDPWD']);

export interface LaunchEnvironmentOptions {
  /** The environment that the daemon itself was started with. */
  ownEnv: NodeJS.ProcessEnv;
  log: Log;
  timeLimitMs?: number;
  maxOutputBytes?: number;
}

/** Asks the login shell when it is first needed, once. */
export class LaunchEnvironment {
  readonly #options: LaunchEnvironmentOptions;
  #merged: Promise<NodeJS.ProcessEnv> | undefined;

  constructor(options: LaunchEnvironmentOptions) {
    this.#options = options;
  }

  /** The environment, without heddle's own variables. Never rejects: without an answer it is the daemon's own. */
  async get(): Promise<NodeJS.ProcessEnv> {
    this.#merged ??= this.#read();
    return { ...(await this.#merged) };
  }

  /** Forgets what the shell said: the next `get` asks again. */
  refresh(): void {
    this.#merged = undefined;
  }

  async #read(): Promise<NodeJS.ProcessEnv> {
    const { ownEnv, log } = this.#options;
    const own = withoutHeddle(ownEnv);
    if (process.platform === 'win32') return own; // every process has the user's environment there
    const startedAtMs = Date.now();
    const shell = loginShell(own);
    try {
      const merged = mergeEnvironments(own, await askShell(shell, own, this.#options));
      log.debug('the login shell was asked for its environment', { shell, ms: Date.now() - startedAtMs });
      return merged;
    } catch (error) {
      log.warn("agents get the daemon's own environment: the login shell did not tell its own; `heddle reload` asks again", {
        shell,
        error: asError(error),
      });
      return own;
    }
  }
}

/**
 * One environment of two. A value that the daemon was given stands, and the shell adds what is missing: who started the
 * daemon with a variable meant it. PATH has the entries of both, the daemon's own first when somebody has made it: a
 * terminal, perhaps with a virtual environment, or a unit file. A PATH of the system's folders only is what service
 * managers give; then the shell's come first, since they may be meant to stand before those.
 */
export function mergeEnvironments(own: NodeJS.ProcessEnv, shell: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const added = Object.entries(withoutHeddle(shell)).filter(([name]) => own[name] === undefined && !OF_THE_SHELL.has(name));
  const [ownEntries, shellEntries] = [pathEntries(own), pathEntries(shell)];
  const isMade = ownEntries.some((entry) => !SYSTEM_FOLDERS.has(entry));
  const entries = new Set(isMade ? [...ownEntries, ...shellEntries] : [...shellEntries, ...ownEntries]);
  return { ...own, ...Object.fromEntries(added), ...(entries.size === 0 ? {} : { PATH: [...entries].join(delimiter) }) };
}

/** An empty entry would mean the working directory, which is another for each agent. */
function pathEntries(env: NodeJS.ProcessEnv): string[] {
  return env['PATH']?.split(delimiter).filter((entry) => entry !== '') ?? [];
}

/** Agents, and what they run, are not to find this daemon by accident. */
function withoutHeddle(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('HEDDLE_')));
}

function loginShell(env: NodeJS.ProcessEnv): string {
  if (env['SHELL'] !== undefined && env['SHELL'] !== '') return env['SHELL'];
  try {
    return userInfo().shell ?? '/bin/sh';
  } catch {
    return '/bin/sh'; // a user id without an account, as in containers
  }
}

/**
 * Runs a shell as for a login and gives its environment, read by the program that this daemon runs on: no tool that
 * every system has prints values with line breaks in an unmistakable way.
 * @throws Error when it does not answer in time, says too much or nothing, or can't be started.
 */
function askShell(shell: string, env: NodeJS.ProcessEnv, limits: LaunchEnvironmentOptions): Promise<NodeJS.ProcessEnv> {
  const { timeLimitMs = TIME_LIMIT_MS, maxOutputBytes = MAX_OUTPUT_BYTES } = limits;
  const marker = randomBytes(16).toString('hex');
  const home = env['HOME'] ?? homedir();
  const child = spawn(shell, shellArguments(shell), {
    env: { ...env, [MARKER_VARIABLE]: marker },
    cwd: existsSync(home) ? home : '/', // where login shells begin; not a project, whose folder may change its PATH
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true, // no terminal of ours to read from or to take over, and a group to be ended
  });
  const { promise, resolve, reject } = Promise.withResolvers<NodeJS.ProcessEnv>();
  const timer = setTimeout(() => reject(new Error(`it did not answer within ${timeLimitMs / 1000} s`)), timeLimitMs);
  const chunks: Buffer[] = [];
  let bytes = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    const answer = new RegExp(`${marker}(\\{.*\\})${marker}`).exec(Buffer.concat(chunks).toString('utf8'))?.[1];
    if (answer !== undefined)
      resolve(JSON.parse(answer) as NodeJS.ProcessEnv); // a program of ours wrote it whole
    else if (bytes > maxOutputBytes) reject(new Error(`it printed more than ${maxOutputBytes} bytes`));
  });
  child.once('error', reject);
  child.once('close', (code, signal) => reject(new Error(`it ended without an answer (${signal ?? `exit code ${code}`})`)));
  return promise.finally(() => {
    clearTimeout(timer);
    child.stdout.destroy();
    endGroup(child.pid);
  });
}

function shellArguments(shell: string): string[] {
  const script = `const{${MARKER_VARIABLE}:m,...e}=process.env;process.stdout.write(m+JSON.stringify(e)+m)`;
  const command = `${quote(process.execPath)} -e ${quote(script)}`;
  // csh takes -l only when it stands alone.
  return /^t?csh$/.test(basename(shell)) ? ['-i', '-c', command] : ['-i', '-l', '-c', command];
}

/** Quotes for POSIX shells, zsh, fish and csh alike. */
function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Whatever a profile has started in the background and has not made a daemon of its own, such as an agent for keys. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it has gone: the ordinary case
  }
}
