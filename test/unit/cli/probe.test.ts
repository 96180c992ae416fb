import { PassThrough } from 'node:stream';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAgentSession } from '@heddle/client';
import { JsonRpcPeer, type JsonRpcPeerOptions, memoryChannelPair, RpcError } from '@heddle/rpc';
import type { Turn } from '@heddle/wire';
import { expect, test } from 'vitest';
import { type ApprovalMode, RequestAnswerer, type RequestEvent } from '../../../packages/cli/src/probe/answer-requests.ts';
import { askOnTerminal } from '../../../packages/cli/src/probe/ask-on-terminal.ts';
import { readPayloadFrom } from '../../../packages/cli/src/probe/payload-source.ts';
import { runTurn } from '../../../packages/cli/src/probe/run-turn.ts';
import { examplePayload } from '../control/fixtures/handlers.ts';

const turn: Turn = {
  id: 'u1',
  items: [],
  itemsView: 'summary',
  status: 'completed',
  error: null,
  startedAt: 0,
  completedAt: 0,
  durationMs: 1,
};

/** A session with a scripted agent. */
async function sessionWith(onRequest: NonNullable<JsonRpcPeerOptions['onRequest']>) {
  const [ours, theirs] = memoryChannelPair();
  const agent = new JsonRpcPeer(theirs, { onRequest });
  const session = await openAgentSession(async () => ours, { clientInfo: { name: 'test', version: '0' } });
  return { session, agent };
}
const completed = (status: Turn['status'] = 'completed') => ({ threadId: 't1', turn: { ...turn, status } });

test('a turn: its events in order, those of other threads left out', async () => {
  const asked: unknown[] = [];
  const { session, agent } = await sessionWith(({ method, params, reply }) => {
    asked.push([method, params]);
    if (method === 'initialize') reply({});
    if (method === 'thread/start') reply({ thread: { id: 't1' } });
    if (method === 'turn/start') {
      reply({ turn });
      void agent.notify('item/agentMessage/delta', { threadId: 'other', turnId: 'u', itemId: 'm', delta: 'no' });
      void agent.notify('warning', { threadId: null, message: 'for all' });
      void agent.notify('turn/completed', { threadId: 't1', turn: { ...turn, id: 'older' } });
      void agent.notify('turn/completed', completed());
    }
  });
  const seen: string[] = [];
  const options = {
    text: 'hi',
    cwd: '/srv',
    interrupted: new AbortController().signal,
    onEvent: (event: { method: string }) => seen.push(event.method),
  };
  expect(await runTurn(session, options)).toEqual(turn);
  expect(seen).toEqual(['warning', 'turn/completed', 'turn/completed']);
  expect(asked.slice(1)).toEqual([
    ['thread/start', { cwd: '/srv' }],
    ['turn/start', { threadId: 't1', input: [{ type: 'text', text: 'hi' }] }],
  ]);
});

test('an interrupt is passed on, and the turn still ends in order', async () => {
  const interrupts = new AbortController();
  const { session, agent } = await sessionWith(({ method, params, reply }) => {
    if (method === 'initialize') reply({});
    if (method === 'thread/start') reply({ thread: { id: 't1' } });
    if (method === 'turn/start') {
      reply({ turn });
      interrupts.abort();
    }
    if (method === 'turn/interrupt') {
      expect(params).toEqual({ threadId: 't1', turnId: 'u1' });
      reply({});
      void agent.notify('turn/completed', completed('interrupted'));
    }
  });
  const options = { text: 'hi', cwd: undefined, interrupted: interrupts.signal, onEvent: () => {} };
  expect((await runTurn(session, options)).status).toBe('interrupted');
});

test('a refusal of the agent, and the end of the session before that of the turn', async () => {
  const options = { text: 'hi', cwd: undefined, interrupted: new AbortController().signal, onEvent: () => {} };
  const refusing = await sessionWith(({ method, reply }) => {
    if (method !== 'initialize') throw new RpcError(-32600, 'log in first');
    reply({});
  });
  await expect(runTurn(refusing.session, options)).rejects.toMatchObject({
    code: 'agent_unavailable',
    message: 'the agent refused thread/start: log in first',
  });
  const dying = await sessionWith(({ method, reply }) => {
    if (method === 'initialize') reply({});
    if (method === 'thread/start') reply({ thread: { id: 't1' } });
    if (method === 'turn/start') {
      reply({ turn });
      setImmediate(() => dying.agent.close({ code: 'agent_exited', message: 'the agent has ended', hint: 'See its log.' }));
    }
  });
  await expect(runTurn(dying.session, options)).rejects.toMatchObject({
    code: 'agent_exited',
    message: 'the agent has ended, before the turn had ended',
    hint: 'See its log.',
  });
});

