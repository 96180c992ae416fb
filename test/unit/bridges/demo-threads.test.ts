import { existsSync, statSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bridge } from '@heddle/bridge-kit';
import type { Thread } from '@heddle/wire';
import { DemoClient, demoBridge } from './demo-client.ts';

let bridge: Bridge;
let client: DemoClient;
beforeEach(async () => {
  bridge = demoBridge();
  client = await DemoClient.connect(bridge);
});
afterEach(() => bridge.close());

async function usedThread(...texts: string[]): Promise<Thread> {
  const thread = await client.startThread();
  for (const text of texts) await client.runTurn(thread.id, `text: ${text}`);
  return thread;
}

describe('listing threads', () => {
  test('newest first, in pages, forwards and back', async () => {
    const threads = [await usedThread('a'), await usedThread('b'), await usedThread('c')].map((thread) => thread.id);
    const [a, b, c] = threads;
    const ids = (page: { data: Thread[] }) => page.data.map((thread) => thread.id);
    const first = await client.ok('thread/list', { limit: 2 });
    expect(ids(first)).toEqual([c, b]);
    const second = await client.ok('thread/list', { limit: 2, cursor: first.nextCursor });
    expect(ids(second)).toEqual([a]);
    expect(second.nextCursor).toBeNull();
    const back = await client.ok('thread/list', { cursor: second.backwardsCursor, sortDirection: 'asc' });
    expect(ids(back)).toEqual([a, b, c]);
    await client.runTurn(a ?? '', 'text: again');
    expect(ids(await client.ok('thread/list', { sortKey: 'updated_at', limit: 1 }))).toEqual([a]);
    expect(ids(await client.ok('thread/list', { sortKey: 'recency_at', sortDirection: 'asc', limit: 0 }))).toEqual([b]);
    expect(ids(await client.ok('thread/list', { sortKey: 'section_position' }))).toEqual([c, b, a]);
    expect((await client.ok('thread/list')).data[0]?.turns).toEqual([]);
  });

  test('filters by what clients filter by', async () => {
    const thread = await usedThread('find the needle');
    await usedThread('hay');
    const count = async (params: object) => (await client.ok('thread/list', params)).data.length;
    expect(await count({ searchTerm: 'NEEDLE' })).toBe(1);
    expect(await count({ cwd: thread.cwd })).toBe(1);
    expect(await count({ cwd: [thread.cwd, '/nowhere'] })).toBe(1);
    expect(await count({ cwd: '/nowhere' })).toBe(0);
    expect(await count({ modelProviders: ['openai'] })).toBe(0);
    expect(await count({ modelProviders: ['demo'] })).toBe(2);
    expect(await count({ modelProviders: [] })).toBe(2);
    expect(await count({ sourceKinds: ['cli', 'vscode'] })).toBe(2);
    expect(await count({ sourceKinds: ['exec'] })).toBe(0);
    expect(await count({ parentThreadId: thread.id })).toBe(0);
    expect(await count({ excludedThreadIds: [thread.id] })).toBe(1);
    expect(await count({ archived: true })).toBe(0);
    expect(await client.refused('thread/list', { sortKey: 'colour' })).toContain('`sortKey` must be one of');
  });

  test('threads that were never used, and ephemeral ones, are not listed; they are loaded', async () => {
    const unused = await client.startThread();
    const ephemeral = await client.startThread({ ephemeral: true });
    await client.runTurn(ephemeral.id, 'text: x');
    expect((await client.ok('thread/list')).data).toEqual([]);
    const first = await client.ok('thread/loaded/list', { limit: 1 });
    expect(first.data).toEqual([unused.id]);
    expect((await client.ok('thread/loaded/list', { cursor: first.nextCursor })).data).toEqual([ephemeral.id]);
    const read = { threadId: ephemeral.id, includeTurns: true };
    expect(await client.refused('thread/read', read)).toBe('-32600 ephemeral threads do not support includeTurns');
  });
});

