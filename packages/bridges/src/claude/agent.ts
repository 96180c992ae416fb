// Owns claude as an agent of the hub: its threads, what it offers, and the changes of a conversation that need its
// process to be gone. What happens in a thread is agent-thread.ts.

import { randomUUID } from 'node:crypto';
import {
  type ForkPoint,
  type HubAgent,
  type HubForAgent,
  type McpServer,
  type OpenedThread,
  quoted,
  refusal,
  type RunningTurn,
  type SettingsInForce,
  type Skill,
  type StoredThread,
  type ThreadWishes,
  type WantedSettings,
  withWishes,
} from '@heddle/bridge-kit';
import type { Log } from '@heddle/rpc';
import { asError, HeddleError, type Model, type ThreadId, type TurnId } from '@heddle/wire';
import { askLimits } from './agent-limits.ts';
import { readMcpServers } from './control.ts';
import type { ClaudeProcesses } from './agent-processes.ts';
import { ClaudeThread } from './agent-thread.ts';
import { modelsOf, modelToResume, fullModelName } from './models.ts';
import { effortOf } from './settings.ts';
import { skillsOf } from './skills.ts';
import type { ClaudeStore } from './store.ts';

/** How often claude is asked for limits that it has not told by itself: most accounts have none. */
const ASK_LIMITS_MS = 60_000;

export interface ClaudeAgentOptions {
  hub: HubForAgent;
  processes: ClaudeProcesses;
  store: ClaudeStore;
  /** claude's own folder. */
  configDir: string;
  /** The user's folder, where a thread is that names none. */
  home: string;
  version: () => string;
  log: Log;
}

export class ClaudeAgent implements HubAgent {
  readonly name = 'claude';
  readonly modes = ['default', 'plan'] as const;
  readonly store: ClaudeStore;
  readonly #options: ClaudeAgentOptions;
  readonly #processes: ClaudeProcesses;
  readonly #threads = new Map<ThreadId, ClaudeThread>();
  #limits: Record<string, unknown> | undefined;
  #limitsAskedAtMs = 0;

  constructor(options: ClaudeAgentOptions) {
    this.#options = options;
    this.#processes = options.processes;
    this.store = options.store;
  }

  get version(): string {
    return this.#options.version();
  }

  /** Its process starts at once: it tells what the thread will run with, and the first turn does not wait for it. */
  async createThread(wanted: WantedSettings): Promise<OpenedThread> {
    const thread = await this.#load(
      randomUUID(),
      { ...wanted, cwd: wanted.cwd ?? this.#options.home },
      { model: wanted.model ?? '', effort: undefined },
    );
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
    const { models } = await this.#processes.anyReport(this.#options.home);
    const model = modelToResume(stored.model, models);
    const wishes = withWishes({ cwd: stored.cwd, ...(model === undefined ? {} : { model }) }, { ...wanted, cwd: stored.cwd });
    const applied = { model: fullModelName(wishes.model, models), effort: effortOf(wishes) };
    const thread = await this.#load(stored.id, wishes, applied);
    return { id: thread.id, settings: thread.settings };
  }

  async forkThread(source: StoredThread, { beforeTurnId }: ForkPoint, wanted: WantedSettings): Promise<OpenedThread> {
    const id = randomUUID();
    await this.store.fork(source.id, id, beforeTurnId);
    return this.openThread({ ...source, id }, wanted);
  }

  async revertThread(threadId: ThreadId, beforeTurnId: TurnId): Promise<void> {
    const thread = this.#find(threadId);
    await thread.endProcess(); // it has the conversation in memory
    await this.store.rewind(threadId, beforeTurnId);
    thread.forgetConversation();
  }

  changeSettings(threadId: ThreadId, wanted: WantedSettings): Promise<SettingsInForce> {
    return this.#find(threadId).change(wanted);
  }

  async unloadThread(threadId: ThreadId): Promise<void> {
    const thread = this.#threads.get(threadId);
    this.#threads.delete(threadId);
    await thread?.endProcess();
  }

  /** Also in claude's own list of conversations. */
  async renameThread(threadId: ThreadId, name: string): Promise<void> {
    try {
      await this.#threads.get(threadId)?.rename(name);
    } catch (error) {
      this.#options.log.warn('claude did not take the name of a thread; heddle knows it', { threadId, error: asError(error) });
    }
  }

  runTurn(turn: RunningTurn): Promise<void> {
    return this.#find(turn.threadId).runTurn(turn);
  }

  compact(turn: RunningTurn): Promise<void> {
    return this.#find(turn.threadId).runCommand(turn, '/compact');
  }

  newMessageId(): string {
    return randomUUID();
  }

  async models(): Promise<Model[]> {
    return modelsOf((await this.#processes.anyReport(this.#options.home)).models);
  }

  async skills(cwd: string): Promise<Skill[]> {
    const { commands } = await this.#processes.report(cwd);
    return skillsOf(commands, cwd, this.#options.configDir);
  }

  /** Those of a claude that runs, in that folder if there is one: each process has its own. */
  async mcpServers(cwd: string | undefined): Promise<McpServer[]> {
    const process = this.#runningProcess(cwd) ?? this.#runningProcess();
    return process === undefined ? [] : readMcpServers(process);
  }

  async rateLimits(): Promise<Record<string, unknown> | undefined> {
    const process = this.#runningProcess();
    if (this.#limits !== undefined || process === undefined || Date.now() - this.#limitsAskedAtMs < ASK_LIMITS_MS) return this.#limits;
    this.#limitsAskedAtMs = Date.now();
    const limits = await askLimits(process);
    return (this.#limits ??= limits);
  }

  /** What takes a thread back to a terminal. */
  resumeCommand(threadId: ThreadId, cwd: string): string {
    return `cd ${quoted(cwd)} && claude --resume ${threadId}`;
  }

  async #load(id: ThreadId, wishes: ThreadWishes, applied: { model: string; effort: string | undefined }): Promise<ClaudeThread> {
    const { processes, store, hub, log } = this.#options;
    const thread = new ClaudeThread({
      id,
      wishes,
      applied,
      permissions: await processes.permissions(),
      processes,
      store,
      hub,
      onRateLimits: (limits) => {
        this.#limits = limits;
      },
      log,
    });
    this.#threads.set(id, thread);
    return thread;
  }

  #find(threadId: ThreadId): ClaudeThread {
    const thread = this.#threads.get(threadId);
    if (thread === undefined) throw refusal(`thread not found: ${threadId}`);
    return thread;
  }

  #runningProcess(cwd?: string) {
    for (const [id, thread] of this.#threads) {
      const process = cwd === undefined || cwd === thread.settings.cwd ? this.#processes.peek(id) : undefined;
      if (process !== undefined) return process;
    }
    return undefined;
  }
}
