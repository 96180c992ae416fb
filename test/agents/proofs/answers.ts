// Proofs: what people answer, and what then happens on the disk.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { applyFileChange } from '../../conformance/file-diff.ts';
import { scenario } from '../../conformance/stage.ts';
import { prompt, type ToolWish } from '../../model-server/script.ts';
import type { Proven } from './proofs.ts';

const command = 'item/commandExecution/requestApproval';
const fileChange = 'item/fileChange/requestApproval';

const shell = (text: string): ToolWish => ({ kind: 'shell', command: text });
const write = (name: string, content: string): ToolWish => ({ kind: 'write', path: name, content });
const twice = (text: string) => prompt('Run it twice.', [{ tools: [shell(text)] }, { tools: [shell(text)] }, { text: 'Twice.' }]);

export function defineAnswers(proven: () => Proven): void {
  const agent = () => proven().daemon.underTest();

  scenario(agent, 'a command accepted for the session is not asked about again, and nothing else is accepted with it', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const turn = await client.startTurn(thread.id, twice(`printf x >> log.txt && echo done`));
    (await client.question(command, turn.id)).answer({ decision: 'acceptForSession' });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed' });
    expect(readFileSync(path.join(cwd, 'log.txt'), 'utf8')).toBe('xx');
    expect(client.completedItems(turn.id).filter(({ type }) => type === 'commandExecution')).toHaveLength(2);
    const edit = await client.startTurn(thread.id, stage.agent.prompts.addFile());
    (await client.question(fileChange, edit.id)).answer({ decision: 'decline' });
    await client.turnEnd(edit.id);
    const other = await client.startTurn(thread.id, stage.agent.prompts.command('touch other.txt'));
    (await client.question(command, other.id)).answer({ decision: 'decline' });
    await client.turnEnd(other.id);
    expect(readdirSync(cwd)).toEqual(['log.txt']); // no settings file of the agent's either
  });

  scenario(agent, 'what was accepted for the session is asked about in another thread of the same folder', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const first = await client.startTurn(thread.id, stage.agent.prompts.command('printf x >> log.txt'));
    (await client.question(command, first.id)).answer({ decision: 'acceptForSession' });
    await client.turnEnd(first.id);
    const other = await stage.startThread(client);
    const second = await client.startTurn(other.thread.id, stage.agent.prompts.command('printf x >> log.txt'));
    (await client.question(command, second.id)).answer({ decision: 'decline' });
    expect(await client.turnEnd(second.id)).toMatchObject({ status: 'completed' });
    expect(readFileSync(path.join(other.cwd, 'log.txt'), 'utf8')).toBe('x');
  });

  scenario(agent, 'a command accepted once is asked about again', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const turn = await client.startTurn(thread.id, twice('printf x >> log.txt'));
    const first = await client.question(command, turn.id);
    first.answer({ decision: 'accept' });
    await client.question(command, turn.id, ({ itemId }) => itemId !== first.params.itemId);
    await client.request('turn/interrupt', { threadId: thread.id, turnId: turn.id });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'interrupted' });
    expect(readFileSync(path.join(cwd, 'log.txt'), 'utf8')).toBe('x');
  });

  scenario(agent, 'file changes accepted for the session go through, each with its true difference', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    writeFileSync(path.join(cwd, 'old.txt'), 'one\n\ttwo\nthree\n');
    const steps = [
      { tools: [write('new.txt', 'fresh\n')] },
      { tools: [{ kind: 'read' as const, path: 'old.txt' }] },
      { tools: [{ kind: 'edit' as const, path: 'old.txt', old: '\ttwo\n', new: '\tdeux\n\ttrois\n' }] },
      { text: 'Both.' },
    ];
    const turn = await client.startTurn(thread.id, prompt('Change both.', steps));
    (await client.question(fileChange, turn.id)).answer({ decision: 'acceptForSession' });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed' });
    const changes = client.completedItems(turn.id).flatMap((item) => (item.type === 'fileChange' ? item.changes : []));
    expect(changes.map((change) => path.basename(change.path))).toEqual(['new.txt', 'old.txt']);
    const [added, updated] = changes;
    expect(applyFileChange(undefined, added as never)).toBe('fresh\n');
    expect(applyFileChange('one\n\ttwo\nthree\n', updated as never)).toBe(readFileSync(path.join(cwd, 'old.txt'), 'utf8'));
    expect(readFileSync(path.join(cwd, 'old.txt'), 'utf8')).toBe('one\n\tdeux\n\ttrois\nthree\n');
    expect(client.seen('turn/diff/updated').at(-1)?.diff).toContain('+\tdeux');
  });

  scenario(agent, 'a file change that is cancelled ends the turn, and leaves the disk alone', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const turn = await client.startTurn(thread.id, stage.agent.prompts.addFile());
    (await client.question(fileChange, turn.id)).answer({ decision: 'cancel' });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'interrupted', error: null });
    expect(readdirSync(cwd)).toEqual([]);
  });

  scenario(agent, 'on-request with a writable workspace: file changes are not asked about, commands are', async (stage) => {
    const client = await stage.connect('A');
    const wanted = { approvalPolicy: 'on-request', sandbox: 'workspace-write', cwd: stage.folder } as const;
    const { thread, cwd, sandbox } = await client.startThread(wanted);
    expect(sandbox).toMatchObject({ type: 'dangerFullAccess' }); // nothing is enforced, so nothing else is said
    expect(await client.runTurn(thread.id, stage.agent.prompts.addFile())).toMatchObject({ status: 'completed' });
    const turn = await client.startTurn(thread.id, stage.agent.prompts.command("sh -c 'touch never.txt'"));
    (await client.question(command, turn.id)).answer({ decision: 'decline' });
    await client.turnEnd(turn.id);
    expect(readdirSync(cwd)).toEqual(['notes.txt']);
  });

  scenario(agent, 'a file outside of the folder is asked about even then', async (stage) => {
    const client = await stage.connect('A');
    const inside = path.join(stage.folder, 'inside');
    const { thread } = await client.startThread({
      approvalPolicy: 'on-request',
      sandbox: 'workspace-write',
      cwd: (await client.request('fs/createDirectory', { path: inside }), inside),
    });
    const outside = path.join(stage.folder, 'outside.txt');
    const turn = await client.startTurn(thread.id, prompt('Write it.', [{ tools: [write(outside, 'x\n')] }, { text: 'As you wish.' }]));
    const asked = await Promise.race([client.question(fileChange, turn.id), client.question(command, turn.id)]);
    asked.answer({ decision: 'decline' });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed' });
    expect(existsSync(outside)).toBe(false);
  });

  scenario(agent, 'full access is not granted without the word of host.toml', async (stage) => {
    const client = await stage.connect('A');
    const wanted = { approvalPolicy: 'never', sandbox: 'danger-full-access', cwd: stage.folder } as const;
    const { thread, approvalPolicy } = await client.startThread(wanted);
    expect(approvalPolicy).toBe('on-request');
    const turn = await client.startTurn(thread.id, stage.agent.prompts.addFile());
    (await client.question(fileChange, turn.id)).answer({ decision: 'decline' });
    await client.turnEnd(turn.id);
    expect(readdirSync(stage.folder)).toEqual([]);
  });

  scenario(agent, 'several calls at once: each does what was said of it', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const tools = [shell('echo one > a.txt'), shell('echo two > b.txt'), write('c.txt', 'three\n')];
    const steps = [{ text: 'All at once.', tools }, { text: 'That was all.' }];
    const turn = await client.startTurn(thread.id, prompt('All at once.', steps));
    (await client.question(command, turn.id, ({ command: text }) => text?.includes('a.txt') === true)).answer({ decision: 'accept' });
    (await client.question(command, turn.id, ({ command: text }) => text?.includes('b.txt') === true)).answer({ decision: 'decline' });
    (await client.question(fileChange, turn.id)).answer({ decision: 'accept' });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed' });
    expect(readdirSync(cwd).toSorted()).toEqual(['a.txt', 'c.txt']);
    const done = client.completedItems(turn.id).flatMap((item) => ('status' in item ? [`${item.type} ${item.status}`] : []));
    expect(done.toSorted()).toEqual(['commandExecution completed', 'commandExecution declined', 'fileChange completed']);
  });
}
