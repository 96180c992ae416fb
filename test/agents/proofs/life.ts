// Proofs: turns that are cut short in each of their states, steered, and killed with the agent's process.

import { randomInt } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ThreadItem } from '@heddle/wire';
import { expect } from 'vitest';
import { scenario } from '../../conformance/stage.ts';
import { processes } from '../support/agent-daemon.ts';
import type { Proven } from './proofs.ts';

const command = 'item/commandExecution/requestApproval';

/** A command that nobody else on this computer runs, so that it can be found among the processes. */
function sleeper() {
  const line = `sleep ${randomInt(1e6, 1e9)}`;
  return { line, running: () => processes().filter(({ args }) => args === line) };
}

const changesOf = (items: readonly ThreadItem[]) => items.flatMap((item) => (item.type === 'fileChange' ? [item.changes] : []));

export function defineLife(proven: () => Proven): void {
  const agent = () => proven().daemon.underTest();
  const heard = () => proven().agent.modelServer.requests;

  scenario(agent, 'an interrupt while a command runs ends it and what it has started', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const sleep = sleeper();
    const turn = await client.startTurn(thread.id, stage.agent.prompts.command(`(${sleep.line} &) ; touch begun ; ${sleep.line}`));
    (await client.question(command, turn.id)).answer({ decision: 'accept' });
    await expect.poll(() => sleep.running().length).toBe(2);
    await client.request('turn/interrupt', { threadId: thread.id, turnId: turn.id });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'interrupted', error: null });
    await expect.poll(sleep.running).toEqual([]);
    expect(await client.runTurn(thread.id, stage.agent.prompts.text('Still here.'))).toMatchObject({ status: 'completed' });
  });

  scenario(agent, 'an interrupt takes back what the user said meanwhile', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const slow = stage.agent.prompts.slow();
    const turn = await client.startTurn(thread.id, slow.prompt);
    await client.firstDelta(turn.id);
    const input = [{ type: 'text' as const, text: stage.agent.prompts.text('Never said.') }];
    await client.request('turn/steer', { threadId: thread.id, expectedTurnId: turn.id, input });
    await client.request('turn/interrupt', { threadId: thread.id, turnId: turn.id });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'interrupted' });
    slow.release();
    const next = await client.runTurn(thread.id, stage.agent.prompts.text('Going on.'));
    expect(next.items).toMatchObject([{ type: 'agentMessage', text: 'Going on.' }]);
    expect(heard().some(({ turns }) => turns.at(-1)?.text.includes('Never said.') === true)).toBe(false);
  });

  scenario(agent, 'a message while a command runs reaches the model with its result', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const turn = await client.startTurn(thread.id, stage.agent.prompts.command('touch begun; while [ ! -e go ]; do sleep 0.05; done'));
    (await client.question(command, turn.id)).answer({ decision: 'accept' });
    await expect.poll(() => existsSync(path.join(cwd, 'begun'))).toBe(true);
    const words = 'And think of the tests.';
    const input = [{ type: 'text' as const, text: words }];
    await client.request('turn/steer', { threadId: thread.id, expectedTurnId: turn.id, input });
    writeFileSync(path.join(cwd, 'go'), '');
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed' });
    expect(heard().some(({ turns }) => turns.some(({ from, text }) => from === 'user' && text.includes(words)))).toBe(true);
    // It is part of the same turn, also when the agent's own history is read.
    await client.request('thread/archive', { threadId: thread.id }); // takes it out of memory
    await client.request('thread/unarchive', { threadId: thread.id });
    const read = await client.request('thread/read', { threadId: thread.id, includeTurns: true });
    expect(read.thread.turns.map(({ id }) => id)).toEqual([turn.id]);
    const said = read.thread.turns.flatMap(({ items }) => items.filter(({ type }) => type === 'userMessage'));
    expect(said.map(({ id }) => id)).toEqual(
      client
        .completedItems(turn.id)
        .filter(({ type }) => type === 'userMessage')
        .map(({ id }) => id),
    );
  });

  scenario(agent, 'a process that is killed fails its turn at once, leaves nothing behind, and is not missed', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    await client.runTurn(thread.id, stage.agent.prompts.text('Before.'));
    const sleep = sleeper();
    const turn = await client.startTurn(thread.id, stage.agent.prompts.command(`touch begun; ${sleep.line}`));
    (await client.question(command, turn.id)).answer({ decision: 'accept' });
    await expect.poll(() => sleep.running().length).toBe(1);
    const killedAtMs = Date.now();
    await stage.agent.kill();
    const end = await client.turnEnd(turn.id);
    expect(end).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('SIGKILL') as string } });
    expect(Date.now() - killedAtMs).toBeLessThan(2_000);
    await expect.poll(sleep.running).toEqual([]);
    const next = await client.runTurn(thread.id, stage.agent.prompts.text('After.'));
    expect(next.items).toMatchObject([{ type: 'agentMessage', text: 'After.' }]);
    expect(JSON.stringify(heard().at(-1)?.turns)).toContain('Before.');
  });

  scenario(agent, 'what a turn did is read back as it was seen live, with the same ids', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const { prompts } = stage.agent;
    const run = await client.startTurn(thread.id, prompts.command("printf 'one\\ntwo\\n' | tee two.txt"));
    (await client.question(command, run.id)).answer({ decision: 'accept' });
    await client.turnEnd(run.id);
    const add = await client.startTurn(thread.id, prompts.addFile());
    (await client.question('item/fileChange/requestApproval', add.id)).answer({ decision: 'accept' });
    await client.turnEnd(add.id);
    await client.request('thread/archive', { threadId: thread.id }); // takes it out of memory
    await client.request('thread/unarchive', { threadId: thread.id });
    const read = await client.request('thread/read', { threadId: thread.id, includeTurns: true });
    expect(read.thread.turns.map(({ id, status }) => [id, status])).toEqual([
      [run.id, 'completed'],
      [add.id, 'completed'],
    ]);
    for (const { id, items } of read.thread.turns) {
      const live = client.completedItems(id);
      expect(items.map((item) => [item.type, item.id])).toEqual(live.map((item) => [item.type, item.id]));
      expect(changesOf(items)).toEqual(changesOf(live));
    }
    const ran = read.thread.turns[0]?.items.find((item) => item.type === 'commandExecution');
    expect(ran).toMatchObject({ status: 'completed', aggregatedOutput: expect.stringMatching(/^one\ntwo\n?$/) as string });
  });
}
