import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bridge } from '@heddle/bridge-kit';
import { DemoClient, demoBridge, type Message } from './demo-client.ts';

let bridge: Bridge;
let one: DemoClient;
beforeEach(async () => {
  bridge = demoBridge();
  one = await DemoClient.connect(bridge);
});
afterEach(() => bridge.close());

const isApproval = (message: Message) => message.method?.endsWith('requestApproval') === true;

describe('two clients of one thread', () => {
  test('everybody hears of threads, only subscribers hear turns', async () => {
    const two = await DemoClient.connect(bridge);
    const thread = await one.startThread();
    await two.next('thread/started');
    await one.runTurn(thread.id, 'text: hi');
    await two.waitFor((message) => message.method === 'thread/status/changed' && message.params.status.type === 'idle');
    expect(two.sequence()).toEqual(['= result', 'thread/started', 'status active', 'status idle']);
    await two.ok('thread/name/set', { threadId: thread.id, name: 'by two' });
    await one.next('thread/name/updated');
  });

  test('a session that has not initialized hears nothing', async () => {
    const silent = await DemoClient.raw(bridge);
    const thread = await one.startThread();
    await one.runTurn(thread.id, 'text: hi');
    expect(silent.received).toEqual([]);
  });

  test('a turn can be started without hearing it', async () => {
    const thread = await one.startThread();
    const two = await DemoClient.connect(bridge);
    const turn = await two.startTurn(thread.id, 'text: from two');
    await one.turnEnd(turn.id);
    await two.ok('thread/loaded/list');
    expect(two.all('turn/completed')).toEqual([]);
  });

  test('the first answer wins; the other is told, and its answer does nothing', async () => {
    const two = await DemoClient.connect(bridge);
    const thread = await one.startThread();
    await two.ok('thread/resume', { threadId: thread.id });
    const turn = await one.startTurn(thread.id, 'command: echo hi');
    const [request, same] = await Promise.all([one.waitFor(isApproval), two.waitFor(isApproval)]);
    expect(same).toEqual(request);
    two.answer(request, 'decline');
    const resolved = await one.next('serverRequest/resolved');
    expect(resolved.params).toEqual({ threadId: thread.id, requestId: request.id });
    one.answer(request, 'accept');
    const end = await one.turnEnd(turn.id);
    expect(end.params.turn.items).toMatchObject([{ text: 'You declined the command, so it was not run.' }]);
    expect(one.all('serverRequest/resolved')).toHaveLength(1);
    expect(two.all('serverRequest/resolved')).toHaveLength(1);
  });

  test('a question outlives its clients, and waits under the same id for whoever resumes', async () => {
    const thread = await one.startThread();
    const turn = await one.startTurn(thread.id, 'command: echo kept');
    const request = await one.waitFor(isApproval);
    one.channel.close();
    await one.ended;

    const two = await DemoClient.connect(bridge);
    const resumed = (await two.ok('thread/resume', { threadId: thread.id })).thread;
    expect(resumed.status).toEqual({ type: 'active', activeFlags: ['waitingOnApproval'] });
    expect(resumed.turns[0]).toMatchObject({
      status: 'inProgress',
      items: [{ type: 'userMessage' }, { type: 'commandExecution', status: 'inProgress', processId: null }],
    });
    const replayed = await two.waitFor(isApproval);
    expect(replayed).toEqual(request);
    expect(two.sequence().slice(-1)).toEqual(['item/commandExecution/requestApproval']);
    two.answer(replayed, 'accept');
    expect((await two.turnEnd(turn.id)).params.turn.status).toBe('completed');
  });

  test('a turn goes on when every session is gone', async () => {
    const thread = await one.startThread();
    await one.startTurn(thread.id, 'slow 8\ntext: all alone');
    await one.next('item/agentMessage/delta');
    one.channel.close();
    const two = await DemoClient.connect(bridge);
    await two.waitFor((message) => message.method === 'thread/status/changed' && message.params.status.type === 'idle');
    const read = (await two.ok('thread/read', { threadId: thread.id, includeTurns: true })).thread;
    expect(read.turns[0]).toMatchObject({ status: 'completed', items: [{}, { text: /word8/ }, { text: 'all alone' }].map(expectItem) });
  });

  test('who joins in the middle gets what was said so far, and then the rest', async () => {
    const thread = await one.startThread();
    const turn = await one.startTurn(thread.id, 'slow 10');
    await one.next('item/agentMessage/delta');
    const two = await DemoClient.connect(bridge);
    const joined = (await two.ok('thread/resume', { threadId: thread.id })).thread.turns[0];
    const partial = joined?.items[1];
    if (partial?.type !== 'agentMessage') throw new Error('no partial message');
    expect(partial.text).toMatch(/^word1/);
    const [whole] = (await two.turnEnd(turn.id)).params.turn.items;
    const heard = two.all('item/agentMessage/delta').map((message) => message.params.delta);
    expect(whole).toMatchObject({ id: partial.id, text: partial.text + heard.join('') });
  });

  test('the output of a running command is in what a joining client gets', async () => {
    const thread = await one.startThread();
    const turn = await one.startTurn(thread.id, 'command: echo early; sleep 60');
    one.answer(await one.waitFor(isApproval), 'accept');
    await one.next('item/commandExecution/outputDelta');
    const two = await DemoClient.connect(bridge);
    const [, running] = (await two.ok('thread/resume', { threadId: thread.id })).thread.turns[0]?.items ?? [];
    expect(running).toMatchObject({
      status: 'inProgress',
      aggregatedOutput: 'early\n',
      processId: expect.stringMatching(/^\d+$/) as unknown,
    });
    await two.ok('turn/interrupt', { threadId: thread.id, turnId: turn.id });
    await one.turnEnd(turn.id);
  });
});

describe('a client that does not read', () => {
  const flood = `text: ${'x'.repeat(1_000_000)}`;
  const encode = (message: object) => new TextEncoder().encode(JSON.stringify(message));

  test('is let go with a reason, and nobody waits for it', async () => {
    const thread = await one.startThread();
    const lazy = await bridge.open();
    await lazy.send(encode({ id: 0, method: 'initialize', params: { clientInfo: { name: 'lazy', version: '1' } } }));
    await lazy.send(encode({ id: 1, method: 'thread/resume', params: { threadId: thread.id } }));
    for (let turn = 0; turn < 5; turn += 1) await one.runTurn(thread.id, flood);
    const reason = await lazy.closed;
    expect(reason).toMatchObject({ code: 'connection_lost', message: expect.stringContaining('did not read') as unknown });
    expect((await one.runTurn(thread.id, 'text: still here')).status).toBe('completed');
  });

  test('is held back with its requests, and gets every answer when it reads', async () => {
    const thread = await one.startThread();
    await one.runTurn(thread.id, flood);
    const answers = await Promise.all(Array.from({ length: 30 }, () => one.ok('thread/read', { threadId: thread.id, includeTurns: true })));
    expect(answers).toHaveLength(30);
  });
});

function expectItem(shape: { text?: string | RegExp }): unknown {
  if (shape.text === undefined) return expect.anything();
  return expect.objectContaining({ text: shape.text instanceof RegExp ? expect.stringMatching(shape.text) : shape.text });
}
