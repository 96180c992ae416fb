import type { Decision, UserAnswers } from '@heddle/bridge-kit';
import type { CommandExecutionItem, FileChangeItem } from '@heddle/wire';
import { describe, expect } from 'vitest';
import { answer } from './fake-agent.ts';
import { hubTest } from './hub-stage.ts';

const command = (id: string): CommandExecutionItem => ({
  type: 'commandExecution',
  id,
  command: 'ls',
  cwd: '/srv',
  status: 'inProgress',
  commandActions: [],
  aggregatedOutput: null,
  exitCode: null,
  durationMs: null,
  processId: null,
  source: 'agent',
});
const fileChange: FileChangeItem = { type: 'fileChange', id: 'f1', changes: [], status: 'inProgress' };
const inTurn = (turn: { threadId: string; id: string }, itemId: string) => ({
  threadId: turn.threadId,
  turnId: turn.id,
  itemId,
  startedAtMs: Date.now(),
});

describe('questions of a turn', () => {
  hubTest('two that are open at once: the thread waits until both are answered', async (stage) => {
    const client = await stage.connect();
    const decisions: Decision[] = [];
    stage.agent.acts.set('go', async (turn) => {
      turn.apply({ type: 'itemStarted', item: command('c1') });
      decisions.push(
        ...(await Promise.all([
          turn.ask('item/commandExecution/requestApproval', inTurn(turn, 'c1'), 'ls'),
          turn.ask('item/fileChange/requestApproval', inTurn(turn, 'f1'), 'file', fileChange),
        ])),
      );
      turn.apply({ type: 'itemCompleted', itemId: 'c1', changes: { status: 'completed', exitCode: 0 } });
      turn.apply({ type: 'itemCompleted', itemId: 'f1', changes: { status: 'completed' } }); // it was declined: ignored
      await answer(turn, 'done');
    });
    const { thread } = await client.startThread({ cwd: '/srv' });
    const since = stage.recording.entries.length;
    const { id } = await client.startTurn(thread.id, 'go');
    (await client.question('item/commandExecution/requestApproval', id)).answer({ decision: 'accept' });
    await client.notification('serverRequest/resolved');
    (await client.question('item/fileChange/requestApproval', id)).answer({ decision: 'decline' });
    await client.turnEnd(id);
    expect(decisions).toEqual(['accept', 'decline']);
    const told = stage.told('A', since);
    expect(told.slice(told.indexOf('+ commandExecution'), told.indexOf('+ agentMessage'))).toEqual([
      '+ commandExecution',
      'status active waitingOnApproval',
      'item/commandExecution/requestApproval',
      '+ fileChange',
      'item/fileChange/requestApproval',
      'serverRequest/resolved',
      'serverRequest/resolved',
      'status active',
      '- fileChange declined',
      '- commandExecution completed',
    ]);
  });

  hubTest('a question whose agent has died is taken back before the turn ends', async (stage) => {
    const client = await stage.connect();
    stage.agent.acts.set('go', async (turn) => {
      void turn.ask('item/commandExecution/requestApproval', inTurn(turn, 'c1'), 'ls', command('c1'));
      await Promise.reject(new Error('it has died'));
    });
    const { thread } = await client.startThread({ cwd: '/srv' });
    const since = stage.recording.entries.length;
    const { id } = await client.startTurn(thread.id, 'go');
    expect(await client.turnEnd(id)).toMatchObject({ status: 'failed', error: { message: 'it has died' } });
    const told = stage.told('A', since);
    expect(told.slice(told.indexOf('item/commandExecution/requestApproval'))).toEqual([
      'item/commandExecution/requestApproval',
      'serverRequest/resolved',
      '- commandExecution declined',
      'status systemError',
      'error',
      'turn/completed failed',
    ]);
  });

  hubTest('a question that the agent takes back is gone, and the turn goes on', async (stage) => {
    const client = await stage.connect();
    const taken = new AbortController();
    stage.agent.acts.set('go', async (turn) => {
      const asked = turn.ask('item/commandExecution/requestApproval', inTurn(turn, 'c1'), 'ls', command('c1'), { signal: taken.signal });
      await expect(asked).rejects.toBe('never mind');
      turn.apply({ type: 'itemCompleted', itemId: 'c1', changes: { status: 'completed', exitCode: 0 } });
      await answer(turn, 'done');
    });
    const { thread } = await client.startThread({ cwd: '/srv' });
    const since = stage.recording.entries.length;
    const { id } = await client.startTurn(thread.id, 'go');
    const question = await client.question('item/commandExecution/requestApproval', id);
    taken.abort('never mind');
    await client.turnEnd(id);
    question.answer({ decision: 'decline' });
    const told = stage.told('A', since);
    expect(told.slice(told.indexOf('status active waitingOnApproval'), told.indexOf('+ agentMessage'))).toEqual([
      'status active waitingOnApproval',
      '+ commandExecution',
      'item/commandExecution/requestApproval',
      'serverRequest/resolved',
      'status active',
      '- commandExecution completed',
    ]);
  });

  hubTest('a person is asked for more than yes or no; another device sees it when it joins', async (stage) => {
    const client = await stage.connect();
    const answers: UserAnswers[] = [];
    const questions = [{ id: 'q1', header: 'Wool', question: 'Which?', options: [{ label: 'red', description: '' }] }];
    stage.agent.acts.set('go', async (turn) => {
      answers.push(await turn.askQuestions('i1', questions), await turn.askQuestions('i2', questions));
      await answer(turn, 'done');
    });
    const { thread } = await client.startThread({ cwd: '/srv' });
    const { id } = await client.startTurn(thread.id, 'go');
    const first = await client.question('item/tool/requestUserInput', id);
    expect(first.params).toEqual({ threadId: thread.id, turnId: id, itemId: 'i1', questions, isBlocking: true });
    const other = await stage.connect('B');
    expect((await other.request('thread/resume', { threadId: thread.id })).thread.status).toEqual({
      type: 'active',
      activeFlags: ['waitingOnUserInput'],
    });
    (await other.question('item/tool/requestUserInput', id)).answer({ answers: { q1: { answers: ['red', 'blue'] } } });
    await client.notification('serverRequest/resolved', ({ requestId }) => requestId === first.id);
    first.answer({ answers: { q1: { answers: ['late'] } } });
    // The second question has the same turn: the one that is not the first.
    await client.notification('thread/status/changed', ({ status }) => status.type === 'active' && status.activeFlags.length === 0);
    await expect.poll(() => stage.told('B').filter((one) => one === 'item/tool/requestUserInput').length).toBe(2);
    const asked = stage.recording.entries.findLast(
      (entry) => entry.kind === 'message' && entry.message['method'] === 'item/tool/requestUserInput',
    );
    const requestId = asked?.kind === 'message' ? asked.message['id'] : undefined;
    await client.channel.send(new TextEncoder().encode(JSON.stringify({ id: requestId, result: { answers: {} } })));
    await client.turnEnd(id);
    expect(answers).toEqual([{ q1: ['red', 'blue'] }, 'cancelled']);
  });
});
