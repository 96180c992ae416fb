import type { RunningTurn, TurnEvent } from '@heddle/bridge-kit';
import { describe, expect } from 'vitest';
import { answer, storedTurn, work } from './fake-agent.ts';
import { hubTest } from './hub-stage.ts';

const started = {
  type: 'subAgentStarted',
  agentThreadId: 'child',
  nickname: 'Ada',
  role: 'explorer',
  prompt: 'look',
  turnId: 'child-turn',
} as const;
const say = (turn: RunningTurn, id: string, text: string) => {
  const events: TurnEvent[] = [
    { type: 'itemStarted', item: { type: 'agentMessage', id, text, phase: null } },
    { type: 'itemCompleted', itemId: id },
    {
      type: 'responseEnded',
      usage: { inputTokens: 1, outputTokens: 1, reasoningOutputTokens: 0, cachedInputTokens: 0, cacheWriteInputTokens: 0 },
      contextWindow: null,
    },
  ];
  for (const event of events) turn.apply({ type: 'subAgentEvent', agentThreadId: 'child', event });
};

describe('a sub-agent', () => {
  hubTest('is a thread of its own, heard by those who hear its parent, and read while it is in memory', async (stage) => {
    const client = await stage.connect();
    stage.agent.acts.set('go', async (turn) => {
      turn.apply(started);
      say(turn, 'm1', 'found');
      turn.apply({ type: 'subAgentEnded', agentThreadId: 'child', outcome: { status: 'completed' } });
      turn.apply({ type: 'subAgentEvent', agentThreadId: 'child', event: { type: 'warning', message: 'too late' } });
      await answer(turn, 'done');
    });
    const { thread } = await client.startThread({ cwd: '/srv' });
    const since = stage.recording.entries.length;
    await client.runTurn(thread.id, 'go');
    const told = stage.told('A', since);
    expect(told.slice(told.indexOf('- userMessage') + 1, told.lastIndexOf('+ agentMessage'))).toEqual([
      'status idle',
      'status active',
      'turn/started',
      '+ agentMessage',
      '- agentMessage',
      'thread/tokenUsage/updated',
      'account/rateLimits/updated',
      'status idle',
      'turn/completed completed',
    ]);
    expect(client.seen('item/completed').find(({ threadId }) => threadId === 'child')).toMatchObject({
      turnId: 'child-turn',
      item: { text: 'found' },
    });
    const read = (await client.request('thread/read', { threadId: 'child', includeTurns: true })).thread;
    expect(read).toMatchObject({
      parentThreadId: thread.id,
      preview: 'look',
      source: {
        subAgent: {
          thread_spawn: { parent_thread_id: thread.id, depth: 1, agent_path: null, agent_nickname: 'Ada', agent_role: 'explorer' },
        },
      },
      turns: [{ id: 'child-turn', status: 'completed', items: [{ text: 'found' }] }],
    });
    const listed = async (params: object) => (await client.request('thread/list', params)).data.map(({ id }) => id);
    expect(await listed({})).toEqual([thread.id]);
    expect(await listed({ parentThreadId: thread.id })).toEqual(['child']);
    expect(await listed({ sourceKinds: ['subAgentThreadSpawn'] })).toEqual(['child']);
    const refused = await client.refusal('turn/start', { threadId: 'child', input: [] });
    expect(refused.message).toContain(`write to thread ${thread.id}`);
    await client.request('thread/delete', { threadId: thread.id });
    expect((await client.refusal('thread/read', { threadId: 'child' })).message).toBe('thread not loaded: child');
  });

  hubTest('is read from the store when its parent is not loaded, and opened with it', async (stage) => {
    const client = await stage.connect();
    stage.store.begin('parent', [['go', 'done']]);
    stage.store.begin('child', [['look', 'found']], {
      subAgent: { parentThreadId: 'parent', depth: 1, nickname: 'Ada', role: 'explorer' },
    });
    const read = (await client.request('thread/read', { threadId: 'child', includeTurns: true })).thread;
    expect(read).toMatchObject({ parentThreadId: 'parent', agentNickname: 'Ada', status: { type: 'notLoaded' } });
    expect(read.turns).toHaveLength(1);
    expect((await client.request('thread/loaded/list', {})).data).toEqual([]);
    const { thread } = await client.request('thread/resume', { threadId: 'child' });
    expect(thread).toMatchObject({ id: 'child', parentThreadId: 'parent', status: { type: 'idle' }, turns: read.turns });
    expect(stage.agent.calls.filter((call) => call.startsWith('open'))).toEqual(['open parent {}']);
    expect((await client.refusal('turn/start', { threadId: 'child', input: [] })).message).toContain('write to thread parent');
    await client.request('thread/archive', { threadId: 'parent' });
    expect((await client.request('thread/loaded/list', {})).data).toEqual([]);
  });

  hubTest('that went on in the background is shown as the store has it', async (stage) => {
    const client = await stage.connect();
    stage.agent.acts.set('go', async (turn) => {
      turn.apply(started);
      await answer(turn, 'done');
    });
    const { thread } = await client.startThread({ cwd: '/srv' });
    await client.runTurn(thread.id, 'go');
    const statuses = async () =>
      (await client.request('thread/read', { threadId: 'child', includeTurns: true })).thread.turns.map(({ status }) => status);
    expect(await statuses()).toEqual(['interrupted']);
    stage.store.begin('child', [], { subAgent: { parentThreadId: thread.id, depth: 1, nickname: 'Ada', role: 'explorer' } });
    stage.store.addTurn('child', storedTurn('child-turn', 'look', 'found', Date.now()));
    expect(await statuses()).toEqual(['completed']);
  });

  hubTest('asks in its own name, and ends with its parent at the latest', async (stage) => {
    const client = await stage.connect();
    stage.agent.acts.set('go', async (turn, text) => {
      turn.apply(started);
      const params = { threadId: 'child', turnId: 'child-turn', itemId: 'f', startedAtMs: Date.now() };
      await turn.ask('item/fileChange/requestApproval', params, 'f', { type: 'fileChange', id: 'f', changes: [], status: 'inProgress' });
      turn.apply({ ...started, agentThreadId: 'second', turnId: 'second-turn' });
      await work(turn, text);
    });
    const { thread } = await client.startThread({ cwd: '/srv' });
    const turn = await client.startTurn(thread.id, 'go');
    const question = await client.question('item/fileChange/requestApproval', 'child-turn');
    const waiting = client.seen('thread/status/changed').filter(({ status }) => status.type === 'active' && status.activeFlags.length > 0);
    expect(waiting.map(({ threadId }) => threadId)).toEqual([thread.id, 'child']);
    const late = await stage.connect('B');
    await late.request('thread/resume', { threadId: 'child' });
    expect((await late.question('item/fileChange/requestApproval', 'child-turn')).id).toBe(question.id);
    question.answer({ decision: 'decline' });
    expect(await late.notification('serverRequest/resolved')).toEqual({ threadId: 'child', requestId: question.id });
    await client.notification('turn/started', (one) => one.turn.id === 'second-turn');
    await client.request('turn/interrupt', { threadId: thread.id, turnId: turn.id });
    await client.turnEnd(turn.id);
    const ends = client.seen('turn/completed').map(({ threadId, turn: { status } }) => [threadId, status]);
    expect(ends).toEqual([
      ['child', 'interrupted'],
      ['second', 'interrupted'],
      [thread.id, 'interrupted'],
    ]);
    expect(client.completedItems('child-turn')).toMatchObject([{ status: 'declined' }]);
  });
});
