// What the real claude does when no turn of the user's runs: sub-agents in the background that ask, and come back.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { ThreadItem } from '@heddle/wire';
import { describe, expect } from 'vitest';
import { scenario, type Stage } from '../conformance/stage.ts';
import type { Step } from '../model-server/script.ts';
import { prepareAgent } from './support/agent-daemon.ts';
import { subAgentPrompt } from './support/claude-prompts.ts';
import { makeRealClaude } from './support/real-claude.ts';

const claude = prepareAgent(makeRealClaude);
const agent = () => claude().daemon.underTest();

const command = 'item/commandExecution/requestApproval';

/** A sub-agent in the background that waits at a gate until the turn that has started it is over. */
async function startInBackground(stage: Stage, gate: string, steps: [Step, ...Step[]]) {
  const client = await stage.connect('A');
  const { thread, cwd } = await stage.startThread(client);
  const [first, ...others] = steps;
  const turn = await client.startTurn(thread.id, subAgentPrompt([{ wait: gate, ...first }, ...others], { background: true }));
  const begun = await client.notification('turn/started', ({ threadId }) => threadId !== thread.id);
  await claude().agent.modelServer.reached(gate);
  const end = await client.turnEnd(turn.id);
  expect(end.items.at(-1)).toMatchObject({ type: 'agentMessage', text: 'Delegated.' });
  const read = async (threadId: string) => (await client.request('thread/read', { threadId, includeTurns: true })).thread;
  return { client, thread, cwd, turn, agentThreadId: begun.threadId, read };
}

const ofOwn =
  (threadId: string, ...known: string[]) =>
  (params: { threadId: string; turn: { id: string } }) =>
    params.threadId === threadId && !known.includes(params.turn.id);
const texts = (items: ThreadItem[]) => items.flatMap((item) => (item.type === 'agentMessage' ? [item.text] : []));

describe('a sub-agent in the background', () => {
  scenario(agent, 'comes back in a turn that claude begins by itself, and can be read', async (stage) => {
    const { client, thread, turn, agentThreadId, read } = await startInBackground(stage, 'comes-back', [{ text: 'One file.' }]);
    claude().agent.modelServer.release('comes-back');
    const own = await client.notification('turn/completed', ofOwn(thread.id, turn.id));
    expect(own.turn).toMatchObject({ status: 'completed', items: [{ type: 'agentMessage', text: 'It came back.' }] });
    await expect.poll(async () => (await read(thread.id)).turns.map(({ id }) => id)).toEqual([turn.id, own.turn.id]);
    // It went on when nobody could follow it: what it said is in claude's own files.
    await expect
      .poll(async () => (await read(agentThreadId)).turns.map(({ status, items }) => [status, texts(items)]))
      .toEqual([['completed', ['One file.']]]);
  });

  scenario(agent, 'asks after the turn that has started it, and goes on with the answer', async (stage) => {
    const steps: [Step, ...Step[]] = [{ tools: [{ kind: 'shell', command: 'echo from the background > late.txt' }] }, { text: 'Written.' }];
    const { client, thread, cwd, turn, agentThreadId, read } = await startInBackground(stage, 'asks-late', steps);
    claude().agent.modelServer.release('asks-late');
    const asking = await client.notification('turn/started', ofOwn(thread.id, turn.id));
    const question = await client.question(command, asking.turn.id);
    expect(question.params.command).toContain('late.txt');
    question.answer({ decision: 'accept' });
    const own = await client.notification('turn/completed', ofOwn(thread.id, turn.id, asking.turn.id));
    expect(texts(own.turn.items)).toEqual(['It came back.']);
    expect(readFileSync(path.join(cwd, 'late.txt'), 'utf8')).toBe('from the background\n');
    await expect
      .poll(async () => (await read(agentThreadId)).turns.map(({ status, items }) => [status, texts(items)]))
      .toEqual([['completed', ['Written.']]]);
  });
});
