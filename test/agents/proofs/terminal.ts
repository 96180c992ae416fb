// Proofs: a conversation that goes from a terminal to a phone, and back.

import { expect } from 'vitest';
import { spoken } from '../../conformance/scenarios/history.ts';
import { scenario } from '../../conformance/stage.ts';
import type { Proven } from './proofs.ts';

export function defineTerminal(proven: () => Proven): void {
  const agent = () => proven().daemon.underTest();

  scenario(agent, 'begins a conversation that goes on from a phone, and goes on with it', async (stage) => {
    const { terminal, modelServer } = proven().agent;
    const cwd = stage.folder;
    const first = stage.agent.prompts.text('From the terminal.');
    expect(await terminal.say(first, { cwd })).toContain('From the terminal.');

    const client = await stage.connect('A');
    const { data } = await client.request('thread/list', { cwd });
    expect(data).toHaveLength(1);
    const threadId = data[0]?.id ?? '';
    const { thread } = await client.request('thread/resume', { threadId });
    expect(thread.resumeCommand).toBe(terminal.resumeCommand(threadId, cwd));
    expect(thread.turns.flatMap(({ items }) => spoken(items).map(([, who, text]) => [who, text]))).toEqual([
      ['user', first],
      ['agent', 'From the terminal.'],
    ]);
    const turn = await client.runTurn(threadId, stage.agent.prompts.text('From the phone.'));
    expect(turn.items).toMatchObject([{ type: 'agentMessage', text: 'From the phone.' }]);
    await client.request('thread/read', { threadId, includeTurns: true }); // waits until the agent has written it down

    expect(await terminal.say(stage.agent.prompts.text('Back again.'), { cwd, threadId })).toContain('Back again.');
    expect(JSON.stringify(modelServer.requests.findLast(({ turns }) => turns.length > 2)?.turns)).toContain('From the phone.');
    const read = await client.request('thread/read', { threadId, includeTurns: true });
    expect(read.thread.turns).toHaveLength(3);
  });
}
