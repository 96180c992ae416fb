// Owns pi as an agent of the hub: its threads, what it offers, and the changes of a session that need its process to be
// gone. What happens in a thread is agent-thread.ts.

import {
  type ForkPoint,
  type HubAgent,
  type HubForAgent,
  type OpenedThread,
  quoted,
  refusal,
  type RunningTurn,
  type SettingsInForce,
  type Skill,
  type StoredThread,
  type ThreadWishes,
  uuidV7,
  type WantedSettings,
  withWishes,
} from '@heddle/bridge-kit';
import type { Log } from '@heddle/rpc';
import { asError, HeddleError, type Model, type ThreadId, type TurnId } from '@heddle/wire';
import type { PiProcesses } from './agent-processes.ts';
import { PiThread } from './agent-thread.ts';
import { modelsOf } from './models.ts';
import type { AppliedSettings } from './settings.ts';
import type { PiStore } from './store.ts';

export interface PiAgentOptions {
  hub: HubForAgent;
  processes: PiProcesses;
  store: PiStore;
  /** The user's folder, where a thread is that names none. */
  home: string;
  /** Absolute folders in which pi may read without being asked about it. */
  readable: readonly string[];
  version: () => string;
  /** What a terminal must have in front of pi's command, to find the same sessions; '' for nothing. */
  commandPrefix: string;
  log: Log;
}

export class PiAgent implements HubAgent {
  readonly name = 'pi';
  readonly modes = ['default'] as const;
  readonly store: PiStore;
  readonly #options: PiAgentOptions;
  readonly #processes: PiProcesses;
  readonly #threads = new Map<ThreadId, PiThread>();

  constructor(options: PiAgentOptions) {
    this.#options = options;
    this.#processes = options.processes;
    this.store = options.store;
  }

  get version(): string {
    return this.#options.version();
  }

  /** Its process starts at once: it tells what the thread will run with, and the first turn does not wait for it. */
  async createThread(wanted: WantedSettings): Promise<OpenedThread> {
    const thread = this.#load(uuidV7(), { ...wanted, cwd: wanted.cwd ?? this.#options.home }, { model: undefined, thinking: 'off' });
    try {
      await thread.warmUp();
    } catch (error) {
      if (!(error instanceof HeddleError && error.code === 'too_many_requests')) {
        this.#threads.delete(thread.id);
        throw error;
      }
      await thread.change({}); // all processes are busy: a turn will say so, if they still are
    }
    return { id: thread.id, settings: thread.settings };
  }

  async openThread(stored: StoredThread, wanted: WantedSettings): Promise<OpenedThread> {
    const { models, applied } = await this.#processes.anyReport(this.#options.home);
    const wishes = withWishes<ThreadWishes>({ cwd: stored.cwd }, { ...wanted, cwd: stored.cwd });
    const name = wishes.model ?? stored.model;
    const model = models.find(({ provider, id }) => `${provider}/${id}` === name) ?? applied.model;
    const thread = this.#load(stored.id, wishes, { model, thinking: applied.thinking });
    if (wishes.effort !== undefined) await thread.change({ effort: wishes.effort });
    return { id: thread.id, settings: thread.settings };
  }

  async forkThread(source: StoredThread, { beforeTurnId }: ForkPoint, wanted: WantedSettings): Promise<OpenedThread> {
    const id = uuidV7();
    await this.store.fork(source.id, id, beforeTurnId);
    return this.openThread({ ...source, id }, wanted);
  }

  async revertThread(threadId: ThreadId, beforeTurnId: TurnId): Promise<void> {
    const thread = this.#find(threadId);
    await thread.endProcess(); // it has the conversation in memory
    await this.store.rewind(threadId, beforeTurnId);
  }

  async unrevertThread(threadId: ThreadId): Promise<void> {
    const thread = this.#find(threadId);
    await thread.endProcess();
    await this.store.bringBack(threadId);
  }

  changeSettings(threadId: ThreadId, wanted: WantedSettings): Promise<SettingsInForce> {
    return this.#find(threadId).change(wanted);
  }

  async unloadThread(threadId: ThreadId): Promise<void> {
    const thread = this.#threads.get(threadId);
    this.#threads.delete(threadId);
    await thread?.endProcess();
  }

  /** Also in pi's own list of sessions. */
  async renameThread(threadId: ThreadId, name: string): Promise<void> {
    try {
      await this.#threads.get(threadId)?.rename(name);
    } catch (error) {
      this.#options.log.warn('pi did not take the name of a thread; heddle knows it', { threadId, error: asError(error) });
    }
  }

  runTurn(turn: RunningTurn): Promise<void> {
    return this.#find(turn.threadId).runTurn(turn);
  }

  compact(turn: RunningTurn): Promise<void> {
    return this.#find(turn.threadId).runCommand(turn, { type: 'compact' });
  }

  async models(): Promise<Model[]> {
    const { models, applied } = await this.#processes.anyReport(this.#options.home);
    return modelsOf(models, applied.model);
  }

  async skills(cwd: string): Promise<Skill[]> {
    return (await this.#processes.report(cwd)).skills;
  }

  async rateLimits(): Promise<undefined> {
    return undefined;
  }

  /** What takes a thread back to a terminal. */
  resumeCommand(threadId: ThreadId, cwd: string): string {
    return `cd ${quoted(cwd)} && ${this.#options.commandPrefix}pi --session ${threadId}`;
  }

  #load(id: ThreadId, wishes: ThreadWishes, applied: AppliedSettings): PiThread {
    const { processes, store, hub, readable, log } = this.#options;
    const thread = new PiThread({ id, wishes, applied, processes, store, hub, readable, log });
    this.#threads.set(id, thread);
    return thread;
  }

  #find(threadId: ThreadId): PiThread {
    const thread = this.#threads.get(threadId);
    if (thread === undefined) throw refusal(`thread not found: ${threadId}`);
    return thread;
  }
}