describe('reading a thread', () => {
  test('turns and items in pages', async () => {
    const thread = await usedThread('one', 'two', 'three');
    const list = (params: object) => client.ok('thread/turns/list', { threadId: thread.id, ...params });
    const newest = await list({ limit: 1 });
    expect(newest.data[0]).toMatchObject({ status: 'completed', itemsView: 'full', items: [{ type: 'userMessage' }, { text: 'three' }] });
    const older = await list({ limit: 5, cursor: newest.nextCursor, itemsView: 'notLoaded' });
    expect(older.data.map((turn) => turn.items)).toEqual([[], []]);
    const ascending = await list({ sortDirection: 'asc', itemsView: 'summary' });
    expect(ascending.data.map((turn) => turn.items[1])).toMatchObject([{ text: 'one' }, { text: 'two' }, { text: 'three' }]);

    type Items = { data: { turnId: string; item: { type: string } }[]; nextCursor: string | null };
    const items = (await client.okUntyped('thread/items/list', { threadId: thread.id, limit: 4 })) as Items;
    expect(items.data.map(({ item }) => item.type)).toEqual(['userMessage', 'agentMessage', 'userMessage', 'agentMessage']);
    const rest = (await client.okUntyped('thread/items/list', { threadId: thread.id, cursor: items.nextCursor })) as Items;
    expect(rest.data.map((entry) => entry.turnId)).toEqual([newest.data[0]?.id, newest.data[0]?.id]);
    expect(rest.nextCursor).toBeNull();
  });

  test('resume gives the turns, or a page of them, and the usage so far', async () => {
    const thread = await usedThread('one', 'two');
    const other = await DemoClient.connect(bridge);
    const resumed = await other.ok('thread/resume', { threadId: thread.id });
    expect(resumed.thread.turns.map((turn) => turn.items.length)).toEqual([2, 2]);
    expect((await other.next('thread/tokenUsage/updated')).params).toMatchObject({ turnId: resumed.thread.turns[1]?.id });
    const bare = await other.ok('thread/resume', { threadId: thread.id, excludeTurns: true, initialTurnsPage: { limit: 1 } });
    expect(bare.thread.turns).toEqual([]);
    expect(bare).toMatchObject({ initialTurnsPage: { data: [{ itemsView: 'summary' }] } });
    await other.ok('thread/loaded/list');
    expect(other.all('thread/tokenUsage/updated')).toHaveLength(1);
  });
});

