import type { RunningTurn, TurnEvent } from '@heddle/bridge-kit';
import { TurnFailure } from '@heddle/bridge-kit';
import type { ThreadItem } from '@heddle/wire';
import { describe, expect } from 'vitest';
import { type Act, answer, work } from './fake-agent.ts';
import { hubTest, type HubStage } from './hub-stage.ts';

const apply = (turn: RunningTurn, ...events: TurnEvent[]) => {
  for (const event of events) turn.apply(event);
};

/** What one turn told, from its first item after the user's message on. */
async function play(stage: HubStage, act: Act): Promise<{ told: string[]; items: ThreadItem[]; threadId: string }> {
  const client = await stage.connect();
  stage.agent.acts.set('go', act);
  const { thread } = await client.startThread({ cwd: '/srv' });
  const since = stage.recording.entries.length;
  const { id } = await client.runTurn(thread.id, 'go');
  const told = stage.told('A', since);
  return { told: told.slice(told.indexOf('- userMessage') + 1), items: client.completedItems(id).slice(1), threadId: thread.id };
}

const command: ThreadItem = {
  type: 'commandExecution',
  id: 'c1',
  command: 'ls',
  cwd: '/srv',
  status: 'inProgress',
  commandActions: [],
  aggregatedOutput: null,
  exitCode: null,
  durationMs: null,
  processId: null,
  source: 'agent',
};

