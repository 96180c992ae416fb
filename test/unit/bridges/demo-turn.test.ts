import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DemoClient, demoBridge, runs } from './demo-client.ts';

const bridge = demoBridge();
let client: DemoClient;
beforeAll(async () => {
  client = await DemoClient.connect(bridge);
});
afterAll(() => bridge.close());

const opening = ['= result', 'status active', 'turn/started', '+ userMessage', '- userMessage'];
const answer = ['+ agentMessage', 'item/agentMessage/delta', '- agentMessage', 'thread/tokenUsage/updated', 'account/rateLimits/updated'];
const ending = ['status idle', 'turn/completed completed'];

/** Runs one turn in a new thread and returns what came, in order. */
async function sequenceOf(text: string, decision?: unknown): Promise<string[]> {
  const thread = await client.startThread();
  const since = client.received.indexOf(await client.next('thread/started', client.received.length - 1)) + 1;
  await client.runTurn(thread.id, text, decision);
  return runs(client.sequence(since));
}

describe('a turn of the demo', () => {
  test('answers thread/start before it announces the thread, in a private folder of its own', async () => {
    const result = await client.ok('thread/start', { cwd: '/somewhere/else', approvalPolicy: 'never', sandbox: 'read-only', model: 'big' });
    const started = await client.waitFor((message) => message.method === 'thread/started' && message.params.thread.id === result.thread.id);
    expect(started.params.thread).toEqual(result.thread);
    expect(result).toMatchObject({ model: 'demo', approvalPolicy: 'untrusted', sandbox: { type: 'dangerFullAccess' } });
    expect(result.cwd).toBe(result.thread.cwd);
    expect(result.cwd).toMatch(/heddle-demo-/);
    expect(result.thread).toMatchObject({ status: { type: 'idle' }, turns: [], preview: '', cliVersion: '9.8.7' });
  });

  test('text: the order of codex, and the answer in the end of the turn', async () => {
    expect(await sequenceOf('text: Grüße aus dem Skript')).toEqual([...opening, ...answer, ...ending]);
    const end = client.received.at(-1)?.params.turn;
    expect(end).toMatchObject({ itemsView: 'summary', status: 'completed', error: null });
    expect(end?.items).toMatchObject([{ type: 'agentMessage', text: 'Grüße aus dem Skript', phase: 'final_answer' }]);
  });

  test('deltas make the text, and the turn is answered before it has a time', async () => {
    const thread = await client.startThread();
    const accepted = await client.startTurn(thread.id, 'text');
    expect(accepted).toMatchObject({ items: [], itemsView: 'notLoaded', status: 'inProgress', startedAt: null });
    const end = (await client.turnEnd(accepted.id)).params.turn;
    const [item] = end.items;
    const deltas = client.all('item/agentMessage/delta').filter((message) => message.params.itemId === item?.id);
    expect(deltas.length).toBeGreaterThan(5);
    expect(deltas.map((message) => message.params.delta).join('')).toBe(item?.type === 'agentMessage' ? item.text : undefined);
  });

  test('reason: sections of a summary, then the answer', async () => {
    const part = ['item/reasoning/summaryPartAdded', 'item/reasoning/summaryTextDelta'];
    expect(await sequenceOf('reason')).toEqual([...opening, '+ reasoning', ...part, ...part, '- reasoning', ...answer, ...ending]);
  });

  test('plan: its steps advance one by one', async () => {
    const sequence = await sequenceOf('plan');
    const counted = ['turn/plan/updated', 'thread/tokenUsage/updated', 'account/rateLimits/updated'];
    expect(sequence).toEqual([...opening, ...counted, ...answer, ...ending]);
    const plans = client.all('turn/plan/updated').map((message) => message.params.plan.map((step) => step.status));
    expect(plans).toEqual([
      ['inProgress', 'pending', 'pending'],
      ['completed', 'inProgress', 'pending'],
      ['completed', 'completed', 'inProgress'],
      ['completed', 'completed', 'completed'],
    ]);
  });

  test('fail: systemError, error, failed turn; the next turn works', async () => {
    expect(await sequenceOf('fail')).toEqual([...opening, 'status systemError', 'error', 'turn/completed failed']);
    const { threadId, turn } = client.received.at(-1)?.params ?? {};
    expect(turn).toMatchObject({ items: [], itemsView: 'notLoaded', error: { codexErrorInfo: 'other' } });
    expect(client.all('error')).toMatchObject([{ params: { willRetry: false, error: turn?.error } }]);
    expect((await client.ok('thread/read', { threadId })).thread.status).toEqual({ type: 'systemError' });
    expect((await client.runTurn(threadId ?? '', 'text: again')).status).toBe('completed');
  });

  test('steps compose, and the last text is the answer', async () => {
    const thread = await client.startThread();
    const turn = await client.runTurn(thread.id, 'reason\ntext: first\ncommand: echo done\ntext: last', 'accept');
    expect(turn.items).toMatchObject([{ text: 'last' }]);
    const read = (await client.ok('thread/read', { threadId: thread.id, includeTurns: true })).thread.turns[0];
    expect(read?.items.map((item) => item.type)).toEqual(['userMessage', 'reasoning', 'agentMessage', 'commandExecution', 'agentMessage']);
  });

  test('anything else is the tour: plan, command, file, and how to go on', async () => {
    const thread = await client.startThread();
    const turn = await client.runTurn(thread.id, 'Hello, who are you?', 'accept');
    expect(turn.items).toMatchObject([{ text: expect.stringMatching(/exit code 0\. I added the file .*`command`.*`slow 40`/) as unknown }]);
    const read = (await client.ok('thread/read', { threadId: thread.id, includeTurns: true })).thread;
    expect(read.preview).toBe('Hello, who are you?');
    expect(read.turns[0]?.items).toMatchObject([
      { type: 'userMessage' },
      { type: 'agentMessage', phase: 'commentary' },
      { type: 'commandExecution', status: 'completed', exitCode: 0 },
      { type: 'fileChange', status: 'completed' },
      { type: 'agentMessage', phase: 'final_answer' },
    ]);
  });

  test('the tour goes on and says so when everything is declined', async () => {
    const thread = await client.startThread();
    const turn = await client.runTurn(thread.id, 'hello', 'decline');
    expect(turn).toMatchObject({ status: 'completed', items: [{ text: expect.stringContaining('You declined the command') as unknown }] });
  });

  test('usage adds up over the turns of a thread', async () => {
    const thread = await client.startThread();
    await client.runTurn(thread.id, 'text: one two three');
    await client.runTurn(thread.id, 'text: four');
    const usage = client.all('thread/tokenUsage/updated').filter((message) => message.params.threadId === thread.id);
    expect(usage.map(({ params }) => [params.tokenUsage.last.outputTokens, params.tokenUsage.total.outputTokens])).toEqual([
      [3, 3],
      [1, 4],
    ]);
  });

  test('refuses a text that codex would refuse', async () => {
    const thread = await client.startThread();
    const input = [{ type: 'text', text: 'x'.repeat(1_048_577) }];
    expect(await client.refused('turn/start', { threadId: thread.id, input })).toBe(
      '-32602 Input exceeds the maximum length of 1048576 characters.',
    );
  });
});