function approval(
  id: number,
  method: 'item/commandExecution/requestApproval' | 'item/fileChange/requestApproval',
  answers: unknown[],
): RequestEvent {
  const params = { threadId: 't', turnId: 'u', itemId: 'c', startedAtMs: 0, command: 'ls', cwd: '/srv', reason: 'because' };
  const reply = (result: unknown) => answers.push([id, result]);
  const fail = ({ message }: { message: string }) => answers.push([id, { error: message }]);
  return { kind: 'request', id, method, params, reply, fail };
}
/** Runs one answerer over requests; resolves when every one of them was dealt with. */
function answering(mode: ApprovalMode, lines: (string | undefined)[] = []) {
  const answers: unknown[] = [];
  const told: string[] = [];
  const questions: string[] = [];
  const answerer = new RequestAnswerer({
    mode,
    ask: async (question) => {
      questions.push(question);
      return lines.shift();
    },
    onAnswered: (text) => told.push(text),
  });
  return { answers, told, questions, answerer };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

test.each([
  ['accept', 'accept', 'accepted'],
  ['decline', 'decline', 'declined'],
] as const)('--approve %s answers every approval with %s', async (mode, decision, words) => {
  const { answers, told, questions, answerer } = answering(mode);
  answerer.answer(approval(0, 'item/commandExecution/requestApproval', answers));
  answerer.answer(approval(1, 'item/fileChange/requestApproval', answers));
  await settled();
  expect(answers).toEqual([
    [0, { decision }],
    [1, { decision }],
  ]);
  expect([told, questions]).toEqual([[words, words], []]);
});

test('asking: one question at a time, asked again until it is answered; the end of the input declines', async () => {
  const { answers, questions, answerer } = answering('ask', ['what?', 'YES', 'n', undefined]);
  answerer.answer(approval(0, 'item/commandExecution/requestApproval', answers));
  answerer.answer(approval(1, 'item/fileChange/requestApproval', answers));
  answerer.answer(approval(2, 'item/fileChange/requestApproval', answers));
  await settled();
  expect(answers).toEqual([
    [0, { decision: 'accept' }],
    [1, { decision: 'decline' }],
    [2, { decision: 'decline' }],
  ]);
  expect(questions).toEqual([
    'The agent wants to run this command in /srv (because). Allow it? [y/n] ',
    'The agent wants to run this command in /srv (because). Allow it? [y/n] ',
    'The agent wants to change these files (because). Allow it? [y/n] ',
    'The agent wants to change these files (because). Allow it? [y/n] ',
  ]);
});

test('a question that another device has answered is withdrawn and answered by nobody here', async () => {
  const answers: unknown[] = [];
  const told: string[] = [];
  const stdin = new PassThrough();
  const answerer = new RequestAnswerer({
    mode: 'ask',
    ask: askOnTerminal(stdin, new PassThrough()),
    onAnswered: (text) => told.push(text),
  });
  answerer.answer(approval(0, 'item/commandExecution/requestApproval', answers));
  await settled();
  answerer.withdraw(0);
  await settled();
  stdin.write('y\n');
  await settled();
  expect([answers, told]).toEqual([[], ['answered elsewhere']]);
});

test('questions of the agent: a number picks an option, other words are the answer; nobody there is said', async () => {
  const params = {
    threadId: 't',
    turnId: 'u',
    itemId: 'i',
    questions: [
      { id: 'a', header: 'A', question: 'Which?', options: [{ label: 'red', description: 'like blood' }] },
      { id: 'b', header: 'B', question: 'Why?', options: null },
    ],
  };
  const answers: unknown[] = [];
  const request = () =>
    ({
      kind: 'request',
      id: 'q',
      method: 'item/tool/requestUserInput',
      params,
      reply: (result: unknown) => answers.push(result),
      fail: (error: unknown) => answers.push(error),
    }) as RequestEvent;
  const asking = answering('ask', ['1', 'so']);
  asking.answerer.answer(request());
  await settled();
  answering('decline').answerer.answer(request());
  await settled();
  expect(asking.questions).toEqual(['Which?\n  1) red  like blood\n> ', 'Why?\n> ']);
  expect(answers).toEqual([
    { answers: { a: { answers: ['red'] }, b: { answers: ['so'] } } },
    { code: -32600, message: 'there is nobody to answer the question' },
  ]);
});

test('a request that probe does not know is refused, not left open', async () => {
  const { answers, told, answerer } = answering('accept');
  answerer.answer({ ...approval(7, 'item/fileChange/requestApproval', answers), method: 'item/tool/call' } as unknown as RequestEvent);
  await settled();
  expect(answers).toEqual([[7, { error: 'heddle probe has no answer to item/tool/call' }]]);
  expect(told).toHaveLength(1);
});

test('the payload: as text, from a file, from stdin; a huge stdin is refused', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-probe-'));
  const file = join(folder, 'p.json');
  const text = JSON.stringify(examplePayload);
  await writeFile(file, `${text}\n`);
  const stdin = (content: string | Buffer) => new PassThrough().end(content);
  expect(await readPayloadFrom(text, stdin(''))).toEqual(examplePayload);
  expect(await readPayloadFrom(`@${file}`, stdin(''))).toEqual(examplePayload);
  expect(await readPayloadFrom('-', stdin(text))).toEqual(examplePayload);
  await expect(readPayloadFrom('-', stdin(Buffer.alloc(70_000, 32)))).rejects.toMatchObject({ code: 'payload_invalid' });
  await rm(folder, { recursive: true });
});
