// Owns an agent for the tests of the hub: what it does in a turn is a function of the test's, its store is a map that
// the test may write to as if it were another program.

import {
  type ForkPoint,
  type HubAgent,
  type HubForAgent,
  type McpServer,
  type OpenedThread,
  refusal,
  type RunningTurn,
  type SettingsInForce,
  type StoredHistory,
  type StoredThread,
  type StoredTurn,
  type ThreadStore,
  uuidV7,
  type WantedSettings,
} from '@heddle/bridge-kit';
import type { Model, ThreadItem } from '@heddle/wire';

export const fakeModel = (id: string, isDefault = false): Model => ({
  id,
  model: id,
  displayName: id,
  description: 'fake',
  isDefault,
  hidden: id === 'hidden',
  supportedReasoningEfforts: [{ reasoningEffort: 'low', description: 'little' }],
  defaultReasoningEffort: 'low',
});

export class FakeStore implements ThreadStore {
  readonly threads = new Map<string, { thread: StoredThread; turns: StoredTurn[] }>();
  usage: StoredHistory['usage'];

  /** As another program would: a thread with one turn for each question and answer. */
  begin(id: string, talk: [question: string, answer: string][], more: Partial<StoredThread> = {}): StoredThread {
    const atMs = more.createdAtMs ?? Date.now() - 60_000;
    const thread: StoredThread = {
      id,
      cwd: '/srv',
      createdAtMs: atMs,
      updatedAtMs: atMs,
      preview: talk[0]?.[0] ?? '',
      name: null,
      model: 'small',
      path: `/store/${id}.jsonl`,
      forkedFromId: null,
      gitBranch: null,
      ...more,
    };
    this.threads.set(id, { thread, turns: talk.map(([question, answer]) => storedTurn(uuidV7(), question, answer, atMs)) });
    return thread;
  }

  addTurn(id: string, turn: StoredTurn): void {
    const entry = this.threads.get(id);
    if (entry === undefined) throw new Error(`no thread ${id}`);
    entry.turns.push(turn);
    entry.thread.updatedAtMs = Date.now();
  }

  turnIds(id: string): string[] {
    return this.threads.get(id)?.turns.map((turn) => turn.id) ?? [];
  }

  list(): Promise<readonly StoredThread[]> {
    return Promise.resolve([...this.threads.values()].map(({ thread }) => thread));
  }
  find(id: string): Promise<StoredThread | undefined> {
    return Promise.resolve(this.threads.get(id)?.thread);
  }
  read(id: string): Promise<StoredHistory> {
    return Promise.resolve({ turns: [...(this.threads.get(id)?.turns ?? [])], usage: this.usage });
  }
  remove(id: string): Promise<void> {
    this.threads.delete(id);
    return Promise.resolve();
  }
}

export function storedTurn(id: string, question: string, answer: string, atMs = Date.now()): StoredTurn {
  const items: ThreadItem[] = [
    { type: 'userMessage', id: `${id}-user`, clientId: null, content: [{ type: 'text', text: question, text_elements: [] }] },
    { type: 'agentMessage', id: `${id}-answer`, text: answer, phase: 'final_answer' },
  ];
  return { id, items, status: 'completed', error: null, startedAtMs: atMs, completedAtMs: atMs + 1 };
}

/** What the agent does in a turn. */
export type Act = (turn: RunningTurn, text: string) => Promise<void>;

export class FakeAgent implements HubAgent {
  readonly name = 'fake';
  readonly version = '1.0';
  readonly modes = ['default', 'plan'] as const;
  readonly store: FakeStore;
  readonly hub: HubForAgent;
  /** What it was asked, in order. */
  readonly calls: string[] = [];
  readonly settings = new Map<string, SettingsInForce>();
  /** By the first word of a message; a message without one is answered with its own text. */
  readonly acts = new Map<string, Act>();
  mayNever = false;
  readonly #dropped = new Map<string, StoredTurn[]>();
  servers: McpServer[] = [];
  /** Holds back what opens a thread. */
  gate: Promise<void> = Promise.resolve();
  limits: Record<string, unknown> | undefined;
  compact?: (turn: RunningTurn) => Promise<void> = (turn) => {
    const id = `${turn.id}-compaction`;
    turn.apply({ type: 'itemStarted', item: { type: 'contextCompaction', id } });
    turn.apply({ type: 'itemCompleted', itemId: id });
    return Promise.resolve();
  };

  constructor(hub: HubForAgent, store = new FakeStore()) {
    this.hub = hub;
    this.store = store;
  }