describe('interrupt and steer', () => {
  test('interrupt: the answer, the open item closed with what it had, idle, interrupted', async () => {
    const thread = await client.startThread();
    const turn = await client.startTurn(thread.id, 'slow 200');
    const { params } = await client.waitFor(
      (message) => message.params?.turnId === turn.id && message.method === 'item/agentMessage/delta',
    );
    const wrong = `-32600 expected active turn id ${thread.id} but found ${turn.id}`;
    expect(await client.refused('turn/interrupt', { threadId: thread.id, turnId: thread.id })).toBe(wrong);
    const since = client.received.length;
    await client.ok('turn/interrupt', { threadId: thread.id, turnId: turn.id });
    const end = await client.turnEnd(turn.id);
    const closing = ['= result', '- agentMessage', 'status idle', 'turn/completed interrupted'];
    expect(client.sequence(since).filter((one) => one !== 'item/agentMessage/delta')).toEqual(closing);
    expect(end.params.turn).toMatchObject({ items: [], itemsView: 'notLoaded', error: null });
    const stored = (await client.ok('thread/turns/list', { threadId: thread.id })).data[0]?.items[1];
    expect(stored).toMatchObject({ id: params.itemId, text: expect.stringMatching(/^word1 /) as unknown });
    expect(await client.refused('turn/interrupt', { threadId: thread.id, turnId: turn.id })).toBe('-32600 no active turn to interrupt');
  });

  test('a message right behind an interrupt gets a turn of its own', async () => {
    const thread = await client.startThread();
    const first = await client.startTurn(thread.id, 'slow 200');
    const interrupted = client.ok('turn/interrupt', { threadId: thread.id, turnId: first.id });
    const second = await client.startTurn(thread.id, 'text: next');
    await interrupted;
    expect(second.id).not.toBe(first.id);
    expect((await client.turnEnd(second.id)).params.turn.items).toMatchObject([{ text: 'next' }]);
  });

  test.each(['turn/steer', 'turn/start'])('%s while a turn runs joins that turn', async (method) => {
    const thread = await client.startThread();
    const turn = await client.startTurn(thread.id, 'slow 200');
    await client.waitFor((message) => message.params?.turnId === turn.id && message.method === 'item/agentMessage/delta');
    const since = client.received.length;
    const params = {
      threadId: thread.id,
      input: [{ type: 'text', text: 'text: instead' }],
      clientUserMessageId: 'c-2',
      expectedTurnId: turn.id,
    };
    const answered = await client.okUntyped(method, params);
    expect(answered).toMatchObject(
      method === 'turn/steer' ? { turnId: turn.id } : { turn: { id: turn.id, status: 'inProgress', items: [] } },
    );
    const end = await client.turnEnd(turn.id);
    expect(end.params.turn.items).toMatchObject([{ text: 'instead' }]);
    const sequence = client.sequence(since).filter((one) => one !== 'item/agentMessage/delta');
    expect(sequence.slice(0, 6)).toEqual([
      '= result',
      '- agentMessage',
      'thread/tokenUsage/updated',
      'account/rateLimits/updated',
      '+ userMessage',
      '- userMessage',
    ]);
    const said = client.received.slice(since).find((message) => message.params?.item?.type === 'userMessage');
    expect(said?.params.item).toMatchObject({ clientId: 'c-2' });
  });

  test('steering the wrong turn, or none, is refused in the words of codex', async () => {
    const thread = await client.startThread();
    const steer = { threadId: thread.id, expectedTurnId: thread.id, input: [{ type: 'text', text: 'x' }] };
    expect(await client.refused('turn/steer', steer)).toBe('-32600 no active turn to steer');
    const turn = await client.startTurn(thread.id, 'slow 200');
    expect(await client.refused('turn/steer', steer)).toBe(`-32600 expected active turn id \`${thread.id}\` but found \`${turn.id}\``);
    await client.ok('turn/interrupt', { threadId: thread.id, turnId: turn.id });
    await client.turnEnd(turn.id);
  });
});
