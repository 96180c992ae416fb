// Scenarios: one turn, from the words of the user to the last word of the agent.

import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { AgentUnderTest } from '../agent-under-test.ts';
import type { ConformanceClient } from '../client.ts';
import { scenario, type Stage } from '../stage.ts';

/** Long enough for many deltas, with characters of every length in UTF-8. */
const words = `Grüße, 世界, 👋🏽 and e\u0301: ${'one word after the other, '.repeat(12)}done.`;

export function defineTurns(agent: () => AgentUnderTest): void {
  scenario(agent, 'an answer comes in deltas that add up to the message', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const prompt = stage.agent.prompts.text(words);
    const started = await client.startTurn(thread.id, prompt);
    const turn = await client.turnEnd(started.id);

    expect(turn).toMatchObject({ status: 'completed', error: null });
    expect(turn.items.map((item) => (item.type === 'agentMessage' ? item.text : item.type))).toEqual([words]);
    const deltas = client.seen('item/agentMessage/delta').map(({ delta }) => delta);
    expect(deltas.length).toBeGreaterThan(1);
    expect(deltas.join('')).toBe(words);
    const [first] = client.completedItems(turn.id);
    expect(first).toMatchObject({ type: 'userMessage', content: [{ type: 'text', text: prompt }] });
  });

  scenario(agent, 'a thread takes one turn after the other', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const first = await client.runTurn(thread.id, stage.agent.prompts.text('The first answer.'));
    const second = await client.runTurn(thread.id, stage.agent.prompts.text('The second answer.'));
    expect(second.id).not.toBe(first.id);
    expect(second.items).toMatchObject([{ type: 'agentMessage', text: 'The second answer.' }]);
  });

  scenario(agent, 'reasoning comes before the answer', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const turn = await client.runTurn(thread.id, stage.agent.prompts.reasoning());
    expect(turn.status).toBe('completed');
    const items = client.completedItems(turn.id);
    const reasoning = items.find((item) => item.type === 'reasoning');
    if (stage.lacks('reasoning') !== undefined) return expect(reasoning).toBeUndefined();
    expect([...(reasoning?.summary ?? []), ...(reasoning?.content ?? [])].join('')).not.toBe('');
    expect(items.findIndex((item) => item.type === 'reasoning')).toBeLessThan(items.findIndex((item) => item.type === 'agentMessage'));
  });

  scenario(agent, 'a plan is shown', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const turn = await client.runTurn(thread.id, stage.agent.prompts.plan());
    expect(turn.status).toBe('completed');
    const plans = client.seen('turn/plan/updated').filter(({ turnId }) => turnId === turn.id);
    if (stage.lacks('plan') !== undefined) return expect(plans).toEqual([]);
    expect(plans.at(-1)?.plan.length).toBeGreaterThan(0);
    for (const { step } of plans.at(-1)?.plan ?? []) expect(step).not.toBe('');
  });

  scenario(agent, 'a turn that fails says why, and the next one works', async (stage) => {
    const client = await stage.connect('A');
    const failures = Object.entries(stage.agent.prompts.failures);
    expect(failures).not.toEqual([]);
    for (const [name, prompt] of failures) await failAndGoOn(stage, client, name, prompt());
  });

  scenario(agent, 'a turn of an unknown thread is refused', async (stage) => {
    const client = await stage.connect('A');
    const threadId = randomUUID();
    const refusal = await client.refusal('turn/start', { threadId, input: [{ type: 'text', text: 'Is anybody there?' }] });
    expect(refusal.message).toBe(`thread not found: ${threadId}`);
  });
}

async function failAndGoOn(stage: Stage, client: ConformanceClient, name: string, prompt: string): Promise<void> {
  const { thread } = await stage.startThread(client);
  const failed = await client.runTurn(thread.id, prompt);
  expect(failed, name).toMatchObject({ status: 'failed', items: [] });
  expect(failed.error?.message, name).toMatch(/\S/);
  const last = client.seen('error').findLast(({ turnId }) => turnId === failed.id);
  expect(last, name).toMatchObject({ willRetry: false, error: { message: failed.error?.message } });
  const next = await client.runTurn(thread.id, stage.agent.prompts.text(`Well again after ${name}.`));
  expect(next, name).toMatchObject({ status: 'completed', items: [{ type: 'agentMessage', text: `Well again after ${name}.` }] });
}
