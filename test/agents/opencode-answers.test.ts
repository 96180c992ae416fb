// What people answer to the real opencode, where it is special. Everything that the clients see is also held against the
// schema and the ordering rules.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect } from 'vitest';
import { applyFileChange } from '../conformance/file-diff.ts';
import { scenario } from '../conformance/stage.ts';
import { prompt, type ToolWish } from '../model-server/script.ts';
import { prepareAgent } from './support/agent-daemon.ts';
import { questionPrompt, subAgentPrompt, toolPrompt } from './support/opencode-prompts.ts';
import { makeRealOpencode } from './support/real-opencode.ts';

const models = { 'gpt-5.1': { name: 'Patches', tool_call: true, limit: { context: 128_000, output: 8_000 } } };
const prepared = prepareAgent(() => makeRealOpencode({ models }));
const agent = () => prepared().daemon.underTest();

const command = 'item/commandExecution/requestApproval';
const fileChange = 'item/fileChange/requestApproval';
const shell = (text: string): ToolWish => ({ kind: 'shell', command: text });

describe('a question of opencode’s', () => {
  scenario(agent, 'comes with all its parts, and the answers reach the model', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const asked = [
      { question: 'Which colour?', header: 'Colour', options: ['Red', 'Blue'] },
      { question: 'Which days?', header: 'Days', options: ['Mon', 'Tue', 'Wed'], isMultiSelect: true },
    ];
    const turn = await client.startTurn(thread.id, questionPrompt(asked));
    const question = await client.question('item/tool/requestUserInput', turn.id);
    expect(question.params.questions.map(({ header, isOther, options }) => [header, isOther, options?.map(({ label }) => label)])).toEqual([
      ['Colour', true, ['Red', 'Blue']],
      ['Days', true, ['Mon', 'Tue', 'Wed']],
    ]);
    const [first, second] = question.params.questions.map(({ id }) => id);
    question.answer({ answers: { [first ?? '']: { answers: ['a deep green'] }, [second ?? '']: { answers: ['Mon', 'Wed'] } } });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed' });
    const transcript = await prepared().agent.transcriptIn(cwd);
    expect(transcript).toContain('\\"Which colour?\\"=\\"a deep green\\", \\"Which days?\\"=\\"Mon, Wed\\"');
  });

  scenario(agent, 'that nobody answers is told to the model, and the turn goes on', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const turn = await client.startTurn(thread.id, questionPrompt([{ question: 'Which?', header: 'Which', options: ['A', 'B'] }]));
    (await client.question('item/tool/requestUserInput', turn.id)).answer({ answers: {} });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed', items: [{ type: 'agentMessage', text: 'Noted.' }] });
  });
});

describe('a call', () => {
  scenario(agent, 'that fetches, or reads outside of the folder, asks with its tool and what it is about', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const url = 'http://127.0.0.1:9/page';
    const turn = await client.startTurn(thread.id, toolPrompt('webfetch', { url, format: 'text' }));
    const question = await client.question(command, turn.id);
    expect(question.params).toMatchObject({ command: `webfetch ${url}`, reason: null });
    question.answer({ decision: 'decline' });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed' });

    const outside = path.join(prepared().agent.home.path, '.config', 'opencode', 'secret.txt');
    mkdirSync(path.dirname(outside), { recursive: true });
    writeFileSync(outside, 'secret\n');
    const read = await client.startTurn(thread.id, toolPrompt('read', { filePath: outside }));
    const second = await client.question(command, read.id);
    expect(second.params).toMatchObject({
      command: `read ${outside}`,
      reason: `It reaches outside of the folder: ${path.dirname(outside)}/*`,
    });
    second.answer({ decision: 'accept' });
    expect(await client.turnEnd(read.id)).toMatchObject({ status: 'completed' });
  });

  scenario(agent, 'that is a command which reaches outside is asked about once', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const turn = await client.startTurn(thread.id, stage.agent.prompts.command('cat /etc/hostname > host.txt'));
    const question = await client.question(command, turn.id);
    expect(question.params).toMatchObject({ reason: 'It reaches outside of the folder: /etc/*' });
    expect(question.params.command).toContain('cat /etc/hostname > host.txt');
    question.answer({ decision: 'accept' });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed' });
    expect(existsSync(path.join(cwd, 'host.txt'))).toBe(true);
  });

  scenario(agent, 'of two that are declined tells the model so, and the turn goes on', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const steps = [{ tools: [shell('touch a.txt'), shell('touch b.txt')] }, { text: 'As you wish.' }];
    const turn = await client.startTurn(thread.id, prompt('Both.', steps));
    for (const name of ['a.txt', 'b.txt']) {
      (await client.question(command, turn.id, ({ command: text }) => text?.includes(name) === true)).answer({ decision: 'decline' });
    }
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed', items: [{ text: 'As you wish.' }] });
    expect(readdirSync(cwd)).toEqual([]);
  });
});

