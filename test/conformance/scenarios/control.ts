// Scenarios: taking hold of a running turn.

import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { AgentUnderTest } from '../agent-under-test.ts';
import { scenario } from '../stage.ts';
import { askForCommand, hasRun } from './approvals.ts';

export function defineControl(agent: () => AgentUnderTest): void {
  scenario(agent, 'an answer that streams is interrupted, and the thread goes on', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const slow = stage.agent.prompts.slow();
    const { id } = await client.startTurn(thread.id, slow.prompt);
    await client.firstDelta(id);
    const refusal = await client.refusal('turn/interrupt', { threadId: thread.id, turnId: randomUUID() });
    expect(refusal.message).toContain('expected active turn id');
    await client.request('turn/interrupt', { threadId: thread.id, turnId: id });
    expect(await client.turnEnd(id)).toMatchObject({ status: 'interrupted', error: null, items: [] });
    slow.release();
    expect(await client.refusal('turn/interrupt', { threadId: thread.id, turnId: id })).toMatchObject({
      message: 'no active turn to interrupt',
    });
    const next = await client.runTurn(thread.id, stage.agent.prompts.text('Going on.'));
    expect(next.items).toMatchObject([{ type: 'agentMessage', text: 'Going on.' }]);
  });

  scenario(agent, 'an interrupt takes back an open question', async (stage) => {
    const { client, cwd, threadId, turnId, question } = await askForCommand(stage);
    await client.request('turn/interrupt', { threadId, turnId });
    expect(await client.turnEnd(turnId)).toMatchObject({ status: 'interrupted' });
    await client.notification('serverRequest/resolved', ({ requestId }) => requestId === question.id);
    question.answer({ decision: 'accept' });
    // The late answer went out before this turn: had it counted, the command would have run by its end.
    expect(await client.runTurn(threadId, stage.agent.prompts.text('Nothing was run.'))).toMatchObject({ status: 'completed' });
    expect(hasRun(cwd)).toBe(false);
  });

  scenario(agent, 'a running turn takes more input', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const slow = stage.agent.prompts.slow();
    const { id } = await client.startTurn(thread.id, slow.prompt);
    await client.firstDelta(id);
    const steer = (expectedTurnId: string) => ({
      threadId: thread.id,
      expectedTurnId,
      input: [{ type: 'text' as const, text: stage.agent.prompts.text('The new course.') }],
    });
    if (stage.lacks('steer') !== undefined) {
      await client.refusal('turn/steer', steer(id));
      await client.request('turn/interrupt', { threadId: thread.id, turnId: id });
      expect(await client.turnEnd(id)).toMatchObject({ status: 'interrupted' });
      return slow.release();
    }
    expect((await client.refusal('turn/steer', steer(randomUUID()))).message).toContain('expected active turn id');
    expect(await client.request('turn/steer', steer(id))).toMatchObject({ turnId: id });
    slow.release();
    expect(await client.turnEnd(id)).toMatchObject({ status: 'completed' });
    const said = client.completedItems(id).map((item) => (item.type === 'agentMessage' ? item.text : item.type));
    expect(said.filter((each) => each === 'userMessage')).toHaveLength(2);
    expect(said.at(-1)).toBe('The new course.');
    expect((await client.refusal('turn/steer', steer(id))).message).toBe('no active turn to steer');
  });
}
