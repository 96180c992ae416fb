// Owns how claude processes come to be: the pool with one for each thread, and the short-lived one that tells what a
// claude offers in a folder.

import { assertFolder, FolderReports, type Lease, type Permissions, ProcessPool } from '@heddle/bridge-kit';
import type { Log } from '@heddle/rpc';
import { asError, HeddleError, type ThreadId } from '@heddle/wire';
import { type AppliedSettings, type ClaudeReport, initialize, readSettings } from './control.ts';
import { type ClaudeListener, ClaudeProcess } from './process.ts';
import { type ClaudeStart, claudeArguments, claudeEnvironment, mayHaveFullAccess, THINKING_FLAG } from './process-arguments.ts';
import type { PermissionMode } from './settings.ts';

export interface ClaudeProcessesOptions {
  /** Finds the program afresh: a user updates at any moment. @throws HeddleError `agent_unavailable` */
  findCommand: () => Promise<string>;
  launchEnv: () => Promise<NodeJS.ProcessEnv>;
  allowFullAccess: boolean;
  runtimeDir: string;
  log: Log;
}

/** What a thread's process is started with. */
export type ThreadStart = Pick<ClaudeStart, 'session' | 'model' | 'effort' | 'mode'> & { cwd: string; instructions: string | undefined };

/** A process that has answered, and with what. */
export interface StartedClaude {
  process: ClaudeProcess;
  applied: AppliedSettings;
  mode: PermissionMode;
}

/** What a claude offers in a folder, and what it would run with there. */
export interface FolderReport extends ClaudeReport {
  applied: AppliedSettings;
}

export class ClaudeProcesses {
  readonly #options: ClaudeProcessesOptions;
  readonly #pool = new ProcessPool<ClaudeProcess>({ agent: 'claude' });
  readonly #reports = new FolderReports<FolderReport>((cwd) => this.#ask(cwd));
  #hasThinkingDisplay = true;

  constructor(options: ClaudeProcessesOptions) {
    this.#options = options;
  }

  async permissions(): Promise<Permissions> {
    return { allowFullAccess: mayHaveFullAccess(this.#options.allowFullAccess, await this.#options.launchEnv()) };
  }

  /**
   * The process of a thread, started when it has none.
   * @param onStarted called for a process that was started now, when it has answered
   * @throws HeddleError, RpcError: why it can't be started.
   */
  lease(
    threadId: ThreadId,
    start: () => Promise<ThreadStart>,
    listener: ClaudeListener,
    onStarted: (started: StartedClaude) => void,
  ): Promise<Lease<ClaudeProcess>> {
    return this.#pool.acquire(threadId, async () => {
      const wanted = await start();
      const started = await this.#start(wanted, listener);
      onStarted(started);
      return started.process;
    });
  }

  peek(threadId: ThreadId): ClaudeProcess | undefined {
    return this.#pool.peek(threadId);
  }

  /** Ends the process of a thread. Resolves when nothing of it is left. */
  end(threadId: ThreadId): Promise<void> {
    return this.#pool.remove(threadId);
  }

  endAll(): Promise<void> {
    return this.#pool.stopAll();
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  /** What claude offers in a folder; one process at a time tells. */
  report(cwd: string): Promise<FolderReport> {
    return this.#reports.in(cwd);
  }

  /** The latest of any folder, for what hardly differs between folders; asked in `cwd` when there is none. */
  anyReport(cwd: string): Promise<FolderReport> {
    return this.#reports.latest(cwd);
  }

  async #ask(cwd: string): Promise<FolderReport> {
    const silent: ClaudeListener = { onMessage: () => {}, onControlRequest: () => {}, onControlCancel: () => {} };
    const { process, report, applied } = await this.#open({ session: undefined, mode: 'default', cwd, instructions: undefined }, silent);
    void process.stop();
    return { ...report, applied };
  }

  async #start(wanted: ThreadStart, listener: ClaudeListener): Promise<StartedClaude> {
    const { process, report, applied } = await this.#open(wanted, listener);
    void this.#reports.keep(wanted.cwd, Promise.resolve({ ...report, applied }));
    return { process, applied, mode: wanted.mode };
  }

  async #open(
    wanted: ThreadStart,
    listener: ClaudeListener,
  ): Promise<{ process: ClaudeProcess; report: ClaudeReport; applied: AppliedSettings }> {
    await assertFolder(wanted.cwd);
    const process = await this.#spawn(wanted, listener);
    try {
      const report = await initialize(process, wanted.instructions);
      return { process, report, applied: await readSettings(process) };
    } catch (error) {
      await process.stop();
      if (this.#hasThinkingDisplay && isAboutFlag(error)) {
        this.#hasThinkingDisplay = false;
        this.#options.log.info('this claude is too old to tell the words of its thoughts');
        return this.#open(wanted, listener);
      }
      throw unavailable(error);
    }
  }

  async #spawn({ cwd, ...start }: ThreadStart, listener: ClaudeListener): Promise<ClaudeProcess> {
    const { log, runtimeDir, launchEnv, findCommand } = this.#options;
    const [command, env] = await Promise.all([findCommand(), launchEnv()]);
    const allowFullAccess = mayHaveFullAccess(this.#options.allowFullAccess, env);
    const args = claudeArguments({ ...start, allowFullAccess, hasThinkingDisplay: this.#hasThinkingDisplay });
    return ClaudeProcess.start({ command, args, cwd, env: claudeEnvironment(env), log, runtimeDir }, listener);
  }
}

function isAboutFlag(error: unknown): boolean {
  return error instanceof Error && error.message.includes('unknown option') && error.message.includes(THINKING_FLAG);
}

function unavailable(error: unknown): HeddleError {
  return new HeddleError('agent_unavailable', `claude did not start: ${asError(error).message}`, {
    cause: error,
    hint: 'Try `claude` in a terminal; `heddle logs` has more.',
  });
}
