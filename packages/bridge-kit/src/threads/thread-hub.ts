// Owns the threads of one agent as a whole: it makes, copies, opens and names them, and holds together what is in
// memory, what turns are doing and what is noted. Of one thread the agent is asked one thing at a time.

import type { Log } from '@heddle/rpc';
import type { GitInfo, ThreadId, TurnId } from '@heddle/wire';
import type { Audience } from '../server/audience.ts';
import { refusal } from '../server/params.ts';
import { changeSettings, takeSettings } from './change-settings.ts';
import type { ForkPoint, HubAgent, HubForAgent, OpenedThread } from './hub-agent.ts';
import { HubThread, type ThreadSurroundings } from './hub-thread.ts';
import { KeyedLock } from './keyed-lock.ts';
import { LoadedThreads } from './loaded-threads.ts';
import { RateLimits } from './rate-limits.ts';
import type { CutShort, RunningTurn } from './running-turn.ts';
import { type ThreadNote, ThreadNotes } from './thread-notes.ts';
import { recentHistory, type SubAgentOrigin, type ThreadRecord, wholeHistory } from './thread-record.ts';
import type { SettingsInForce, WantedSettings } from './thread-settings.ts';
import type { StoredThread } from './thread-store.ts';
import { refuseWhileRunning, ThreadTurns } from './thread-turns.ts';
import { gitInfoOfStored, labelsOf } from './thread-view.ts';
import type { TurnRecord } from './turn-record.ts';

const IDLE_CHECK_MS = 60 * 1000;

/** Who begins a thread, and as what. */
export interface NewThread {
  originator: string;
  isEphemeral: boolean;
}

export interface ThreadHubOptions {
  createAgent: (hub: HubForAgent) => HubAgent;
  audience: Audience;
  log: Log;
  /** Absent: what is noted of threads goes with the process. */
  makeNotes?: (agent: HubAgent) => ThreadNotes;
  /** What a repository says of itself, for a folder. Never rejects. */
  gitInfoOf?: (cwd: string) => Promise<GitInfo | null>;
  maxThreads?: number;
}

export class ThreadHub implements HubForAgent {
  readonly agent: HubAgent;
  readonly audience: Audience;
  readonly notes: ThreadNotes;
  readonly rateLimits: RateLimits;
  readonly loaded: LoadedThreads;
  readonly turns: ThreadTurns;
  readonly #log: Log;
  readonly #lock = new KeyedLock();
  readonly #beingMade = new Set<Promise<HubThread>>();
  readonly #surroundings: ThreadSurroundings;
  readonly #gitInfoOf: (cwd: string) => Promise<GitInfo | null>;
  readonly #idleTimer: NodeJS.Timeout;

  constructor(options: ThreadHubOptions) {
    const { audience, log, maxThreads } = options;
    const lock = this.#lock;
    const agent = options.createAgent(this);
    const notes = options.makeNotes?.(agent) ?? new ThreadNotes({ log });
    const loaded = new LoadedThreads({ agent, audience, notes, lock, maxThreads });
    const rateLimits = new RateLimits(() => agent.rateLimits(), log);
    const host = { log, rateLimits, addChild: (child: HubThread) => loaded.addChild(child) };
    const history = agent.store === undefined ? wholeHistory : recentHistory;
    this.agent = agent;
    this.audience = audience;
    this.notes = notes;
    this.rateLimits = rateLimits;
    this.loaded = loaded;
    this.turns = new ThreadTurns({ agent, loaded, lock, log, host, history });
    this.#log = log;
    this.#surroundings = { audience, notes, labels: () => labelsOf(agent) };
    this.#gitInfoOf = options.gitInfoOf ?? (() => Promise.resolve(null));
    this.#idleTimer = setInterval(() => void loaded.unloadIdle(Date.now()), IDLE_CHECK_MS).unref();
  }

  /** @throws RpcError `overloaded` when there are too many threads and every one of them is busy. */
  create(wanted: WantedSettings, made: NewThread): Promise<HubThread> {
    return this.#make(() => this.agent.createThread(wanted), made);
  }