describe('a change of files', () => {
  scenario(agent, 'is shown with its indentation, which opencode’s own patch leaves out', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const before = 'if x:\n\t\tone\n\t\ttwo\n\t\tthree\n\t\tfour\n\t\tfive\n\t\tsix\n\t\tseven\n\t\teight\n';
    writeFileSync(path.join(cwd, 'deep.txt'), before);
    const steps = [
      { tools: [{ kind: 'read' as const, path: 'deep.txt' }] },
      { tools: [{ kind: 'edit' as const, path: 'deep.txt', old: 'five\n', new: 'FIVE\n\t\t\tdeeper\n' }] },
      { text: 'Edited.' },
    ];
    const turn = await client.startTurn(thread.id, prompt('Edit it.', steps));
    const question = await client.question(fileChange, turn.id);
    const item = client.seen('item/started').find(({ item: each }) => each.id === question.params.itemId)?.item;
    const [change] = item?.type === 'fileChange' ? item.changes : [];
    question.answer({ decision: 'accept' });
    await client.turnEnd(turn.id);
    const after = readFileSync(path.join(cwd, 'deep.txt'), 'utf8');
    expect(after).toBe(before.replace('\t\tfive\n', '\t\tFIVE\n\t\t\tdeeper\n'));
    expect(applyFileChange(before, change as never)).toBe(after);
    expect(client.seen('turn/diff/updated').at(-1)?.diff).toContain('+\t\t\tdeeper');
  });

  scenario(agent, 'of several files in one patch shows each of them before it is done', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await client.startThread({ ...stage.agent.threadStart, model: 'fake/gpt-5.1', cwd: stage.folder });
    writeFileSync(path.join(cwd, 'old.txt'), '\t\tone\n\t\ttwo\n');
    writeFileSync(path.join(cwd, 'gone.txt'), 'bye\n');
    const patch =
      '*** Begin Patch\n*** Add File: new.txt\n+fresh\n*** Update File: old.txt\n@@\n-\t\ttwo\n+\t\tdeux\n*** Delete File: gone.txt\n*** End Patch\n';
    const turn = await client.startTurn(thread.id, toolPrompt('apply_patch', { patchText: patch }));
    const question = await client.question(fileChange, turn.id);
    const read = await client.request('thread/read', { threadId: thread.id, includeTurns: true });
    const item = read.thread.turns[0]?.items.find(({ id }) => id === question.params.itemId);
    const changes = item?.type === 'fileChange' ? item.changes : [];
    const shown = changes.map((change) => [path.basename(change.path), change.kind.type]);
    expect(shown).toEqual([
      ['new.txt', 'add'],
      ['old.txt', 'update'],
      ['gone.txt', 'delete'],
    ]);
    expect(applyFileChange('\t\tone\n\t\ttwo\n', changes[1] as never)).toBe('\t\tone\n\t\tdeux\n');
    question.answer({ decision: 'accept' });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed' });
    expect(readdirSync(cwd).toSorted()).toEqual(['new.txt', 'old.txt']);
    const diff = client.seen('turn/diff/updated').at(-1)?.diff ?? '';
    for (const line of ['+fresh', '-\t\ttwo', '+\t\tdeux', '-bye']) expect(diff).toContain(line);
  });
});