describe('events of a turn', () => {
  hubTest('each kind of item is told as codex tells it', async (stage) => {
    const { told, items } = await play(stage, async (turn) => {
      const tool = { id: 't1', tool: 'look', status: 'inProgress', arguments: { at: 1 }, durationMs: null } as const;
      apply(
        turn,
        { type: 'itemStarted', item: { type: 'plan', id: 'p1', text: '' } },
        { type: 'textDelta', itemId: 'p1', delta: 'First, ' },
        { type: 'textDelta', itemId: 'p1', delta: 'then.' },
        { type: 'itemCompleted', itemId: 'p1' },
        { type: 'itemStarted', item: { type: 'reasoning', id: 'r1', summary: [], content: [] } },
        { type: 'reasoningDelta', itemId: 'r1', delta: 'Hm' },
        { type: 'reasoningPart', itemId: 'r1' },
        { type: 'reasoningDelta', itemId: 'r1', delta: 'Ah' },
        { type: 'itemCompleted', itemId: 'r1' },
        { type: 'itemStarted', item: { ...tool, type: 'dynamicToolCall', namespace: 'fake', contentItems: null, success: null } },
        {
          type: 'itemCompleted',
          itemId: 't1',
          changes: { status: 'completed', success: true, contentItems: [{ type: 'inputText', text: 'seen' }] },
        },
        {
          type: 'itemStarted',
          item: {
            ...tool,
            id: 'm1',
            type: 'mcpToolCall',
            server: 's',
            appContext: null,
            mcpAppUi: null,
            pluginId: null,
            readOnlyHint: null,
            result: null,
            error: null,
          },
        },
        { type: 'itemCompleted', itemId: 'm1', changes: { status: 'failed', error: { message: 'no' } } },
        { type: 'itemStarted', item: { type: 'webSearch', id: 'w1', query: 'wool', action: null } },
        { type: 'itemCompleted', itemId: 'w1', changes: { action: { type: 'search', query: 'wool', queries: null } } },
        { type: 'itemStarted', item: { type: 'imageView', id: 'i1', path: '/srv/a.png' } },
        { type: 'itemCompleted', itemId: 'i1' },
        { type: 'planUpdated', explanation: null, plan: [{ step: 'one', status: 'pending' }] },
        { type: 'warning', message: 'careful' },
      );
      await answer(turn, 'done');
    });
    expect(told).toEqual([
      '+ plan',
      'item/plan/delta',
      'item/plan/delta',
      '- plan',
      '+ reasoning',
      'item/reasoning/summaryPartAdded',
      'item/reasoning/summaryTextDelta',
      'item/reasoning/summaryPartAdded',
      'item/reasoning/summaryTextDelta',
      '- reasoning',
      '+ dynamicToolCall',
      '- dynamicToolCall completed',
      '+ mcpToolCall',
      '- mcpToolCall failed',
      '+ webSearch',
      '- webSearch',
      '+ imageView',
      '- imageView',
      'turn/plan/updated',
      'warning',
      '+ agentMessage',
      'item/agentMessage/delta',
      '- agentMessage',
      'thread/tokenUsage/updated',
      'account/rateLimits/updated',
      'status idle',
      'turn/completed completed',
    ]);
    expect(items).toMatchObject([{ text: 'First, then.' }, { summary: ['Hm', 'Ah'] }, { success: true }, {}, {}, {}, {}]);
  });

  hubTest('the diff of the turn follows a change and each answer of the model', async (stage) => {
    const { told } = await play(stage, async (turn) => {
      apply(turn, { type: 'fileChanged', path: '/srv/a.txt', before: 'one\n', after: 'two\n' });
      apply(turn, { type: 'fileChanged', path: '/srv/b.txt', before: null, after: 'new\n' });
      await answer(turn, 'done');
    });
    expect(told.filter((one) => one === 'turn/diff/updated')).toHaveLength(3);
    expect(told.indexOf('account/rateLimits/updated')).toBe(told.lastIndexOf('turn/diff/updated') - 1);
    const client = await stage.connect('B');
    expect(client.seen('turn/diff/updated')).toEqual([]);
  });

  hubTest('what was spent is told with the tokens, and stays known', async (stage) => {
    const client = await stage.connect();
    stage.agent.acts.set('go', async (turn) => {
      apply(turn, { type: 'costKnown', costUsd: 1, contextWindow: 5 }); // nothing was counted yet
      await answer(turn, 'done');
      apply(turn, { type: 'costKnown', costUsd: 0.25, contextWindow: null });
    });
    const { thread } = await client.startThread({ cwd: '/srv' });
    await client.runTurn(thread.id, 'go');
    const told = () =>
      client.seen('thread/tokenUsage/updated').map(({ tokenUsage }) => [tokenUsage.costUsd, tokenUsage.modelContextWindow]);
    expect(told()).toEqual([
      [undefined, 1000],
      [0.25, 1000],
    ]);
    await client.runTurn(thread.id, 'more');
    expect(told().at(-1)).toEqual([0.25, 1000]);
  });

  hubTest('usage counts on, knows the context window, and the limits are told when they change', async (stage) => {
    const client = await stage.connect();
    stage.agent.limits = { primary: { usedPercent: 40, windowDurationMins: 300, resetsAt: 1_800_000_000 } };
    const { thread } = await client.startThread({ cwd: '/srv' });
    await client.runTurn(thread.id, 'one');
    await client.runTurn(thread.id, 'two');
    expect(client.seen('thread/tokenUsage/updated').at(-1)?.tokenUsage).toEqual({
      total: {
        totalTokens: 24,
        inputTokens: 20,
        outputTokens: 4,
        reasoningOutputTokens: 2,
        cachedInputTokens: 8,
        cacheWriteInputTokens: 0,
      },
      last: { totalTokens: 12, inputTokens: 10, outputTokens: 2, reasoningOutputTokens: 1, cachedInputTokens: 4, cacheWriteInputTokens: 0 },
      modelContextWindow: 1000,
    });
    expect(client.seen('account/rateLimits/updated').at(-1)?.rateLimits).toMatchObject({ primary: { usedPercent: 40 }, credits: null });
    expect(await client.request('account/rateLimits/read', undefined)).toMatchObject({ rateLimits: { primary: { usedPercent: 40 } } });
  });

  hubTest('many retries are one notice; the failure that follows has its kind', async (stage) => {
    const { told, threadId } = await play(stage, (turn) => {
      const error = { message: 'again', codexErrorInfo: { httpConnectionFailed: { httpStatusCode: 500 } }, additionalDetails: null };
      for (let count = 0; count < 9; count += 1) apply(turn, { type: 'retrying', error });
      return Promise.reject(new TurnFailure('no more', 'usageLimitExceeded', 'come back at noon'));
    });
    expect(told).toEqual(['error', 'status systemError', 'error', 'turn/completed failed']);
    const client = await stage.connect('B');
    const { turns } = (await client.request('thread/resume', { threadId })).thread;
    expect(turns.at(-1)?.error).toEqual({
      message: 'no more',
      codexErrorInfo: 'usageLimitExceeded',
      additionalDetails: 'come back at noon',
    });
  });

  hubTest('what is open when the turn is cut is closed; what comes later is dropped', async (stage) => {
    const client = await stage.connect();
    const late: RunningTurn[] = [];
    stage.agent.acts.set('go', async (turn, text) => {
      late.push(turn);
      apply(
        turn,
        { type: 'itemStarted', item: command },
        { type: 'outputDelta', itemId: 'c1', delta: 'begun' },
        {
          type: 'itemStarted',
          item: {
            type: 'collabAgentToolCall',
            id: 'a1',
            tool: 'spawnAgent',
            status: 'inProgress',
            senderThreadId: turn.threadId,
            receiverThreadIds: ['x', 'y'],
            prompt: null,
            model: null,
            reasoningEffort: null,
            agentsStates: { x: { status: 'completed', message: null }, y: { status: 'running', message: null } },
          },
        },
      );
      await work(turn, text);
    });
    const { thread } = await client.startThread({ cwd: '/srv' });
    const { id } = await client.startTurn(thread.id, 'go');
    await client.notification('item/started', ({ item }) => item.id === 'a1');
    await client.request('turn/interrupt', { threadId: thread.id, turnId: id });
    apply(late[0] as RunningTurn, { type: 'itemStarted', item: { ...command, id: 'c2' } });
    expect((await client.turnEnd(id)).status).toBe('interrupted');
    apply(late[0] as RunningTurn, { type: 'outputDelta', itemId: 'c1', delta: 'late' }, { type: 'warning', message: 'late' });
    expect(client.completedItems(id).slice(1)).toMatchObject([
      { id: 'c1', status: 'failed', aggregatedOutput: 'begun' },
      { id: 'a1', status: 'failed', agentsStates: { x: { status: 'completed' }, y: { status: 'interrupted' } } },
    ]);
    expect(client.seen('warning')).toEqual([]);
  });

  hubTest('outputs are cut below a mebibyte, with a note, and deltas still make the text', async (stage) => {
    const client = await stage.connect();
    const picture = { type: 'inputImage' as const, imageUrl: `data:image/png;base64,${'A'.repeat(2_000_000)}` };
    stage.agent.acts.set('go', (turn) => {
      apply(turn, { type: 'itemStarted', item: { type: 'agentMessage', id: 'm', text: '', phase: null } });
      for (let count = 0; count < 30; count += 1) apply(turn, { type: 'textDelta', itemId: 'm', delta: 'ä"'.repeat(20_000) });
      apply(turn, { type: 'itemCompleted', itemId: 'm' }, { type: 'itemStarted', item: command });
      apply(turn, { type: 'itemCompleted', itemId: 'c1', changes: { status: 'completed', aggregatedOutput: 'x'.repeat(3_000_000) } });
      const tool = { type: 'dynamicToolCall', id: 't', namespace: null, tool: 'see', arguments: {}, status: 'inProgress' } as const;
      apply(turn, { type: 'itemStarted', item: { ...tool, contentItems: null, success: null, durationMs: null } });
      apply(turn, { type: 'itemCompleted', itemId: 't', changes: { status: 'completed', contentItems: [picture] } });
      return answer(turn, 'done');
    });
    const { thread } = await client.startThread({ cwd: '/srv' });
    const { id } = await client.startTurn(thread.id, 'go');
    await client.turnEnd(id);
    const [, text, output, tool] = client.completedItems(id);
    if (text?.type !== 'agentMessage' || output?.type !== 'commandExecution' || tool?.type !== 'dynamicToolCall') throw new Error('items');
    expect(text.text).toMatch(/\n\[\d+ more characters were left out\]\n$/);
    const deltas = client.seen('item/agentMessage/delta').filter(({ itemId }) => itemId === 'm');
    expect(deltas.map(({ delta }) => delta).join('') === text.text).toBe(true);
    expect(output.aggregatedOutput).toMatch(/x\n\[\d+ more characters were left out\]\n$/);
    expect(tool.contentItems).toEqual([{ type: 'inputText', text: '[an image of 2000022 characters was left out]' }]);
    const lines = stage.recording.entries.map((entry) => (entry.kind === 'message' ? Buffer.byteLength(JSON.stringify(entry.message)) : 0));
    expect(Math.max(...lines)).toBeLessThan(1024 * 1024);
  });
});
