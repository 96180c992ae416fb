// Owns how pi processes come to be: the pool with one for each thread, the guard that each must have loaded before it is
// used, and the short-lived process that tells what a pi offers in a folder.

import {
  assertFolder,
  fieldsOf,
  FolderReports,
  type Lease,
  listOf,
  type Permissions,
  ProcessPool,
  type Skill,
  textOf,
} from '@heddle/bridge-kit';
import type { Log } from '@heddle/rpc';
import { asError, HeddleError, type ThreadId } from '@heddle/wire';
import { GUARD, readGuardTold } from './guard-source.ts';
import { type PiModel, readModel } from './models.ts';
import { type PiListener, type PiMessage, PiProcess } from './process.ts';
import { type PiStart, piArguments } from './process-arguments.ts';
import type { AppliedSettings } from './settings.ts';
import { readSkills } from './skills.ts';

/** A first start may fetch packages that the user has configured. */
const START_TIMEOUT_MS = 60_000;

/** The pi that is installed. */
export interface InstalledPi {
  path: string;
  version: string | undefined;
  /** Whether a session can be begun under an id of heddle's choice. */
  takesSessionId: boolean;
}

export interface PiProcessesOptions {
  /** Finds the program afresh: a user updates at any moment. @throws HeddleError `agent_unavailable` */
  find: () => Promise<InstalledPi>;
  /** What pi is started with: the environment of the user, and where its configuration is. */
  env: (pi: InstalledPi) => Promise<NodeJS.ProcessEnv>;
  /** Absolute path of heddle's extension. */
  guardFile: () => Promise<string>;
  /** pi could not load it: it must not be used. */
  onUnguarded: (pi: InstalledPi) => void;
  /** What pi runs with when nobody chooses, instead of its own choice. */
  defaultModel: string | undefined;
  allowFullAccess: boolean;
  runtimeDir: string;
  log: Log;
}

export interface ThreadStart extends PiStart {
  cwd: string;
  /** Names of files in the runtime folder that go with the process. */
  files?: readonly string[];
}

/** A process that is guarded and has answered. */
export interface StartedPi {
  process: PiProcess;
  applied: AppliedSettings;
  sessionId: string;
  sessionFile: string | undefined;
}

/** What a pi offers in a folder, and what it would run with there. */
export interface FolderReport {
  models: PiModel[];
  skills: Skill[];
  applied: AppliedSettings;
}

export class PiProcesses {
  readonly #options: PiProcessesOptions;
  readonly #pool = new ProcessPool<PiProcess>({ agent: 'pi' });
  readonly #reports = new FolderReports((cwd) => this.#ask(cwd));

  constructor(options: PiProcessesOptions) {
    this.#options = options;
  }

  get permissions(): Permissions {
    return { allowFullAccess: this.#options.allowFullAccess };
  }

  get runtimeDir(): string {
    return this.#options.runtimeDir;
  }

  find(): Promise<InstalledPi> {
    return this.#options.find();
  }

  /**
   * The process of a thread, started when it has none.
   * @param onStarted called for a process that was started now, when it has answered
   * @throws HeddleError, RpcError: why it can't be started.
   */
  lease(
    threadId: ThreadId,
    start: (pi: InstalledPi) => Promise<ThreadStart>,
    listener: PiListener,
    onStarted: (started: StartedPi) => void | Promise<void>,
  ): Promise<Lease<PiProcess>> {
    return this.#pool.acquire(threadId, async () => {
      const pi = await this.#options.find();
      const wanted = await start(pi);
      const started = await this.#start(pi, wanted, listener);
      try {
        await onStarted(started);
        void this.#reports.keep(wanted.cwd, this.#report(started));
        return started.process;
      } catch (error) {
        await started.process.stop();
        throw error;
      }
    });
  }

  peek(threadId: ThreadId): PiProcess | undefined {
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

  /** What pi offers in a folder; one process at a time tells, and for a minute nobody asks again. */
  report(cwd: string): Promise<FolderReport> {
    return this.#reports.in(cwd);
  }

  /** The latest of any folder, for what hardly differs between folders; asked in `cwd` when there is none. */
  anyReport(cwd: string): Promise<FolderReport> {
    return this.#reports.latest(cwd);
  }

  async #ask(cwd: string): Promise<FolderReport> {
    const started = await this.#start(await this.#options.find(), { session: { kind: 'none' }, cwd }, () => {});
    try {
      return await this.#report(started);
    } finally {
      void started.process.stop();
    }
  }

  async #report({ process, applied }: StartedPi): Promise<FolderReport> {
    const [models, commands] = await Promise.all([
      process.command({ type: 'get_available_models' }),
      process.command({ type: 'get_commands' }),
    ]);
    return { models: listOf(fieldsOf(models)['models']).flatMap((model) => readModel(model) ?? []), skills: readSkills(commands), applied };
  }

  async #start(pi: InstalledPi, { cwd, files = [], ...start }: ThreadStart, listener: PiListener): Promise<StartedPi> {
    await assertFolder(cwd);
    const { log, runtimeDir, onUnguarded, defaultModel } = this.#options;
    const [env, guardFile] = await Promise.all([this.#options.env(pi), this.#options.guardFile()]);
    const guard = new GuardWatch(listener);
    const args = piArguments({ ...start, model: start.model ?? (start.session.kind === 'file' ? undefined : defaultModel) }, guardFile);
    const process = await PiProcess.start({ command: pi.path, args, cwd, env, log, runtimeDir, files }, (message) =>
      guard.onMessage(message),
    );
    let state: unknown;
    try {
      state = await process.command({ type: 'get_state' }, { timeoutMs: START_TIMEOUT_MS });
    } catch (error) {
      await process.stop();
      throw unavailable(error);
    }
    // pi tells of its extensions before it reads its first command.
    if (guard.session === undefined) {
      await process.stop();
      onUnguarded(pi);
      throw unguarded(pi);
    }
    return { process, applied: readApplied(state), ...guard.session };
  }
}

/** What pi runs with. @param state pi's answer to `get_state` */
function readApplied(state: unknown): AppliedSettings {
  const fields = fieldsOf(state);
  return { model: readModel(fields['model']), thinking: textOf(fields['thinkingLevel']) ?? 'off' };
}

export function unguarded({ path, version }: InstalledPi): HeddleError {
  return new HeddleError(
    'agent_unavailable',
    `pi ${version ?? ''} at ${path} does not load heddle's extension`.replace('pi  at', 'pi at'),
    {
      hint: 'Without it nobody would be asked before pi acts, so heddle does not use this pi. Install another version; `heddle logs` has more.',
    },
  );
}

/** Passes on what pi says, and sees whether the guard is there. */
class GuardWatch {
  readonly #listener: PiListener;
  session: { sessionId: string; sessionFile: string | undefined } | undefined;

  constructor(listener: PiListener) {
    this.#listener = listener;
  }

  onMessage(message: PiMessage): void {
    if (this.session === undefined && message['method'] === 'setStatus' && message['statusKey'] === GUARD) {
      const told = readGuardTold(textOf(message['statusText']));
      if (told?.type === 'guards') {
        this.session = { sessionId: told.sessionId, sessionFile: told.sessionFile };
        return;
      }
    }
    this.#listener(message);
  }
}

function unavailable(error: unknown): HeddleError {
  return new HeddleError('agent_unavailable', `pi did not start: ${asError(error).message}`, {
    cause: error,
    hint: 'Try `pi` in a terminal; `heddle logs` has more.',
  });
}