describe('plan mode', () => {
  scenario(agent, 'is opencode’s agent that may not edit, and is left again', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd, model } = await stage.startThread(client);
    const start = async (mode: 'plan' | 'default', text: string) => {
      const collaborationMode = { mode, settings: { model } };
      return (await client.request('turn/start', { threadId: thread.id, input: [{ type: 'text', text }], collaborationMode })).turn;
    };
    const planned = await start('plan', stage.agent.prompts.addFile());
    expect(await client.turnEnd(planned.id)).toMatchObject({ status: 'completed' });
    expect(client.completedItems(planned.id)).toContainEqual(expect.objectContaining({ type: 'fileChange', status: 'failed' }));
    expect(readdirSync(cwd)).toEqual([]);
    const built = await start('default', stage.agent.prompts.addFile());
    (await client.question(fileChange, built.id)).answer({ decision: 'accept' });
    expect(await client.turnEnd(built.id)).toMatchObject({ status: 'completed' });
    expect(readdirSync(cwd)).toEqual(['notes.txt']);
    const modes = client.seen('thread/settings/updated').map(({ threadSettings }) => threadSettings.collaborationMode.mode);
    expect(modes).toEqual(['plan', 'default']);
  });
});

describe('a sub-agent', () => {
  scenario(agent, 'works in a thread of its own, asks there, and is read back', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const steps = [{ tools: [shell('echo from the sub-agent > sub.txt')] }, { text: 'One file.' }];
    const turn = await client.startTurn(thread.id, subAgentPrompt(steps));
    const spawned = await client.notification('item/started', ({ item }) => item.type === 'collabAgentToolCall');
    const begun = await client.notification('turn/started', ({ threadId }) => threadId !== thread.id);
    const asked = await client.question(command, begun.turn.id);
    expect(asked.params.threadId).toBe(begun.threadId);
    asked.answer({ decision: 'accept' });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed', items: [{ text: 'Delegated.' }] });
    expect(readFileSync(path.join(cwd, 'sub.txt'), 'utf8')).toBe('from the sub-agent\n');
    const done = client.seen('item/completed').find(({ item }) => item.id === spawned.item.id)?.item;
    expect(done).toMatchObject({
      tool: 'spawnAgent',
      status: 'completed',
      receiverThreadIds: [begun.threadId],
      agentsStates: { [begun.threadId]: { status: 'completed', message: 'One file.' } },
    });
    const inside = client.seen('item/completed').filter(({ threadId }) => threadId === begun.threadId);
    await client.request('thread/archive', { threadId: thread.id }); // takes both out of memory
    await client.request('thread/unarchive', { threadId: thread.id });
    const read = await client.request('thread/read', { threadId: begun.threadId, includeTurns: true });
    expect(read.thread).toMatchObject({ parentThreadId: thread.id, turns: [{ id: begun.turn.id, status: 'completed' }] });
    const ids = (read.thread.turns[0]?.items ?? []).filter(({ type }) => type !== 'userMessage').map(({ type, id }) => [type, id]);
    expect(ids).toEqual(inside.map(({ item }) => [item.type, item.id]));
  });

  scenario(agent, 'that is interrupted with its turn leaves nothing that runs', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const turn = await client.startTurn(thread.id, subAgentPrompt([{ tools: [shell('touch never.txt')] }, { text: 'Done.' }]));
    const begun = await client.notification('turn/started', ({ threadId }) => threadId !== thread.id);
    const asked = await client.question(command, begun.turn.id);
    await client.request('turn/interrupt', { threadId: thread.id, turnId: turn.id });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'interrupted' });
    await client.notification('serverRequest/resolved', ({ requestId }) => requestId === asked.id);
    expect(await client.runTurn(thread.id, stage.agent.prompts.text('Still here.'))).toMatchObject({ status: 'completed' });
    expect(readdirSync(cwd)).toEqual([]);
  });
});
