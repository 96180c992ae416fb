// What the real claude keeps of a conversation and heddle reads back from its files: the threads of sub-agents, also when
// their parent is not loaded, and conversations that are taken back to before a compaction. And what it tells of cost.

import { describe, expect } from 'vitest';
import { scenario } from '../conformance/stage.ts';
import { spoken } from '../conformance/scenarios/history.ts';
import { prepareAgent } from './support/agent-daemon.ts';
import { subAgentPrompt } from './support/claude-prompts.ts';
import { makeRealClaude } from './support/real-claude.ts';

const claude = prepareAgent(makeRealClaude);
const agent = () => claude().daemon.underTest();

describe('the thread of a sub-agent', () => {
  scenario(agent, 'is read from its files, as it was live, when its parent is not loaded', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const steps = [{ text: 'I look.', tools: [{ kind: 'write' as const, path: 'sub.txt', content: 'one\n' }] }, { text: 'One file.' }];
    const turn = await client.startTurn(thread.id, subAgentPrompt(steps));
    const begun = await client.notification('turn/started', ({ threadId }) => threadId !== thread.id);
    const asked = await client.question('item/fileChange/requestApproval', begun.turn.id);
    asked.answer({ decision: 'accept' });
    await client.turnEnd(turn.id);
    const live = client.completedItems(begun.turn.id);
    expect(live.map(({ type }) => type)).toEqual(['agentMessage', 'fileChange', 'agentMessage']);

    await client.request('thread/archive', { threadId: thread.id }); // takes it out of memory
    await client.request('thread/unarchive', { threadId: thread.id });
    const { thread: read } = await client.request('thread/read', { threadId: begun.threadId, includeTurns: true });
    expect(read).toMatchObject({ parentThreadId: thread.id, agentNickname: 'Look around', status: { type: 'notLoaded' } });
    expect(read.turns).toMatchObject([{ id: begun.turn.id, status: 'completed', items: live.map(({ type, id }) => ({ type, id })) }]);
    const page = await client.request('thread/turns/list', { threadId: begun.threadId });
    expect(page.data).toEqual(read.turns);
    const listed = await client.request('thread/list', { cwd: stage.folder });
    expect(listed.data.map(({ id }) => id)).toEqual([thread.id]);

    // Who opens it hears it where its parent is heard.
    const opened = await client.request('thread/resume', { threadId: begun.threadId });
    expect(opened.thread).toMatchObject({ id: begun.threadId, status: { type: 'idle' }, turns: [{ id: begun.turn.id }] });
    const refusal = await client.refusal('turn/start', { threadId: begun.threadId, input: [{ type: 'text', text: 'Hello' }] });
    expect(refusal.message).toContain(thread.id);
  });
});

describe('a conversation that was compacted', () => {
  scenario(agent, 'can be taken back to before that, and the model knows what was said then', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const text = (words: string) => stage.agent.prompts.text(words);
    const first = await client.runTurn(thread.id, text('The first answer.'));
    const second = await client.runTurn(thread.id, text('The second answer.'));
    await client.request('thread/compact/start', { threadId: thread.id });
    await client.notification('turn/completed', (params) => params.turn.id !== first.id && params.turn.id !== second.id);
    await client.runTurn(thread.id, text('After the compaction.'));

    const reverted = await client.request('thread/revert', { threadId: thread.id, beforeTurnId: second.id });
    expect(reverted.thread.id).toBe(thread.id);
    const again = await client.runTurn(thread.id, text('Going on.'));
    const heard = JSON.stringify(claude().agent.modelServer.requests.at(-1)?.turns);
    expect(heard).toContain('The first answer.');
    expect(heard).not.toContain('The second answer.');
    expect(heard).not.toContain('After the compaction.');
    expect(heard).not.toContain('being continued from a previous conversation');

    await client.request('thread/archive', { threadId: thread.id });
    await client.request('thread/unarchive', { threadId: thread.id });
    const { thread: read } = await client.request('thread/read', { threadId: thread.id, includeTurns: true });
    expect(read.turns.map(({ id }) => id)).toEqual([first.id, again.id]);
    const words = read.turns.flatMap(({ items }) => spoken(items)).flatMap(([, who, said]) => (who === 'agent' ? [said] : []));
    expect(words).toEqual(['The first answer.', 'Going on.']);
  });
});

describe('what a thread has cost', () => {
  scenario(agent, 'is told with its tokens when a turn ends', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const costAfter = async (answer: string) => {
      const { id } = await client.runTurn(thread.id, stage.agent.prompts.text(answer));
      const last = client.seen('thread/tokenUsage/updated').findLast(({ turnId }) => turnId === id);
      return last?.tokenUsage;
    };
    const first = await costAfter('One.');
    const second = await costAfter('Two.');
    expect(first?.costUsd).toBeGreaterThan(0);
    expect(second?.costUsd).toBeGreaterThan(first?.costUsd ?? 0);
    expect(second?.total.totalTokens).toBe(2 * (first?.total.totalTokens ?? 0));
    expect(second?.modelContextWindow).toBeGreaterThan(0);
  });
});
