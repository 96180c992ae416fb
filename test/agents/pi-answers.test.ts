// What the real pi, in both of its names, asks through heddle's extension and those of a user.

import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ThreadItem } from '@heddle/wire';
import { describe, expect } from 'vitest';
import type { OrderException } from '../conformance/order.ts';
import { scenario } from '../conformance/stage.ts';
import { prompt, type ToolWish } from '../model-server/script.ts';
import { prepareAgent } from './support/agent-daemon.ts';
import { installExtension } from './support/pi-extension.ts';
import { makeClassicPi, makeRealPi, type RealPi } from './support/real-pi.ts';

const command = 'item/commandExecution/requestApproval';
const fileChange = 'item/fileChange/requestApproval';
const userInput = 'item/tool/requestUserInput';
const call = (name: string, input: Record<string, unknown>): ToolWish => ({ kind: 'call', name, input });
const use = (...tools: ToolWish[]) => prompt('Use it.', [{ tools }, { text: 'That was it.' }]);

/** As they began: calls side by side end as they like. */
const inOrder = (items: readonly ThreadItem[]) => items.toSorted((one, other) => (one.id < other.id ? -1 : 1));

const withExtension = (make: () => Promise<RealPi>) => async () => {
  const pi = await make();
  await installExtension(pi.home);
  return pi;
};

