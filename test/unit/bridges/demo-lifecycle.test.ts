import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Bridge, type HubAgent, type RunningTurn, type SettingsInForce, uuidV7 } from '@heddle/bridge-kit';
import { silentLog } from '@heddle/rpc';
import { Audience } from '../../../packages/bridge-kit/src/server/audience.ts';
import { ThreadHub } from '../../../packages/bridge-kit/src/threads/thread-hub.ts';
import { type ThreadRecord, trimHistory, wholeHistory } from '../../../packages/bridge-kit/src/threads/thread-record.ts';
import { DemoClient, demoBridge, livingInGroup, type Message } from './demo-client.ts';

const bridges: Bridge[] = [];
const openBridge = () => {
  const bridge = demoBridge();
  bridges.push(bridge);
  return bridge;
};
afterEach(() => Promise.all(bridges.map((bridge) => bridge.close())));

/** Temporary folders of this file's bridges only: other tests run at the same time. */
const temporary = mkdtempSync(join(tmpdir(), 'heddle-test-'));
const { TMPDIR } = process.env;
beforeAll(() => {
  process.env['TMPDIR'] = temporary;
});
afterAll(() => {
  if (TMPDIR === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = TMPDIR;
  rmSync(temporary, { recursive: true });
});

const isApproval = (message: Message) => message.method?.endsWith('requestApproval') === true;

/** A command that runs on, with a child in the background that would outlive it. */
async function startCommand(client: DemoClient): Promise<{ threadId: string; turnId: string; folder: string; processGroup: number }> {
  const thread = await client.startThread();
  const turn = await client.startTurn(thread.id, 'command: sleep 61 & echo ready; sleep 62');
  client.answer(await client.waitFor(isApproval), 'accept');
  await client.next('item/commandExecution/outputDelta');
  const read = (await client.ok('thread/read', { threadId: thread.id, includeTurns: true })).thread;
  const item = read.turns[0]?.items[1];
  if (item?.type !== 'commandExecution') throw new Error('no command item');
  return { threadId: thread.id, turnId: turn.id, folder: thread.cwd, processGroup: Number(item.processId) };
}

describe('restart of the demo bridge', () => {
  test('fails what runs, ends sessions with agent_exited, keeps the threads', async () => {
    const bridge = openBridge();
    const client = await DemoClient.connect(bridge);
    const { threadId, turnId, folder, processGroup } = await startCommand(client);
    expect(livingInGroup(processGroup)).toHaveLength(3);
    const since = client.received.length;
    await bridge.restart();
    expect(await client.ended).toMatchObject({ code: 'agent_exited', message: 'the demo agent was restarted' });
    expect(livingInGroup(processGroup)).toEqual([]);
    const end = await client.turnEnd(turnId);
    expect(end.params.turn).toMatchObject({ status: 'failed', error: { message: 'the demo agent was restarted' } });
    expect(client.sequence(since)).toEqual([
      '- commandExecution failed',
      'status systemError',
      'error',
      'turn/completed failed',
      'status notLoaded',
    ]);

    const again = await DemoClient.connect(bridge);
    const input = [{ type: 'text', text: 'text: hi' }];
    expect(await again.refused('turn/start', { threadId, input })).toBe(`-32600 thread not found: ${threadId}`);
    expect((await again.ok('thread/resume', { threadId })).thread.turns).toMatchObject([{ id: turnId, status: 'failed' }]);
    expect((await again.runTurn(threadId, 'text: hi')).status).toBe('completed');
    expect(existsSync(folder)).toBe(true);
  });

  test('an approval that waits is withdrawn', async () => {
    const bridge = openBridge();
    const client = await DemoClient.connect(bridge);
    const thread = await client.startThread();
    await client.startTurn(thread.id, 'command: true');
    const request = await client.waitFor(isApproval);
    await bridge.restart();
    await client.ended;
    expect(client.all('serverRequest/resolved')).toMatchObject([{ params: { requestId: request.id } }]);
    const again = await DemoClient.connect(bridge);
    await again.ok('thread/resume', { threadId: thread.id });
    await again.ok('thread/loaded/list');
    expect(again.received.filter(isApproval)).toEqual([]);
  });
});

describe('close of the demo bridge', () => {
  test('leaves no process, no folder and no session, and can be called twice', async () => {
    const bridge = openBridge();
    const client = await DemoClient.connect(bridge);
    const { processGroup } = await startCommand(client);
    await client.startThread();
    expect(readdirSync(temporary)).toHaveLength(2);
    const late = client.request('thread/start', {}).catch((error: Error) => error.message);
    await Promise.all([bridge.close(), bridge.close()]);
    expect(livingInGroup(processGroup)).toEqual([]);
    expect(readdirSync(temporary)).toEqual([]);
    expect(await client.ended).toMatchObject({ code: 'agent_exited' });
    await late;
    await expect(bridge.open()).rejects.toMatchObject({ code: 'agent_unavailable' });
  });
});

describe('the bound on threads', () => {
  /** An agent whose turns end when they are told to. */
  const slowAgent = () => {
    const removed: string[] = [];
    const settings: SettingsInForce = {
      cwd: '/x',
      model: 'm',
      modelProvider: 'p',
      reasoningEffort: null,
      approvalPolicy: 'untrusted',
      sandbox: { type: 'dangerFullAccess' },
      mode: 'default',
    };
    const agent: HubAgent = {
      name: 'slow',
      version: '1',
      modes: ['default'],
      createThread: () => Promise.resolve({ id: uuidV7(), settings }),
      openThread: () => Promise.reject(new Error('it has no store')),
      changeSettings: () => Promise.resolve(settings),
      runTurn: (turn: RunningTurn) => new Promise<void>((resolve) => turn.signal.addEventListener('abort', () => resolve())),
      unloadThread: (threadId) => {
        removed.push(threadId);
        return Promise.resolve();
      },
      models: () => Promise.resolve([]),
      skills: () => Promise.resolve([]),
      rateLimits: () => Promise.resolve(undefined),
    };
    return { agent, removed };
  };
  const hubOf = (agent: HubAgent) => new ThreadHub({ createAgent: () => agent, audience: new Audience(), log: silentLog, maxThreads: 2 });
  const made = { originator: 'test', isEphemeral: false };
  const say = (hub: ThreadHub, id: string) => hub.turns.say(id, { content: [], clientId: null }, {}, () => {});

  test('the thread that was idle for longest makes room; busy ones stay; when all are busy, none is made', async () => {
    const { agent, removed } = slowAgent();
    const hub = hubOf(agent);
    const create = () => hub.create({}, made);
    const [busy, idle] = [await create(), await create()];
    await say(hub, busy.id);
    busy.record.updatedAtMs = 0; // the oldest by far, but at work
    const third = await create();
    expect(removed).toEqual([idle.id]);
    expect(hub.loaded.all).toEqual([busy, third]);
    await say(hub, third.id);
    await expect(create()).rejects.toMatchObject({ code: -32001 });
    expect(hub.loaded.all).toEqual([busy, third]);
    await Promise.all([hub.loaded.remove(busy.id), hub.loaded.remove(third.id)]);
  });

  test('threads that are asked for at once keep to the bound too', async () => {
    const hub = hubOf(slowAgent().agent);
    await Promise.allSettled(Array.from({ length: 6 }, () => hub.create({}, made)));
    expect(hub.loaded.all.length).toBeLessThanOrEqual(2);
  });

  test('history keeps the newest turns, by count and by weight', () => {
    const turn = (ordinal: number, text: string) => ({
      id: `t${ordinal}`,
      ordinal,
      items: [{ type: 'agentMessage' as const, id: 'i', text, phase: null }],
      status: 'completed' as const,
      error: null,
      startedAtMs: 0,
      completedAtMs: 0,
    });
    const record = { turns: Array.from({ length: 205 }, (_, index) => turn(index, 'short')) } as ThreadRecord;
    trimHistory(record, wholeHistory);
    expect(record.turns).toHaveLength(200);
    expect(record.turns[0]?.ordinal).toBe(5);
    record.turns = [turn(1, 'x'.repeat(5_000_000)), turn(2, 'x'.repeat(5_000_000)), turn(3, 'x'.repeat(9_000_000))];
    trimHistory(record, wholeHistory);
    expect(record.turns.map((one) => one.ordinal)).toEqual([3]);
  });
});
