// What the real claude starts besides the conversation: sub-agents, commands in the background, requests that fail.
// Everything that the clients see is also held against the schema and the ordering rules.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { scenario } from '../conformance/stage.ts';
import { prompt } from '../model-server/script.ts';
import { prepareAgent } from './support/agent-daemon.ts';
import { backgroundPrompt, subAgentPrompt } from './support/claude-prompts.ts';
import { makeRealClaude } from './support/real-claude.ts';

const claude = prepareAgent(makeRealClaude);
const agent = () => claude().daemon.underTest();

const command = 'item/commandExecution/requestApproval';

describe('a sub-agent', () => {
  scenario(agent, 'works in a thread of its own, and asks there', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const steps = [{ tools: [{ kind: 'shell' as const, command: 'echo from the sub-agent > sub.txt' }] }, { text: 'One file.' }];
    const turn = await client.startTurn(thread.id, subAgentPrompt(steps));
    const spawned = await client.notification('item/started', ({ item }) => item.type === 'collabAgentToolCall');
    const begun = await client.notification('turn/started', ({ threadId }) => threadId !== thread.id);
    const asked = await client.question(command, begun.turn.id);
    expect(asked.params.threadId).toBe(begun.threadId);
    asked.answer({ decision: 'accept' });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed' });
    expect(readFileSync(path.join(cwd, 'sub.txt'), 'utf8')).toBe('from the sub-agent\n');
    const done = client.seen('item/completed').find(({ item }) => item.id === spawned.item.id)?.item;
    expect(done).toMatchObject({ type: 'collabAgentToolCall', tool: 'spawnAgent', status: 'completed' });
    const inside = client.seen('item/completed').filter(({ threadId }) => threadId === begun.threadId);
    expect(inside.map(({ item }) => item.type)).toContain('commandExecution');
  });
});

describe('a command in the background', () => {
  scenario(agent, 'comes back in a turn that claude begins by itself', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const turn = await client.startTurn(thread.id, backgroundPrompt('touch begun; while [ ! -e go ]; do sleep 0.05; done'));
    (await client.question(command, turn.id)).answer({ decision: 'accept' });
    const end = await client.turnEnd(turn.id);
    expect(end.items.at(-1)).toMatchObject({ type: 'agentMessage', text: 'Started.' });
    writeFileSync(path.join(cwd, 'go'), '');
    const own = await client.notification('turn/completed', (params) => params.turn.id !== turn.id);
    expect(own.turn.items).toMatchObject([{ type: 'agentMessage', text: 'It has finished.' }]);
    await expect
      .poll(async () => {
        const read = await client.request('thread/read', { threadId: thread.id, includeTurns: true });
        return read.thread.turns.map(({ id }) => id);
      })
      .toEqual([turn.id, own.turn.id]);
  });
});

describe('a failing service', () => {
  scenario(agent, 'is shown as retries, then as the failure that it is', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const turn = await client.startTurn(thread.id, prompt('Fail.', { error: { status: 500 } }));
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'failed', error: { codexErrorInfo: 'internalServerError' } });
    expect(client.seen('error').map(({ willRetry }) => willRetry)).toEqual([true, false]);
  });
});

describe('the MCP servers of claude', () => {
  scenario(agent, 'are told with what has become of them', async (stage) => {
    const servers = {
      docs: { command: process.execPath, args: [fileURLToPath(new URL('support/mcp-server.ts', import.meta.url))] },
      gone: { command: 'no-such-program-here' },
    };
    writeFileSync(path.join(stage.folder, '.mcp.json'), JSON.stringify({ mcpServers: servers }));
    mkdirSync(path.join(stage.folder, '.claude'));
    writeFileSync(path.join(stage.folder, '.claude', 'settings.json'), JSON.stringify({ enableAllProjectMcpServers: true }));
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    await client.runTurn(thread.id, stage.agent.prompts.text('Here.'));
    const list = async () => (await client.request('mcpServerStatus/list', { threadId: thread.id })).data;
    await expect
      .poll(async () => (await list()).map(({ name, runtimeStatus }) => [name, runtimeStatus]))
      .toEqual([
        ['docs', 'connected'],
        ['gone', 'failed'],
      ]);
    expect(Object.keys((await list())[0]?.tools ?? {})).toEqual(['look']);
  });
});
