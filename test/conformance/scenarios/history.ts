// Scenarios: finding threads again, reading them and going on with them.

import { randomUUID } from 'node:crypto';
import type { Page, Thread, ThreadItem, Turn } from '@heddle/wire';
import { expect } from 'vitest';
import type { AgentUnderTest } from '../agent-under-test.ts';
import type { ConformanceClient } from '../client.ts';
import { scenario, type Stage } from '../stage.ts';

export function defineHistory(agent: () => AgentUnderTest): void {
  scenario(agent, 'threads are listed in pages', async (stage) => {
    const client = await stage.connect('A');
    const threads = [await threadWithAnswers(stage, client, ['One.']), await threadWithAnswers(stage, client, ['Two.'])];
    const cwd = [...new Set(threads.map((thread) => thread.cwd))];
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Page<Thread> = await client.request('thread/list', { cwd, limit: 1, cursor });
      expect(page.data.length).toBeLessThanOrEqual(1);
      seen.push(...page.data.map(({ id }) => id));
      expect(page.data.every(({ turns }) => turns.length === 0)).toBe(true);
      cursor = page.nextCursor;
    } while (cursor !== null && seen.length < 10);
    expect(seen.toSorted()).toEqual(threads.map(({ id }) => id).toSorted());
    const whole = await client.request('thread/list', { cwd });
    expect(whole.nextCursor).toBeNull();
    for (const { id, prompts } of threads) {
      const preview = whole.data.find((thread) => thread.id === id)?.preview ?? '';
      expect(preview).toMatch(/\S/);
      expect(prompts[0]?.startsWith(preview.replace(/…$|\.\.\.$/, ''))).toBe(true);
    }
  });

  scenario(agent, 'a thread is read as it was seen live', async (stage) => {
    const client = await stage.connect('A');
    const { id, turns } = await threadWithAnswers(stage, client, ['One.', 'Two.']);
    const { thread } = await client.request('thread/read', { threadId: id, includeTurns: true });
    expect(thread).toMatchObject({ id, status: { type: 'idle' } });
    expect(thread.turns.map((turn) => [turn.id, turn.status])).toEqual(turns.map((turn) => [turn.id, 'completed']));
    expect(thread.turns.map((turn) => spoken(turn.items))).toEqual(turns.map((turn) => spoken(client.completedItems(turn.id))));
    const bare = await client.request('thread/read', { threadId: id });
    expect(bare.thread.turns).toEqual([]);
    expect((await client.refusal('thread/read', { threadId: randomUUID() })).message).toMatch(
      /thread not loaded|no rollout found|thread not found/,
    );
  });

  scenario(agent, 'a loaded thread is resumed', async (stage) => {
    const client = await stage.connect('A');
    const { id, turns } = await threadWithAnswers(stage, client, ['One.']);
    const loaded = await client.request('thread/loaded/list', {});
    expect(loaded.data).toContain(id);
    const resumed = await client.request('thread/resume', { threadId: id });
    expect(resumed.thread).toMatchObject({ id, status: { type: 'idle' } });
    expect(resumed.thread.turns.map((turn) => turn.id)).toEqual(turns.map((turn) => turn.id));
    const without = await client.request('thread/resume', { threadId: id, excludeTurns: true });
    expect(without.thread.turns).toEqual([]);
    expect(await client.runTurn(id, stage.agent.prompts.text('Two.'))).toMatchObject({ status: 'completed' });
    const threadId = randomUUID();
    expect((await client.refusal('thread/resume', { threadId })).message).toContain(`no rollout found for thread id ${threadId}`);
  });

  scenario(agent, 'a thread is resumed after the agent was started anew', async (stage) => {
    const before = await stage.connect('A');
    const { id, turns } = await threadWithAnswers(stage, before, ['One.']);
    await stage.agent.kill();
    const client = await stage.connect('B');
    if (stage.lacks('threadsOutliveAgent') !== undefined) {
      expect((await client.refusal('thread/resume', { threadId: id })).message).toContain('no rollout found');
      return;
    }
    if (stage.agent.death === 'sessionEnds') {
      const unloaded = await client.refusal('turn/start', { threadId: id, input: [{ type: 'text', text: 'Too early.' }] });
      expect(unloaded.message).toBe(`thread not found: ${id}`);
    }
    const { thread } = await client.request('thread/resume', { threadId: id });
    expect(thread.turns.map((turn) => [turn.id, spoken(turn.items)])).toEqual(
      turns.map((turn) => [turn.id, spoken(before.completedItems(turn.id))]),
    );
    const next = await client.runTurn(id, stage.agent.prompts.text('Two.'));
    expect(next.items).toMatchObject([{ type: 'agentMessage', text: 'Two.' }]);
  });

  scenario(agent, 'turns are listed in pages, newest first', async (stage) => {
    const client = await stage.connect('A');
    const { id, turns } = await threadWithAnswers(stage, client, ['One.', 'Two.', 'Three.']);
    const ask = { threadId: id, limit: 2, sortDirection: 'desc', itemsView: 'full' } as const;
    if (stage.lacks('turnsList') !== undefined) {
      await client.refusal('thread/turns/list', ask);
      return;
    }
    const first = await client.request('thread/turns/list', ask);
    const second = await client.request('thread/turns/list', { ...ask, cursor: first.nextCursor });
    expect([...first.data, ...second.data].map((turn) => turn.id)).toEqual(turns.map((turn) => turn.id).toReversed());
    expect(first.data).toHaveLength(2);
    expect(second.nextCursor).toBeNull();
    expect(first.data.map((turn) => spoken(turn.items))).toEqual(
      [turns[2], turns[1]].map((turn) => spoken(client.completedItems(turn?.id ?? ''))),
    );
    const oldestFirst = await client.request('thread/turns/list', { threadId: id, sortDirection: 'asc' });
    expect(oldestFirst.data.map((turn) => turn.id)).toEqual(turns.map((turn) => turn.id));
  });
}

/** A thread of this client with one turn for each answer. */
export async function threadWithAnswers(
  stage: Stage,
  client: ConformanceClient,
  answers: string[],
): Promise<{ id: string; cwd: string; turns: Turn[]; prompts: string[] }> {
  const { thread, cwd } = await stage.startThread(client);
  const prompts = answers.map((answer) => stage.agent.prompts.text(answer));
  const turns: Turn[] = [];
  for (const prompt of prompts) turns.push(await client.runTurn(thread.id, prompt));
  expect(turns.map((turn) => turn.status)).toEqual(answers.map(() => 'completed'));
  return { id: thread.id, cwd, turns, prompts };
}

/** Who said what in a turn, with the items' ids: live and history must agree on them. */
export function spoken(items: readonly ThreadItem[]): [id: string, who: string, text: string][] {
  return items.flatMap((item): [string, string, string][] => {
    if (item.type === 'agentMessage') return [[item.id, 'agent', item.text]];
    if (item.type !== 'userMessage') return [];
    return [[item.id, 'user', item.content.map((part) => (part.type === 'text' ? part.text : part.type)).join('\n')]];
  });
}