describe('the life of a thread', () => {
  test('rename', async () => {
    const thread = await usedThread('one');
    await client.ok('thread/name/set', { threadId: thread.id, name: '  My thread ' });
    expect((await client.next('thread/name/updated')).params).toEqual({ threadId: thread.id, threadName: 'My thread' });
    expect(await client.refused('thread/name/set', { threadId: thread.id, name: '   ' })).toBe('-32600 thread name must not be empty');
    expect((await client.ok('thread/list', { searchTerm: 'my thread' })).data[0]?.name).toBe('My thread');
  });

  test('fork copies the turns that were asked for and goes its own way, in its own folder', async () => {
    const thread = await usedThread('one', 'two', 'three');
    const turns = (await client.ok('thread/read', { threadId: thread.id, includeTurns: true })).thread.turns;
    const whole = (await client.ok('thread/fork', { threadId: thread.id })).thread;
    expect(whole).toMatchObject({ forkedFromId: thread.id, preview: 'text: one', turns });
    expect(whole.cwd).not.toBe(thread.cwd);
    const started = await client.waitFor((message) => message.method === 'thread/started' && message.params.thread.id === whole.id);
    expect(started.params.thread.turns).toEqual([]);
    const upTo = await client.ok('thread/fork', { threadId: thread.id, lastTurnId: turns[1]?.id });
    expect(upTo.thread.turns).toEqual(turns.slice(0, 2));
    const before = await client.ok('thread/fork', { threadId: thread.id, beforeTurnId: turns[1]?.id });
    expect(before.thread.turns).toEqual(turns.slice(0, 1));
    expect(await client.refused('thread/fork', { threadId: thread.id, lastTurnId: whole.id })).toContain('no ended turn');
    await client.runTurn(whole.id, 'text: four');
    expect((await client.ok('thread/turns/list', { threadId: whole.id })).data).toHaveLength(4);
    expect((await client.ok('thread/turns/list', { threadId: thread.id })).data).toHaveLength(3);
  });

  test('a rollback drops the last turns; the next one follows what is left', async () => {
    const thread = await usedThread('one', 'two', 'three');
    const rolledBack = (await client.okUntyped('thread/rollback', { threadId: thread.id, numTurns: 2 })) as { thread: Thread };
    expect(rolledBack.thread.turns.map((turn) => turn.items[1])).toMatchObject([{ text: 'one' }]);
    expect((await client.next('thread/reverted')).params).toEqual({ threadId: thread.id });
    await client.runTurn(thread.id, 'text: four');
    const { turns } = (await client.ok('thread/read', { threadId: thread.id, includeTurns: true })).thread;
    expect(turns.map((turn) => turn.items[1])).toMatchObject([{ text: 'one' }, { text: 'four' }]);
    expect(await client.refused('thread/compact/start', { threadId: thread.id })).toBe("-32600 demo can't shorten a conversation");
  });

  test('a queued message is said when the turn before has ended', async () => {
    const thread = await client.startThread();
    await client.startTurn(thread.id, 'slow 5');
    const input = [{ type: 'text', text: 'text: queued' }];
    await client.ok('thread/queue/add', { threadId: thread.id, input, clientUserMessageId: 'q' });
    const said = await client.waitFor(
      (message) => message.params?.turn?.items?.[0]?.type === 'agentMessage' && message.params.turn.status === 'completed',
    );
    const next = await client.waitFor((message) => message.method === 'turn/completed', client.received.indexOf(said) + 1);
    expect(next.params.turn.items).toMatchObject([{ text: 'queued' }]);
  });

  test('wishes change nothing, and the answer says so', async () => {
    const thread = await usedThread('one');
    const resumed = await client.ok('thread/resume', { threadId: thread.id, model: 'big', approvalPolicy: 'never' });
    expect(resumed).toMatchObject({ model: 'demo', approvalPolicy: 'untrusted', collaborationMode: { mode: 'default' } });
    await client.ok('thread/settings/update', { threadId: thread.id, effort: 'high' });
    expect(client.all('thread/settings/updated')).toEqual([]);
  });

  test('archive ends what runs, unloads and hides; unarchive and resume bring it back', async () => {
    const thread = await client.startThread();
    const { id: turnId } = await client.startTurn(thread.id, 'slow 300');
    await client.next('item/agentMessage/delta');
    const threadId = thread.id;
    const since = client.received.length;
    await client.ok('thread/archive', { threadId });
    await client.next('thread/archived', since);
    const closing = client.sequence(since).filter((one) => one !== 'item/agentMessage/delta');
    expect(closing).toEqual([
      '- agentMessage',
      'status idle',
      'turn/completed interrupted',
      'status notLoaded',
      '= result',
      'thread/archived',
    ]);
    expect((await client.turnEnd(turnId)).params.turn.status).toBe('interrupted');
    expect((await client.ok('thread/list')).data).toEqual([]);
    expect((await client.ok('thread/list', { archived: true })).data).toMatchObject([{ id: threadId, status: { type: 'notLoaded' } }]);
    expect(await client.refused('turn/start', { threadId, input: [] })).toBe(`-32600 thread not found: ${threadId}`);
    expect(await client.refused('thread/resume', { threadId })).toContain(`session ${threadId} is archived. Run`);
    expect(await client.refused('thread/archive', { threadId })).toBe(`-32600 no rollout found for thread id ${threadId}`);
    expect(await client.ok('thread/unsubscribe', { threadId })).toEqual({ status: 'notLoaded' });

    expect((await client.ok('thread/unarchive', { threadId })).thread.status).toEqual({ type: 'notLoaded' });
    await client.next('thread/unarchived');
    expect(await client.refused('thread/unarchive', { threadId })).toBe(`-32600 no archived rollout found for thread id ${threadId}`);
    const resumed = client.received.length;
    await client.ok('thread/resume', { threadId });
    expect(client.sequence(resumed).slice(0, 2)).toEqual(['status idle', '= result']);
    expect((await client.runTurn(threadId, 'text: back')).status).toBe('completed');
  });

  test('delete removes the folder and forgets the thread', async () => {
    const thread = await usedThread('one');
    await client.runTurn(thread.id, 'command: mkdir -p deep/er && touch deep/er/file', 'accept');
    expect(statSync(thread.cwd).mode & 0o777).toBe(0o700);
    const since = client.received.length;
    await client.ok('thread/delete', { threadId: thread.id });
    await client.next('thread/deleted');
    expect(client.sequence(since)).toEqual(['status notLoaded', '= result', 'thread/deleted']);
    expect(existsSync(thread.cwd)).toBe(false);
    expect(await client.refused('thread/read', { threadId: thread.id })).toBe(`-32600 thread not loaded: ${thread.id}`);
    expect(await client.refused('thread/delete', { threadId: thread.id })).toBe(`-32600 no rollout found for thread id ${thread.id}`);
  });

  test('unsubscribe stops the events of turns, not the turn', async () => {
    const thread = await client.startThread();
    expect(await client.ok('thread/unsubscribe', { threadId: thread.id })).toEqual({ status: 'unsubscribed' });
    expect(await client.ok('thread/unsubscribe', { threadId: thread.id })).toEqual({ status: 'notSubscribed' });
    await client.startTurn(thread.id, 'text: unheard');
    await client.waitFor((message) => message.method === 'thread/status/changed' && message.params.status.type === 'idle');
    expect(client.received.some((message) => message.method?.startsWith('item/'))).toBe(false);
    expect(client.all('turn/completed')).toEqual([]);
    expect((await client.ok('thread/read', { threadId: thread.id, includeTurns: true })).thread.turns[0]?.status).toBe('completed');
  });
});
