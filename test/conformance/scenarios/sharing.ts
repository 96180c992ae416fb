// Scenarios: one thread and several clients, who come and go.

import { expect } from 'vitest';
import type { AgentUnderTest } from '../agent-under-test.ts';
import { scenario } from '../stage.ts';
import { askForCommand, hasRun, markerCommand } from './approvals.ts';
import { spoken, threadWithAnswers } from './history.ts';

export function defineSharing(agent: () => AgentUnderTest): void {
  scenario(agent, 'two clients of one thread see the same turn', async (stage) => {
    const first = await stage.connect('A');
    const second = await stage.connect('B');
    const { id } = await threadWithAnswers(stage, first, ['One.']);
    await second.notification('thread/started', ({ thread }) => thread.id === id);
    await second.request('thread/resume', { threadId: id });
    const turn = await second.runTurn(id, stage.agent.prompts.text('For both of you.'));
    expect(await first.turnEnd(turn.id)).toEqual(turn);
    expect(spoken(first.completedItems(turn.id))).toEqual(spoken(second.completedItems(turn.id)));
    expect(turn.items).toMatchObject([{ type: 'agentMessage', text: 'For both of you.' }]);
  });

  scenario(agent, 'both clients are asked, the first answer counts, the other is told', async (stage) => {
    const first = await stage.connect('A');
    const second = await stage.connect('B');
    const { id, cwd } = await threadWithAnswers(stage, first, ['One.']);
    await second.request('thread/resume', { threadId: id });
    const turn = await first.startTurn(id, stage.agent.prompts.command(markerCommand));
    const kind = 'item/commandExecution/requestApproval';
    const questions = await Promise.all([first.question(kind, turn.id), second.question(kind, turn.id)]);
    expect(questions[0].id).toBe(questions[1].id);
    expect(questions[0].params).toEqual(questions[1].params);
    questions[1].answer({ decision: 'accept' });
    for (const client of [first, second])
      await client.notification('serverRequest/resolved', ({ requestId }) => requestId === questions[0].id);
    questions[0].answer({ decision: 'decline' }); // too late: it changes nothing
    for (const client of [first, second]) {
      expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed' });
      expect(client.completedItems(turn.id)).toContainEqual(
        expect.objectContaining({ type: 'commandExecution', status: 'completed', exitCode: 0 }),
      );
    }
    expect(hasRun(cwd)).toBe(true);
  });

  scenario(agent, 'a client leaves mid-answer, and another one sees the end of it', async (stage) => {
    const first = await stage.connect('A');
    const { id } = await threadWithAnswers(stage, first, ['One.']);
    const slow = stage.agent.prompts.slow();
    const turn = await first.startTurn(id, slow.prompt);
    await first.firstDelta(turn.id);
    first.close();
    await first.channel.closed;
    const second = await stage.connect('B');
    const { thread } = await second.request('thread/resume', { threadId: id });
    expect(thread.status.type).toBe('active');
    expect(thread.turns.at(-1)).toMatchObject({ id: turn.id, status: 'inProgress' });
    slow.release();
    const end = await second.turnEnd(turn.id);
    expect(end.status).toBe('completed');
    expect(second.completedItems(turn.id).at(-1)).toMatchObject({ type: 'agentMessage', id: end.items.at(-1)?.id });
  });

  scenario(agent, 'a question outlives the client that saw it and is asked again', async (stage) => {
    const { client: first, cwd, threadId, turnId, question } = await askForCommand(stage);
    first.close();
    await first.channel.closed;
    const second = await stage.connect('B');
    await second.request('thread/resume', { threadId });
    const again = await second.question('item/commandExecution/requestApproval', turnId);
    expect(again.id).toBe(question.id);
    expect(hasRun(cwd)).toBe(false);
    again.answer({ decision: 'accept' });
    expect(await second.turnEnd(turnId)).toMatchObject({ status: 'completed' });
    expect(hasRun(cwd)).toBe(true);
  });
}