  createThread(wanted: WantedSettings): Promise<OpenedThread> {
    const id = uuidV7();
    this.calls.push(`create ${JSON.stringify(wanted)}`);
    return Promise.resolve({ id, settings: this.#inForce(id, wanted) });
  }

  async openThread(stored: StoredThread, wanted: WantedSettings): Promise<OpenedThread> {
    this.calls.push(`open ${stored.id} ${JSON.stringify(wanted)}`);
    await this.gate;
    return { id: stored.id, settings: this.#inForce(stored.id, { cwd: stored.cwd, ...wanted }) };
  }

  forkThread? = (source: StoredThread, point: ForkPoint, wanted: WantedSettings): Promise<OpenedThread> => {
    const id = uuidV7();
    this.calls.push(`fork ${point.beforeTurnId ?? 'all'}`);
    const turns = this.store.threads.get(source.id)?.turns ?? [];
    const end = point.beforeTurnId === undefined ? turns.length : turns.findIndex((turn) => turn.id === point.beforeTurnId);
    this.store.threads.set(id, { thread: { ...source, id }, turns: turns.slice(0, end) });
    return Promise.resolve({ id, settings: this.#inForce(id, { cwd: source.cwd, ...wanted }) });
  };

  unrevertThread? = (threadId: string): Promise<void> => {
    const turns = this.#dropped.get(threadId);
    if (turns === undefined) return Promise.reject(refusal('nothing was taken back'));
    this.#dropped.delete(threadId);
    this.store.threads.get(threadId)?.turns.push(...turns);
    return Promise.resolve();
  };

  revertThread? = (threadId: string, beforeTurnId: string): Promise<void> => {
    this.calls.push(`revert ${beforeTurnId}`);
    const entry = this.store.threads.get(threadId);
    this.#dropped.set(threadId, entry?.turns.slice(entry.turns.findIndex((turn) => turn.id === beforeTurnId)) ?? []);
    if (entry !== undefined)
      entry.turns = entry.turns.slice(
        0,
        entry.turns.findIndex((turn) => turn.id === beforeTurnId),
      );
    return Promise.resolve();
  };

  changeSettings(threadId: string, wanted: WantedSettings): Promise<SettingsInForce> {
    this.calls.push(`change ${JSON.stringify(wanted)}`);
    return Promise.resolve(this.#inForce(threadId, wanted));
  }

  unloadThread(threadId: string): Promise<void> {
    this.calls.push(`unload ${threadId}`);
    return Promise.resolve();
  }

  renameThread(threadId: string, name: string): Promise<void> {
    this.calls.push(`rename ${threadId} ${name}`);
    return Promise.resolve();
  }

  resumeCommand(threadId: string, cwd: string): string {
    return `cd ${cwd} && ${this.name} --resume ${threadId}`;
  }

  async runTurn(turn: RunningTurn): Promise<void> {
    const [message] = turn.takeMessages();
    const first = message?.content[0];
    const text = first?.type === 'text' ? first.text : '';
    await (this.acts.get(text.split(' ')[0] ?? '') ?? answer)(turn, text);
    this.write(turn, text);
  }

  /** What a real agent does along the way. */
  write(turn: RunningTurn, question: string): void {
    if (!this.store.threads.has(turn.threadId)) this.store.begin(turn.threadId, [], { preview: question, cwd: turn.cwd });
    if (!this.store.turnIds(turn.threadId).includes(turn.id)) this.store.addTurn(turn.threadId, storedTurn(turn.id, question, question));
  }

  models(): Promise<Model[]> {
    return Promise.resolve([fakeModel('small', true), fakeModel('big'), fakeModel('hidden')]);
  }
  skills(cwd: string): Promise<{ name: string; description: string; path: string; scope: 'user' }[]> {
    return Promise.resolve([{ name: 'sew', description: 'Sews.', path: `${cwd}/sew.md`, scope: 'user' }]);
  }
  mcpServers(cwd: string | undefined): Promise<McpServer[]> {
    this.calls.push(`mcp ${cwd ?? 'anywhere'}`);
    return Promise.resolve(this.servers);
  }
  rateLimits(): Promise<Record<string, unknown> | undefined> {
    return Promise.resolve(this.limits);
  }

  /** Like a real one: `never` only with permission, and no sandbox at all. */
  #inForce(id: string, wanted: WantedSettings): SettingsInForce {
    const before = this.settings.get(id);
    const policy = wanted.approvalPolicy === 'never' && !this.mayNever ? undefined : wanted.approvalPolicy;
    const settings: SettingsInForce = {
      cwd: wanted.cwd ?? before?.cwd ?? '/home',
      model: wanted.model ?? before?.model ?? 'small',
      modelProvider: 'fake',
      reasoningEffort: wanted.effort ?? before?.reasoningEffort ?? null,
      approvalPolicy: policy ?? before?.approvalPolicy ?? 'untrusted',
      sandbox: { type: 'dangerFullAccess' },
      mode: wanted.mode ?? before?.mode ?? 'default',
    };
    this.settings.set(id, settings);
    return settings;
  }
}

const usage = { inputTokens: 10, outputTokens: 2, reasoningOutputTokens: 1, cachedInputTokens: 4, cacheWriteInputTokens: 0 };

/** Says the words back. */
export const answer: Act = (turn, text) => say(turn, `${turn.id}-answer`, text);

export const say = (turn: RunningTurn, id: string, text: string): Promise<void> => {
  turn.apply({ type: 'itemStarted', item: { type: 'agentMessage', id, text: '', phase: 'final_answer' } });
  turn.apply({ type: 'textDelta', itemId: id, delta: text });
  turn.apply({ type: 'itemCompleted', itemId: id });
  turn.apply({ type: 'responseEnded', usage, contextWindow: 1000 });
  return Promise.resolve();
};

/** Works until it is cut short. */
export const work: Act = (turn) =>
  new Promise((_, reject) => turn.signal.addEventListener('abort', () => reject(turn.signal.reason as Error), { once: true }));
