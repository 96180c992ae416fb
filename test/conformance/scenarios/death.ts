// Scenarios: the agent dies while it works.

import { expect } from 'vitest';
import type { AgentUnderTest } from '../agent-under-test.ts';
import { scenario } from '../stage.ts';
import { threadWithAnswers } from './history.ts';

export function defineDeath(agent: () => AgentUnderTest): void {
  scenario(agent, 'its clients are told at once, and the thread is there again', async (stage) => {
    const client = await stage.connect('A');
    const { id, turns } = await threadWithAnswers(stage, client, ['One.']);
    const slow = stage.agent.prompts.slow();
    const turn = await client.startTurn(id, slow.prompt);
    await client.firstDelta(turn.id);
    await stage.agent.kill();
    slow.release();
    if (stage.agent.death === 'sessionEnds') {
      const reason = await client.channel.closed;
      expect(reason.code).toBe('agent_exited');
      expect(reason.message).toMatch(/\S/);
    } else {
      const end = await client.turnEnd(turn.id);
      expect(end.status).toBe('failed');
      expect(end.error?.message).toMatch(/\S/);
    }

    const next = await stage.connect('B');
    if (stage.lacks('threadsOutliveAgent') !== undefined) {
      await next.refusal('thread/read', { threadId: id, includeTurns: true });
      return;
    }
    const { thread } = await next.request('thread/read', { threadId: id, includeTurns: true });
    expect(thread.turns.map((each) => each.id)).toEqual([...turns, turn].map((each) => each.id));
    expect(['interrupted', 'failed']).toContain(thread.turns.at(-1)?.status);
    await next.request('thread/resume', { threadId: id });
    expect(await next.runTurn(id, stage.agent.prompts.text('Alive.'))).toMatchObject({ status: 'completed' });
  });

  scenario(agent, 'a question that was open is gone with it', async (stage) => {
    const client = await stage.connect('A');
    const { id, cwd } = await threadWithAnswers(stage, client, ['One.']);
    const turn = await client.startTurn(id, stage.agent.prompts.command('echo never > never.txt'));
    await client.question('item/commandExecution/requestApproval', turn.id);
    await stage.agent.kill();
    if (stage.agent.death === 'sessionEnds') expect((await client.channel.closed).code).toBe('agent_exited');
    else expect((await client.turnEnd(turn.id)).status).toBe('failed');
    const next = await stage.connect('B');
    if (stage.lacks('threadsOutliveAgent') !== undefined) {
      await next.refusal('thread/resume', { threadId: id });
      return;
    }
    const { thread } = await next.request('thread/resume', { threadId: id });
    expect(thread).toMatchObject({ status: { type: 'idle' }, cwd });
    expect(await next.runTurn(id, stage.agent.prompts.text('Alive.'))).toMatchObject({ status: 'completed' });
  });
}