  /** Copies a thread that is in the agent's store. */
  fork(source: StoredThread, point: ForkPoint, wanted: WantedSettings, made: NewThread): Promise<HubThread> {
    const { agent } = this;
    if (agent.forkThread === undefined) throw refusal(`${agent.name} can't copy a thread`);
    const copy = () =>
      this.#lock.run(source.id, async () => {
        refuseWhileRunning(this.loaded.find(source.id));
        return (await agent.forkThread?.(source, point, wanted)) as OpenedThread;
      });
    return this.#make(copy, made, { forkedFromId: source.id, preview: source.preview });
  }

  /** Copies a thread that is nowhere but here. */
  forkInMemory(source: HubThread, turns: TurnRecord[], wanted: WantedSettings, made: NewThread): Promise<HubThread> {
    const { preview, usage } = source.record;
    return this.#make(() => this.agent.createThread(wanted), made, { forkedFromId: source.id, preview, usage, turns });
  }

  /**
   * Loads a thread, or applies the wishes to one that is loaded. Simultaneous calls share one opening.
   * @throws RpcError in codex's words when there is no such thread, or when it is archived.
   */
  open(id: ThreadId, wanted: WantedSettings): Promise<HubThread> {
    return this.#tracked(this.#lock.run(id, () => this.#open(id, wanted)));
  }

  changeSettings(id: ThreadId, wanted: WantedSettings): Promise<void> {
    return this.#lock.run(id, () => changeSettings(this.agent, this.loaded.require(id), wanted));
  }

  /** heddle keeps the name; the agent is told too when it has a place for it. */
  async rename(id: ThreadId, name: string): Promise<void> {
    this.notes.change(id, { name });
    try {
      await this.#lock.run(id, () => this.agent.renameThread?.(id, name));
    } catch (error) {
      this.#log.warn('the agent did not take the new name of a thread', { threadId: id, error: String(error) });
    }
  }

  beginOwnTurn(threadId: ThreadId, turnId: TurnId, run: (turn: RunningTurn) => Promise<void>): Promise<void> {
    return this.turns.beginOwnTurn(threadId, turnId, run);
  }

  settingsChanged(threadId: ThreadId, settings: SettingsInForce): void {
    const thread = this.loaded.find(threadId);
    if (thread?.isLoaded) takeSettings(thread, settings);
  }

  nameFound(threadId: ThreadId, name: string): void {
    if (this.notes.of(threadId)?.name === undefined) this.audience.broadcast('thread/name/updated', { threadId, threadName: name });
  }

  /** Unloads all threads, also those whose making has begun. New ones may be made afterwards. */
  async unloadAll(how: CutShort): Promise<void> {
    await Promise.allSettled(this.#beingMade);
    await this.loaded.unloadAll(how);
  }

  /** The last call. */
  async close(): Promise<void> {
    clearInterval(this.#idleTimer);
    await this.notes.flush();
  }

  async #open(id: ThreadId, wanted: WantedSettings): Promise<HubThread> {
    const note = this.notes.of(id);
    if (note?.isArchived) throw refusal(`session ${id} is archived. Run \`thread/unarchive\` to bring it back first.`);
    const known = this.loaded.find(id);
    if (known !== undefined) {
      // Whoever comes back to a thread whose last turn failed finds it ready.
      if (known.status.type === 'notLoaded' || known.status.type === 'systemError') known.setStatus({ type: 'idle' });
      if (known.parent === undefined) await changeSettings(this.agent, known, wanted);
      return known;
    }
    const stored = await this.agent.store?.find(id);
    if (stored === undefined) throw noRollout(id);
    if (stored.subAgent !== undefined) return this.#openChild(stored, stored.subAgent);
    const thread = await this.loaded.withRoom(async () => {
      const { settings } = await this.agent.openThread(stored, wanted);
      const gitInfo = (await this.#gitInfoOf(settings.cwd)) ?? gitInfoOfStored(stored);
      return new HubThread({ ...recordOfStored(stored, note), gitInfo }, settings, this.#surroundings);
    });
    thread.setStatus({ type: 'idle' });
    return thread;
  }

  /** A sub-agent's thread is heard where its parent's is, and runs as that does; the agent is not asked for it. */
  async #openChild(stored: StoredThread, { parentThreadId }: SubAgentOrigin): Promise<HubThread> {
    const parent = await this.open(parentThreadId, {});
    const record = { ...recordOfStored(stored, this.notes.of(stored.id)), gitInfo: parent.record.gitInfo };
    const child = new HubThread(record, parent.settings, this.#surroundings, parent);
    this.loaded.addChild(child);
    child.setStatus({ type: 'idle' });
    return child;
  }

  #make(open: () => Promise<OpenedThread>, made: NewThread, more: Partial<ThreadRecord> = {}): Promise<HubThread> {
    const make = async () => {
      const { id, settings } = await open();
      const gitInfo = await this.#gitInfoOf(settings.cwd);
      const nowMs = Date.now();
      const times = { createdAtMs: nowMs, updatedAtMs: nowMs, recencyAtMs: nowMs };
      const empty = { forkedFromId: null, subAgent: undefined, preview: '', path: null, turns: [], usage: undefined };
      const record: ThreadRecord = { ...empty, ...times, gitInfo, ...made, ...more, id };
      const { forkedFromId, originator, isEphemeral } = record;
      this.notes.change(id, { originator, isEphemeral: isEphemeral || undefined, forkedFromId: forkedFromId ?? undefined });
      return new HubThread(record, settings, this.#surroundings);
    };
    return this.#tracked(this.loaded.withRoom(make));
  }

  async #tracked(making: Promise<HubThread>): Promise<HubThread> {
    this.#beingMade.add(making);
    try {
      return await making;
    } finally {
      this.#beingMade.delete(making);
    }
  }
}

/** The text is codex's; clients look for it to know that a thread is not of this agent. */
export function noRollout(id: ThreadId): Error {
  return refusal(`no rollout found for thread id ${id}`);
}

function recordOfStored(stored: StoredThread, note: ThreadNote | undefined): Omit<ThreadRecord, 'gitInfo'> {
  const { id, createdAtMs, updatedAtMs, preview, path, subAgent } = stored;
  const { originator, isEphemeral = false } = note ?? {};
  const forkedFromId = stored.forkedFromId ?? note?.forkedFromId ?? null;
  const times = { createdAtMs, updatedAtMs, recencyAtMs: updatedAtMs };
  return { id, forkedFromId, ...times, preview, path, originator, isEphemeral, subAgent, turns: [], usage: undefined };
}
