// Scenarios: what is done with a whole thread.

import { expect } from 'vitest';
import type { AgentUnderTest } from '../agent-under-test.ts';
import { scenario } from '../stage.ts';
import { spoken, threadWithAnswers } from './history.ts';

export function defineThreads(agent: () => AgentUnderTest): void {
  scenario(agent, 'a fork has the history up to a turn and a life of its own', async (stage) => {
    const client = await stage.connect('A');
    const { id, turns } = await threadWithAnswers(stage, client, ['One.', 'Two.']);
    if (stage.lacks('fork') !== undefined) {
      await client.refusal('thread/fork', { threadId: id });
      return;
    }
    const whole = await client.request('thread/fork', { threadId: id });
    expect(whole.thread).toMatchObject({ forkedFromId: id });
    expect(whole.thread.id).not.toBe(id);
    expect(whole.thread.turns.map((turn) => texts(spoken(turn.items)))).toEqual(
      turns.map((turn) => texts(spoken(client.completedItems(turn.id)))),
    );
    await client.notification('thread/started', ({ thread }) => thread.id === whole.thread.id);

    const cut = await client.request('thread/fork', { threadId: id, lastTurnId: turns[0]?.id ?? null });
    expect(cut.thread.turns).toHaveLength(1);
    await client.notification('thread/started', ({ thread }) => thread.id === cut.thread.id);
    const next = await client.runTurn(cut.thread.id, stage.agent.prompts.text('Another two.'));
    expect(next.items).toMatchObject([{ type: 'agentMessage', text: 'Another two.' }]);
    const original = await client.request('thread/read', { threadId: id, includeTurns: true });
    expect(original.thread.turns.map((turn) => turn.id)).toEqual(turns.map((turn) => turn.id));
  });

  scenario(agent, 'a thread is given a name, and every client hears of it', async (stage) => {
    const client = await stage.connect('A');
    const other = await stage.connect('B');
    const { id } = await threadWithAnswers(stage, client, ['One.']);
    if (stage.lacks('rename') !== undefined) {
      await client.refusal('thread/name/set', { threadId: id, name: 'A name' });
      return;
    }
    await client.request('thread/name/set', { threadId: id, name: 'A name — with ✂' });
    for (const each of [client, other]) {
      const { threadName } = await each.notification('thread/name/updated', ({ threadId }) => threadId === id);
      expect(threadName).toBe('A name — with ✂');
    }
    expect((await client.request('thread/read', { threadId: id })).thread.name).toBe('A name — with ✂');
    expect((await client.refusal('thread/name/set', { threadId: id, name: '  ' })).message).toBe('thread name must not be empty');
  });

  scenario(agent, 'a thread is archived and brought back, and every client hears of it', async (stage) => {
    const client = await stage.connect('A');
    const other = await stage.connect('B');
    const { id, cwd } = await threadWithAnswers(stage, client, ['One.']);
    if (stage.lacks('archive') !== undefined) {
      await client.refusal('thread/archive', { threadId: id });
      await client.refusal('thread/unarchive', { threadId: id });
      return;
    }
    const listed = async (archived: boolean) => (await client.request('thread/list', { cwd, archived })).data.map((thread) => thread.id);
    await client.request('thread/archive', { threadId: id });
    for (const each of [client, other]) await each.notification('thread/archived', ({ threadId }) => threadId === id);
    expect([await listed(false), await listed(true)]).toEqual([[], [id]]);
    expect((await client.refusal('thread/resume', { threadId: id })).message).toContain('is archived');
    const { thread } = await client.request('thread/unarchive', { threadId: id });
    expect(thread.id).toBe(id);
    for (const each of [client, other]) await each.notification('thread/unarchived', ({ threadId }) => threadId === id);
    expect([await listed(false), await listed(true)]).toEqual([[id], []]);
    await client.request('thread/resume', { threadId: id });
    expect(await client.runTurn(id, stage.agent.prompts.text('Two.'))).toMatchObject({ status: 'completed' });
  });

  scenario(agent, 'a client that unsubscribes hears no more of the turns', async (stage) => {
    const client = await stage.connect('A');
    const other = await stage.connect('B');
    const { id } = await threadWithAnswers(stage, client, ['One.']);
    await other.request('thread/resume', { threadId: id });
    expect(await other.request('thread/unsubscribe', { threadId: id })).toEqual({ status: 'unsubscribed' });
    const turn = await client.runTurn(id, stage.agent.prompts.text('Two.'));
    // Status goes to everyone, so the other client has caught up once it sees the thread idle again.
    await other.notification('thread/status/changed', ({ threadId, status }) => threadId === id && status.type === 'active');
    expect(await other.request('thread/unsubscribe', { threadId: id })).toEqual({ status: 'notSubscribed' });
    expect(other.seen('turn/started').filter((params) => params.turn.id === turn.id)).toEqual([]);
    expect(other.completedItems(turn.id)).toEqual([]);
    await other.request('thread/resume', { threadId: id });
    const third = await client.runTurn(id, stage.agent.prompts.text('Three.'));
    expect(await other.turnEnd(third.id)).toMatchObject({ status: 'completed' });
  });
}

const texts = (said: [string, string, string][]) => said.map(([, who, text]) => [who, text]);
