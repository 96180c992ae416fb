import { setImmediate } from 'node:timers/promises';
import { Audience } from '../../../packages/bridge-kit/src/server/audience.ts';
import { ThreadHub } from '../../../packages/bridge-kit/src/threads/thread-hub.ts';
import { uuidV7 } from '@heddle/bridge-kit';
import { silentLog } from '@heddle/rpc';
import type { Thread } from '@heddle/wire';
import { describe, expect, test } from 'vitest';
import { FakeAgent, storedTurn, work } from './fake-agent.ts';
import { hubTest, usedThread } from './hub-stage.ts';

const texts = (turns: { items: { type: string }[] }[]) =>
  turns.map((turn) =>
    turn.items.flatMap((item) => (item.type === 'agentMessage' ? [(item as unknown as { text: string }).text] : [])).join(' '),
  );

describe('threads in the store of an agent', () => {
  hubTest('what was begun elsewhere is listed and read at once, without being loaded', async (stage) => {
    const client = await stage.connect();
    const mine = await usedThread(client, 'from here');
    stage.store.begin('elsewhere', [['from there', 'yes']], {
      cwd: '/other',
      name: 'Their name',
      gitBranch: 'main',
      createdAtMs: Date.now() + 1000,
    });
    const { data } = await client.request('thread/list', {});
    expect(data).toMatchObject([
      {
        id: 'elsewhere',
        status: { type: 'notLoaded' },
        name: 'Their name',
        preview: 'from there',
        cwd: '/other',
        source: 'cli',
        model: 'small',
        path: '/store/elsewhere.jsonl',
        gitInfo: { branch: 'main' },
        modelProvider: 'fake',
      },
      { id: mine.id, status: { type: 'idle' }, source: 'vscode', preview: 'from here' },
    ]);
    const listed = async (params: object) => (await client.request('thread/list', params)).data.map(({ id }) => id);
    expect(await listed({ sourceKinds: ['cli'] })).toEqual(['elsewhere']);
    expect(await listed({ sourceKinds: ['vscode'] })).toEqual([mine.id]);
    expect(await listed({ cwd: '/other' })).toEqual(['elsewhere']);
    expect(await listed({ searchTerm: 'THEIR' })).toEqual(['elsewhere']);
    expect(await listed({ modelProviders: ['other'] })).toEqual([]);
    const read = (await client.request('thread/read', { threadId: 'elsewhere', includeTurns: true })).thread;
    expect(texts(read.turns)).toEqual(['yes']);
    expect((await client.request('thread/loaded/list', {})).data).toEqual([mine.id]);
    expect(stage.agent.calls.filter((call) => call.startsWith('open'))).toEqual([]);
    expect((await client.refusal('turn/start', { threadId: 'elsewhere', input: [] })).message).toBe('thread not found: elsewhere');
  });

  hubTest('resumes at the same time share one opening; wishes go to the agent, and what is in force comes back', async (stage) => {
    const [one, two] = [await stage.connect('A'), await stage.connect('B')];
    stage.store.begin('t', [['q', 'a']]);
    stage.store.usage = {
      turnId: 'x',
      total: { totalTokens: 5, inputTokens: 4, outputTokens: 1, reasoningOutputTokens: 0, cachedInputTokens: 0 },
      last: { totalTokens: 5, inputTokens: 4, outputTokens: 1, reasoningOutputTokens: 0, cachedInputTokens: 0 },
      contextWindow: 9,
    };
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    stage.agent.gate = gate;
    const wishes = { model: 'big', approvalPolicy: 'never', sandbox: 'read-only' } as const;
    const first = one.request('thread/resume', { threadId: 't', ...wishes });
    const second = two.request('thread/resume', { threadId: 't' });
    await setImmediate();
    open();
    const answers = await Promise.all([first, second]);
    for (const answer of answers) {
      expect(answer).toMatchObject({
        model: 'big',
        approvalPolicy: 'untrusted',
        sandbox: { type: 'dangerFullAccess' },
        reasoningEffort: null,
      });
      expect(answer.collaborationMode).toEqual({
        mode: 'default',
        settings: { model: 'big', reasoning_effort: null, developer_instructions: null },
      });
      expect(texts(answer.thread.turns)).toEqual(['a']);
    }
    expect(stage.agent.calls).toEqual([`open t ${JSON.stringify(wishes)}`]);
    await one.runTurn('t', 'more');
    expect(one.seen('thread/tokenUsage/updated').map(({ tokenUsage }) => tokenUsage.total.totalTokens)).toEqual([5, 17]);
    const gone = await one.refusal('thread/resume', { threadId: 'nowhere' });
    expect(gone.message).toBe('no rollout found for thread id nowhere');
  });

  hubTest('turns that ran here, turns that came from a terminal and the running one, in one order', async (stage) => {
    const client = await stage.connect();
    stage.agent.acts.set('wait', work);
    stage.agent.acts.set('fail', () => Promise.reject(new Error('nothing was written')));
    stage.store.begin('t', [['q', 'old']]);
    await client.request('thread/resume', { threadId: 't' });
    const mine = await client.runTurn('t', 'mine');
    const failed = await client.runTurn('t', 'fail now');
    const terminal = uuidV7();
    stage.store.addTurn('t', storedTurn(terminal, 'typed', 'from the terminal', Date.now() + 1));
    const running = await client.startTurn('t', 'wait');
    await client.notification('item/completed', ({ turnId }) => turnId === running.id);
    const [old] = stage.store.turnIds('t');
    const expected = [old, mine.id, failed.id, terminal, running.id];
    const { turns } = (await client.request('thread/read', { threadId: 't', includeTurns: true })).thread;
    expect(turns.map(({ id }) => id)).toEqual(expected);
    expect(turns.map(({ status }) => status)).toEqual(['completed', 'completed', 'failed', 'completed', 'inProgress']);
    const newest = await client.request('thread/turns/list', { threadId: 't', limit: 2 });
    expect(newest.data.map(({ id }) => id)).toEqual([running.id, terminal]);
    const older = await client.request('thread/turns/list', { threadId: 't', limit: 5, cursor: newest.nextCursor });
    expect(older.data.map(({ id }) => id)).toEqual([failed.id, mine.id, old]);
    const items = await client.request('thread/items/list', { threadId: 't', turnId: mine.id });
    expect(items.data.map(({ item }) => item.id)).toEqual([`${mine.id}-user`, `${mine.id}-answer`]);
    await client.request('turn/interrupt', { threadId: 't', turnId: running.id });
    await client.turnEnd(running.id);
  });

  hubTest('a page of heavy turns ends earlier, and goes on', async (stage) => {
    const client = await stage.connect();
    stage.store.begin('t', [
      ['q1', 'x'.repeat(500_000)],
      ['q2', 'y'.repeat(500_000)],
      ['q3', 'z'.repeat(900_000)],
    ]);
    const first = await client.request('thread/turns/list', { threadId: 't', limit: 5, sortDirection: 'asc' });
    const second = await client.request('thread/turns/list', { threadId: 't', limit: 5, sortDirection: 'asc', cursor: first.nextCursor });
    const third = await client.request('thread/turns/list', { threadId: 't', limit: 5, sortDirection: 'asc', cursor: second.nextCursor });
    const pages = [first, second, third];
    expect(pages.map(({ data }) => data.map(({ id }) => id))).toEqual(stage.store.turnIds('t').map((id) => [id]));
    expect(third.nextCursor).toBeNull();
    const bare = await client.request('thread/turns/list', { threadId: 't', itemsView: 'notLoaded' });
    expect(bare.data).toHaveLength(3);
  });

  hubTest('a list of ten thousand is answered at once, page by page, each thread once', async (stage) => {
    const client = await stage.connect();
    for (let count = 0; count < 10_000; count += 1) {
      stage.store.begin(`t${count}`, [], { preview: `thread ${count}`, createdAtMs: 1_700_000_000_000 + ((count * 7919) % 10_000) * 1000 });
    }
    await client.request('thread/list', { limit: 1 });
    const startedMs = performance.now();
    await client.request('thread/list', { limit: 25 });
    expect(performance.now() - startedMs).toBeLessThan(300);
    const ids: string[] = [];
    const times: number[] = [];
    let cursor: string | null = null;
    do {
      const page: { data: Thread[]; nextCursor: string | null } = await client.request('thread/list', { limit: 100, cursor });
      ids.push(...page.data.map(({ id }) => id));
      times.push(...page.data.map(({ createdAt }) => createdAt));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(new Set(ids).size).toBe(10_000);
    expect(times).toEqual(times.toSorted((left, right) => right - left));
  });

  hubTest('names and archive flags outlive the daemon; a deleted thread leaves nothing', async (stage) => {
    let client = await stage.connect();
    const thread = await usedThread(client, 'hello');
    stage.store.begin('other', [['q', 'a']]);
    await client.request('thread/name/set', { threadId: thread.id, name: 'Mine' });
    await client.request('thread/name/set', { threadId: 'other', name: 'Not loaded' });
    await client.request('thread/archive', { threadId: 'other' });
    expect(stage.agent.calls.filter((call) => call.startsWith('rename'))).toEqual([`rename ${thread.id} Mine`, 'rename other Not loaded']);
    await stage.startAnew();
    client = await stage.connect('B');
    expect((await client.request('thread/list', {})).data).toMatchObject([
      { id: thread.id, name: 'Mine', source: 'vscode', status: { type: 'notLoaded' } },
    ]);
    expect((await client.request('thread/list', { archived: true })).data).toMatchObject([{ id: 'other', name: 'Not loaded' }]);
    expect((await client.refusal('thread/resume', { threadId: 'other' })).message).toContain('session other is archived. Run');
    await client.request('thread/unarchive', { threadId: 'other' });
    await client.request('thread/delete', { threadId: 'other' });
    await client.request('thread/delete', { threadId: thread.id });
    expect([...stage.store.threads.keys()]).toEqual([]);
    await stage.startAnew();
    const { readFileSync, statSync } = await import('node:fs');
    const file = `${stage.folder}/threads-fake.json`;
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ version: 1, threads: {} });
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  hubTest('an ephemeral thread is not listed and leaves the store when it is unloaded', async (stage) => {
    const client = await stage.connect();
    const { thread } = await client.startThread({ cwd: '/srv', ephemeral: true });
    await client.runTurn(thread.id, 'secret');
    expect(stage.store.turnIds(thread.id)).toHaveLength(1);
    expect((await client.request('thread/list', {})).data).toEqual([]);
    await stage.startAnew();
    expect([...stage.store.threads.keys()]).toEqual([]);
  });
});

describe('what stays in memory', () => {
  const hubOf = (options: { maxThreads?: number } = {}) => {
    let agent: FakeAgent | undefined;
    const createAgent = (hub: ConstructorParameters<typeof FakeAgent>[0]) => (agent = new FakeAgent(hub));
    const hub = new ThreadHub({ createAgent, audience: new Audience(), log: silentLog, ...options });
    return { hub, agent: agent as unknown as FakeAgent };
  };
  const made = { originator: 'test', isEphemeral: false };
  const say = (hub: ThreadHub, id: string, text: string) =>
    hub.turns.say(id, { content: [{ type: 'text', text }], clientId: null }, {}, () => {}).then(() => hub.loaded.find(id)?.running?.ended);

  test('a thread that nobody listens to is unloaded after half an hour, not earlier, and not while it works', async () => {
    const { hub, agent } = hubOf();
    agent.acts.set('wait', work);
    const [idle, busy] = [await hub.create({}, made), await hub.create({}, made)];
    await say(hub, idle.id, 'hello');
    void say(hub, busy.id, 'wait');
    const nowMs = Date.now();
    await hub.loaded.unloadIdle(nowMs + 29 * 60_000);
    expect(hub.loaded.all).toHaveLength(2);
    await hub.loaded.unloadIdle(nowMs + 31 * 60_000);
    expect(hub.loaded.all).toEqual([busy]);
    expect(agent.calls.at(-1)).toBe(`unload ${idle.id}`);
    expect(agent.store.turnIds(idle.id)).toHaveLength(1);
    await hub.unloadAll({ status: 'interrupted' });
  });

  test('a full memory unloads the oldest and deletes nothing', async () => {
    const { hub, agent } = hubOf({ maxThreads: 1 });
    const first = await hub.create({}, made);
    await say(hub, first.id, 'hello');
    const second = await hub.create({}, made);
    expect(hub.loaded.all).toEqual([second]);
    expect(agent.store.turnIds(first.id)).toHaveLength(1);
    expect((await hub.open(first.id, {})).id).toBe(first.id);
    expect(hub.loaded.all.map(({ id }) => id)).toEqual([first.id]);
  });

  test('only the last turns of a thread are kept', async () => {
    const { hub } = hubOf();
    const thread = await hub.create({}, made);
    for (let count = 0; count < 25; count += 1) await say(hub, thread.id, `turn ${count}`);
    expect(thread.record.turns).toHaveLength(20);
    await hub.unloadAll({ status: 'interrupted' });
  });
});
