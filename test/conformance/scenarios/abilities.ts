// Scenarios: what differs most between agents, and what a client wants to know before it offers a button for it.

import { expect } from 'vitest';
import type { AgentUnderTest } from '../agent-under-test.ts';
import { scenario } from '../stage.ts';
import { spoken, threadWithAnswers } from './history.ts';

/** One red dot. */
const image = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC';

export function defineAbilities(agent: () => AgentUnderTest): void {
  scenario(agent, 'an image reaches the model', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const content = [
      { type: 'text' as const, text: stage.agent.prompts.countImages() },
      { type: 'image' as const, url: image },
    ];
    const { turn } = await client.request('turn/start', { threadId: thread.id, input: content });
    const end = await client.turnEnd(turn.id);
    if (stage.lacks('images') === undefined) expect(end).toMatchObject({ status: 'completed', items: [{ text: 'I see 1.' }] });
    else expect(end.items).not.toMatchObject([{ text: 'I see 1.' }]);
    expect(client.completedItems(turn.id)[0]).toMatchObject({ type: 'userMessage', content });
  });

  scenario(agent, 'what a turn has cost is told', async (stage) => {
    const client = await stage.connect('A');
    const { id, turns } = await threadWithAnswers(stage, client, ['One.']);
    const told = client.seen('thread/tokenUsage/updated').filter(({ threadId }) => threadId === id);
    if (stage.lacks('usage') !== undefined) return expect(told).toEqual([]);
    expect(told.at(-1)).toMatchObject({ turnId: turns[0]?.id });
    const { last, total } = told.at(-1)?.tokenUsage ?? {};
    expect(last?.outputTokens).toBeGreaterThan(0);
    expect(total?.totalTokens).toBeGreaterThanOrEqual(last?.totalTokens ?? Number.POSITIVE_INFINITY);
  });

  scenario(agent, 'models are listed, and the list is what the agent has', async (stage) => {
    const client = await stage.connect('A');
    const { data } = await client.request('model/list', {});
    expect(data.length).toBeGreaterThan(0);
    expect(data.filter((model) => model.isDefault)).toHaveLength(1);
    const isListed = data.some((model) => model.id === stage.agent.ownModel);
    expect(isListed).toBe(stage.lacks('liveModels') === undefined);
  });

  scenario(agent, 'the conversation is taken back to an earlier turn', async (stage) => {
    const client = await stage.connect('A');
    const other = await stage.connect('B');
    const { id, turns } = await threadWithAnswers(stage, client, ['One.', 'Two.', 'Three.']);
    const beforeTurnId = turns[1]?.id ?? '';
    if (stage.lacks('rollback') !== undefined) {
      await client.refusal('thread/revert', { threadId: id, beforeTurnId });
      return;
    }
    const { thread } = await client.request('thread/revert', { threadId: id, beforeTurnId });
    expect(thread).toMatchObject({ id, turns: [] });
    await client.notification('thread/reverted', ({ threadId }) => threadId === id);
    const kept = await other.request('thread/read', { threadId: id, includeTurns: true });
    expect(kept.thread.turns.map((turn) => turn.id)).toEqual([turns[0]?.id]);
    const next = await client.runTurn(id, stage.agent.prompts.text('Another two.'));
    expect(next.items).toMatchObject([{ type: 'agentMessage', text: 'Another two.' }]);
    const after = await other.request('thread/read', { threadId: id, includeTurns: true });
    expect(after.thread.turns.map((turn) => turn.id)).toEqual([turns[0]?.id, next.id]);
    expect(spoken(after.thread.turns[1]?.items ?? []).map(([, , text]) => text)).toContain('Another two.');
  });
}