describe.each([
  ['0.87', makeRealPi],
  ['0.73', makeClassicPi],
])('pi %s', (_version, make) => {
  const pi = prepareAgent(withExtension(make));
  const noModelAsked: OrderException = { rule: 'R9', reason: 'an extension’s command asks no model', applies: () => true };
  const agent = () => ({ ...pi().daemon.underTest(), orderExceptions: [noModelAsked] });

  scenario(agent, 'asks before it reads outside of the folder, also by a link, and not inside of it', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const outside = path.join(pi().agent.home.path, 'settings.json');
    writeFileSync(path.join(cwd, 'inside.txt'), 'inside\n');
    symlinkSync(outside, path.join(cwd, 'link.txt'));
    const tools = ['inside.txt', 'link.txt', outside].map((file) => call('read', { path: file }));
    const turn = await client.startTurn(thread.id, use(...tools));
    const first = await client.question(command, turn.id);
    expect(first.params.command).toBe('read link.txt');
    first.answer({ decision: 'decline' });
    const second = await client.question(command, turn.id, ({ itemId }) => itemId !== first.params.itemId);
    expect(second.params).toMatchObject({ command: `read ${outside}`, reason: 'The path leads out of the folder.' });
    second.answer({ decision: 'accept' });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed' });
    const read = inOrder(client.completedItems(turn.id)).flatMap((item) =>
      item.type === 'dynamicToolCall' ? [[item.status, item.success]] : [],
    );
    expect(read).toEqual([
      ['completed', true],
      ['failed', false],
      ['completed', true],
    ]);
  });

  scenario(agent, 'asks before a tool of an extension runs, whatever it is called', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const turn = await client.startTurn(thread.id, use(call('ls', { path: '.' })));
    const question = await client.question(command, turn.id);
    expect(question.params.command).toBe(`ls '{"path":"."}'`);
    question.answer({ decision: 'decline' });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed' });
    expect(existsSync(path.join(cwd, 'mark.txt'))).toBe(false);
    const again = await client.startTurn(thread.id, use(call('ls', { path: '.' })));
    (await client.question(command, again.id)).answer({ decision: 'accept' });
    expect(await client.turnEnd(again.id)).toMatchObject({ status: 'completed' });
    expect(readFileSync(path.join(cwd, 'mark.txt'), 'utf8')).toBe('left');
  });

  scenario(agent, 'asks before it changes what git or pi would run, and what a link leads to, where edits are free', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await client.startThread({ cwd: stage.folder, approvalPolicy: 'on-request', sandbox: 'workspace-write' });
    const outside = path.join(pi().agent.home.path, `${path.basename(cwd)}.txt`);
    symlinkSync(outside, path.join(cwd, 'link.txt'));
    mkdirSync(path.join(cwd, '.git'));
    const write = (name: string): ToolWish => ({ kind: 'write', path: name, content: 'written\n' });
    const turn = await client.startTurn(
      thread.id,
      use(write('free.txt'), write('.git/hook'), write('.pi/extensions/x.js'), write('link.txt')),
    );
    const asked: string[] = [];
    for (let at = 0; at < 3; at++) {
      const question = await client.question(fileChange, turn.id, ({ itemId }) => !asked.includes(itemId));
      asked.push(question.params.itemId);
      question.answer({ decision: 'decline' });
    }
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed' });
    const changes = inOrder(client.completedItems(turn.id)).flatMap((item) => (item.type === 'fileChange' ? [item.status] : []));
    expect(changes).toEqual(['completed', 'declined', 'declined', 'declined']);
    expect(['.git/hook', '.pi/extensions/x.js', 'link.txt'].filter((name) => existsSync(path.join(cwd, name)))).toEqual([]);
    expect(existsSync(outside)).toBe(false);
  });

  scenario(agent, 'puts all kinds of an extension’s questions, and no model is asked', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const heard = pi().agent.modelServer.requests.length;
    const turn = await client.startTurn(thread.id, '/ask');
    const given = ['Blue', 'Yes', 'Ada', 'as it is\nnow'];
    const seen: string[] = [];
    for (const answer of given) {
      const question = await client.question(userInput, turn.id, ({ itemId }) => !seen.includes(itemId));
      seen.push(question.params.itemId);
      const [asked] = question.params.questions;
      question.answer({ answers: { [asked?.id ?? '']: { answers: [answer] } } });
    }
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed' });
    expect(JSON.parse(readFileSync(path.join(cwd, 'answers.json'), 'utf8'))).toEqual(['Blue', true, 'Ada', 'as it is\nnow']);
    expect(pi().agent.modelServer.requests).toHaveLength(heard);
    expect(await client.runTurn(thread.id, stage.agent.prompts.text('Well.'))).toMatchObject({ status: 'completed' });
  });

  scenario(agent, 'takes a question back that nobody has answered in the extension’s time', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const turn = await client.startTurn(thread.id, '/ask-briefly');
    const question = await client.question(userInput, turn.id);
    expect(question.params.questions).toMatchObject([{ question: 'Quick?\n\nNow.', options: [{ label: 'Yes' }, { label: 'No' }] }]);
    await client.notification('serverRequest/resolved', ({ requestId }) => requestId === question.id);
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed' });
    expect(readFileSync(path.join(cwd, 'answers.json'), 'utf8')).toBe('false');
  });

  scenario(agent, 'is interrupted while an extension asks', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const turn = await client.startTurn(thread.id, '/ask');
    await client.question(userInput, turn.id);
    await client.request('turn/interrupt', { threadId: thread.id, turnId: turn.id });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'interrupted' });
    // Its command goes on, and is told no wherever it asks; or it has gone with the process.
    const answers = path.join(cwd, 'answers.json');
    expect([undefined, [null, false, null, null]]).toContainEqual(
      existsSync(answers) ? JSON.parse(readFileSync(answers, 'utf8')) : undefined,
    );
    expect(await client.runTurn(thread.id, stage.agent.prompts.text('Going on.'))).toMatchObject({ status: 'completed' });
  });

  scenario(agent, 'has a turn of its own for what an extension begins, and asks in it', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const own = prompt('On my own.', [{ tools: [{ kind: 'shell', command: 'echo own > own.txt' }] }, { text: 'Done by myself.' }]);
    const first = await client.runTurn(thread.id, `/later ${own}`);
    expect(first.status).toBe('completed');
    const { turn } = await client.notification('turn/started', (params) => params.turn.id !== first.id);
    (await client.question(command, turn.id)).answer({ decision: 'accept' });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed', items: [{ text: 'Done by myself.' }] });
    expect(readFileSync(path.join(cwd, 'own.txt'), 'utf8')).toBe('own\n');
    await client.request('thread/archive', { threadId: thread.id }); // takes it out of memory
    await client.request('thread/unarchive', { threadId: thread.id });
    const read = await client.request('thread/read', { threadId: thread.id, includeTurns: true });
    const stored = read.thread.turns.find(({ id }) => id === turn.id);
    expect(stored?.items.map(({ type, id }) => [type, id])).toEqual(client.completedItems(turn.id).map(({ type, id }) => [type, id]));
  });

  scenario(agent, 'does not follow an extension into another session', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    await client.runTurn(thread.id, stage.agent.prompts.text('Before.'));
    const turn = await client.runTurn(thread.id, '/leave');
    expect(turn).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('another session') as string } });
    const next = await client.runTurn(thread.id, stage.agent.prompts.text('After.'));
    expect(next.items).toMatchObject([{ text: 'After.' }]);
    expect(JSON.stringify(pi().agent.modelServer.requests.at(-1)?.turns)).toContain('Before.');
  });
});
