// Owns the commands of one session, by the names that the client gave them: each from the moment in which its name is
// taken to its answer, and all of them until the session ends.

import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { RpcError } from '@heddle/rpc';
import { type CommandExecResult, jsonRpcCodes } from '@heddle/wire';
import { refusal } from '../server/params.ts';
import type { Session } from '../server/session.ts';
import { type PipedProcess, startPiped } from './command-process.ts';
import { ExecOutput } from './exec-output.ts';
import type { ExecRequest } from './exec-params.ts';
import { refusalOf } from './os-error.ts';
import { type PtyLoader, startInTerminal, type TerminalProcess } from './pseudo-terminal.ts';

/** As `timeout` says it, and codex 0.169. */
const TIMED_OUT_EXIT_CODE = 124;
const MAX_COMMANDS = 64;
/** What an answer may carry of each stream, whatever the cap that the client chose. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

export interface SessionCommandsOptions {
  env: () => NodeJS.ProcessEnv | Promise<NodeJS.ProcessEnv>;
  loadPty: PtyLoader;
}

export type ExecProcess = PipedProcess | TerminalProcess;

/** A command from the moment in which its name is taken. */
export class RunningExec {
  readonly request: ExecRequest;
  /** Whoever has said `command/exec` may say `write` at once: it waits for this. Rejects as the command does. */
  readonly started: Promise<ExecProcess>;
  isInputClosed = false;

  constructor(request: ExecRequest, started: Promise<ExecProcess>) {
    this.request = request;
    this.started = started;
  }

  /** Also before it has started: then as soon as it has. */
  end(): void {
    this.started.then((process) => process.end()).catch(() => {}); // who waits for its answer is told
  }
}

export class SessionCommands {
  readonly #session: Session;
  readonly #options: SessionCommandsOptions;
  readonly #named = new Map<string, RunningExec>();
  readonly #running = new Map<RunningExec, Promise<CommandExecResult>>();
  #isEnded = false;

  constructor(session: Session, options: SessionCommandsOptions) {
    this.#session = session;
    this.#options = options;
  }

  named(processId: string): RunningExec {
    const exec = this.#named.get(processId);
    if (exec === undefined) throw refusal(`no active command/exec for process id ${JSON.stringify(processId)}`);
    return exec;
  }

  /** @throws RpcError when it can't be started, or does not end well enough to be answered. */
  async run(request: ExecRequest): Promise<CommandExecResult> {
    const { processId } = request;
    if (processId !== undefined && this.#named.has(processId)) {
      throw refusal(`duplicate active command/exec process id: ${JSON.stringify(processId)}`);
    }
    if (this.#running.size >= MAX_COMMANDS) {
      throw refusal(`command/exec: ${MAX_COMMANDS} commands of this session run already; end one with command/exec/terminate`);
    }
    if (this.#isEnded) throw refusal('the session has ended');
    const output = this.#output(request);
    const exec = new RunningExec(request, this.#start(request, output));
    if (processId !== undefined) this.#named.set(processId, exec);
    const result = this.#finish(exec, output).finally(() => {
      if (processId !== undefined) this.#named.delete(processId); // free before the client can know that it ended
      this.#running.delete(exec);
    });
    this.#running.set(exec, result);
    return result;
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    for (const exec of this.#running.keys()) exec.end();
    await Promise.allSettled(this.#running.values());
  }

  #output({ processId = '', streamsOutput, capBytes }: ExecRequest): ExecOutput {
    return new ExecOutput({
      capBytes,
      maxKeptBytes: MAX_ANSWER_BYTES,
      onDelta: streamsOutput ? (delta) => this.#session.notify('command/exec/outputDelta', { processId, ...delta }) : undefined,
    });
  }

  async #start(request: ExecRequest, output: ExecOutput): Promise<ExecProcess> {
    try {
      const env = withVariables(await this.#options.env(), request.env);
      const { file, args, size } = request;
      const cwd = resolve(env['HOME'] ?? homedir(), request.cwd);
      if (file === '') throw new Error('missing program');
      if ([file, ...args, cwd, ...Object.entries(request.env).flat()].some((text) => text?.includes('\0') === true)) {
        throw new Error('nul byte found in provided data'); // Node would repeat the whole text, which may be a secret
      }
      const start = { file, args, cwd, env, onOutput: output.push.bind(output) };
      const term = request.env['TERM'] ?? undefined;
      if (request.isTerminal) return await startInTerminal({ ...start, size, term, load: this.#options.loadPty });
      return await startPiped({ ...start, hasStdin: request.streamsInput });
    } catch (error) {
      throw refusalOf(error, 'failed to spawn command: ');
    }
  }

  async #finish(exec: RunningExec, output: ExecOutput): Promise<CommandExecResult> {
    const { timeoutMs } = exec.request;
    const process = await exec.started;
    output.holdBack(process);
    let isTimedOut = false;
    const onTimeout = () => {
      isTimedOut = true;
      process.end();
    };
    const timer = timeoutMs === undefined ? undefined : setTimeout(onTimeout, timeoutMs);
    const exitCode = await process.ended;
    clearTimeout(timer);
    const kept = output.end();
    if (output.isTooMuch) throw tooMuchOutput();
    return { exitCode: isTimedOut ? TIMED_OUT_EXIT_CODE : exitCode, ...kept };
  }
}

/** Names of variables differ by their case alone nowhere but on Windows, where they don't. */
function withVariables(env: NodeJS.ProcessEnv, changes: Readonly<Record<string, string | null>>): NodeJS.ProcessEnv {
  const result = { ...env };
  const isSame = (left: string, right: string) =>
    process.platform === 'win32' ? left.toUpperCase() === right.toUpperCase() : left === right;
  for (const [name, value] of Object.entries(changes)) {
    for (const known of Object.keys(result)) if (isSame(known, name)) delete result[known];
    if (value !== null) result[name] = value;
  }
  return result;
}

function tooMuchOutput(): RpcError {
  return new RpcError(
    jsonRpcCodes.internalError,
    `the command wrote more than ${MAX_ANSWER_BYTES} bytes, which one answer does not carry; send \`streamStdoutStderr\`, or a lower \`outputBytesCap\``,
  );
}
