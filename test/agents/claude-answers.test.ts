// What people answer to the real claude, and what then happens on the disk. Everything that the clients see is also held
// against the schema and the ordering rules.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { HostConnection } from '@heddle/client/node';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { scenario } from '../conformance/stage.ts';
import { applyFileChange } from '../conformance/file-diff.ts';
import { prompt } from '../model-server/script.ts';
import { type ClaudeDaemon, startClaudeDaemon } from './support/claude-daemon.ts';
import { parallelPrompt, planModePrompt, questionPrompt, toolPrompt } from './support/claude-prompts.ts';
import { claudeUnderTest } from './support/claude-under-test.ts';

let claude: ClaudeDaemon;
const phones: HostConnection[] = [];
beforeAll(async () => {
  claude = await startClaudeDaemon();
});
afterAll(async () => {
  for (const phone of phones) await phone.close();
  await claude.end();
});

async function connect() {
  const phone = await claude.dial();
  phones.push(phone);
  return phone.openChannel('claude');
}
const agent = () => claudeUnderTest({ connect, kill: () => claude.killClaudes(), modelServer: claude.modelServer });

const command = 'item/commandExecution/requestApproval';
const fileChange = 'item/fileChange/requestApproval';
const twice = (shellText: string) =>
  prompt('Run it twice.', [
    { tools: [{ kind: 'shell', command: shellText }] },
    { tools: [{ kind: 'shell', command: shellText }] },
    { text: 'Twice.' },
  ]);
const write = (name: string, content: string) => ({ tools: [{ kind: 'write' as const, path: name, content }] });

describe('a command', () => {
  scenario(agent, 'accepted for the session is not asked about again, and no settings file is written', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const append = `printf x >> log.txt && echo done`;
    const turn = await client.startTurn(thread.id, twice(append));
    (await client.question(command, turn.id)).answer({ decision: 'acceptForSession' });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed' });
    expect(readFileSync(path.join(cwd, 'log.txt'), 'utf8')).toBe('xx');
    expect(client.completedItems(turn.id).filter(({ type }) => type === 'commandExecution')).toHaveLength(2);
    expect(existsSync(path.join(cwd, '.claude'))).toBe(false);
    // To accept a command is not to accept edits.
    const edit = await client.startTurn(thread.id, stage.agent.prompts.addFile());
    (await client.question(fileChange, edit.id)).answer({ decision: 'decline' });
    await client.turnEnd(edit.id);
    expect(readdirSync(cwd)).toEqual(['log.txt']);
  });

  scenario(agent, 'accepted once is asked about again', async (stage) => {
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

  scenario(agent, 'that reads outside of the folder, or fetches, asks with its tool and what it is about', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const turn = await client.startTurn(thread.id, toolPrompt('WebFetch', { url: 'http://127.0.0.1:9/page', prompt: 'Read it.' }));
    const question = await client.question(command, turn.id);
    expect(question.params.command).toBe('WebFetch http://127.0.0.1:9/page');
    question.answer({ decision: 'decline' });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed' });
    const outside = path.join(claude.claudeHome.path, '.claude.json');
    const read = await client.startTurn(thread.id, toolPrompt('Read', { file_path: outside }));
    const second = await client.question(command, read.id);
    expect(second.params).toMatchObject({ command: `Read ${outside}`, reason: 'Path is outside allowed working directories' });
    second.answer({ decision: 'accept' });
    expect(await client.turnEnd(read.id)).toMatchObject({ status: 'completed' });
  });
});

describe('a file change', () => {
  scenario(agent, 'accepted for the session lets the following ones through, each with its true difference', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    writeFileSync(path.join(cwd, 'old.txt'), 'one\n\ttwo\nthree\n');
    const steps = [
      write('new.txt', 'fresh\n'),
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

  scenario(agent, 'that is cancelled ends the turn, and leaves the disk alone', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const turn = await client.startTurn(thread.id, stage.agent.prompts.addFile());
    (await client.question(fileChange, turn.id)).answer({ decision: 'cancel' });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'interrupted', error: null });
    expect(readdirSync(cwd)).toEqual([]);
  });

  scenario(agent, 'is not asked about when the client chose on-request with a writable workspace', async (stage) => {
    const client = await stage.connect('A');
    const wanted = { approvalPolicy: 'on-request', sandbox: 'workspace-write', cwd: stage.folder } as const;
    const { thread, cwd, sandbox } = await client.startThread(wanted);
    expect(sandbox).toMatchObject({ type: 'dangerFullAccess' }); // nothing is enforced, so nothing else is said
    expect(await client.runTurn(thread.id, stage.agent.prompts.addFile())).toMatchObject({ status: 'completed' });
    expect(readdirSync(cwd)).toEqual(['notes.txt']);
  });
});

describe('full access', () => {
  scenario(agent, 'is not granted without the word of host.toml', async (stage) => {
    const client = await stage.connect('A');
    const wanted = { approvalPolicy: 'never', sandbox: 'danger-full-access', cwd: stage.folder } as const;
    const { thread, approvalPolicy } = await client.startThread(wanted);
    expect(approvalPolicy).toBe('on-request');
    const turn = await client.startTurn(thread.id, stage.agent.prompts.addFile());
    (await client.question(fileChange, turn.id)).answer({ decision: 'decline' });
    await client.turnEnd(turn.id);
    expect(readdirSync(stage.folder)).toEqual([]);
  });
});

describe('several calls at once', () => {
  scenario(agent, 'are asked about one by one, and each does what was said of it', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const turn = await client.startTurn(thread.id, parallelPrompt());
    (await client.question(command, turn.id, ({ command: text }) => text?.includes('a.txt') === true)).answer({ decision: 'accept' });
    (await client.question(command, turn.id, ({ command: text }) => text?.includes('b.txt') === true)).answer({ decision: 'decline' });
    (await client.question(fileChange, turn.id)).answer({ decision: 'accept' });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed' });
    expect(readdirSync(cwd).toSorted()).toEqual(['a.txt', 'c.txt']);
    const done = client.completedItems(turn.id).flatMap((item) => ('status' in item ? [`${item.type} ${item.status}`] : []));
    expect(done.toSorted()).toEqual(['commandExecution completed', 'commandExecution declined', 'fileChange completed']);
  });
});

describe('a question', () => {
  scenario(agent, 'of claude comes with all its parts, and the answers reach the model', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
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
    await expect
      .poll(() => claude.transcriptOf(thread.id))
      .toContain('\\"Which colour?\\"=\\"a deep green\\", \\"Which days?\\"=\\"Mon, Wed\\"');
  });
});

describe('plan mode', () => {
  const planMode = { mode: 'plan', settings: { model: '' } } as const;

  scenario(agent, 'shows a plan, takes it back with words, and implements it when told to', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd, model } = await stage.startThread(client);
    const start = (text: string) =>
      client.request('turn/start', {
        threadId: thread.id,
        input: [{ type: 'text', text }],
        collaborationMode: { ...planMode, settings: { model } },
      });
    const first = (await start(planModePrompt('1. Look.\n2. Act.'))).turn;
    const question = await client.question('item/tool/requestUserInput', first.id);
    expect(question.params.questions).toMatchObject([{ id: 'plan', isOther: true }]);
    const plan = client.seen('item/started').find(({ item, turnId }) => item.type === 'plan' && turnId === first.id)?.item;
    expect(plan).toMatchObject({ type: 'plan', text: '1. Look.\n2. Act.' });
    question.answer({ answers: { plan: { answers: ['Look twice.'] } } });
    expect(await client.turnEnd(first.id)).toMatchObject({ status: 'completed' });
    await expect.poll(() => claude.transcriptOf(thread.id)).toContain('The user wants to keep planning: Look twice.');

    const steps = [
      { tools: [{ kind: 'call' as const, name: 'ExitPlanMode', input: { plan: '1. Write.' } }] },
      write('planned.txt', 'yes\n'),
      { text: 'Done.' },
    ];
    const second = (await start(prompt('Plan on.', steps))).turn;
    (await client.question('item/tool/requestUserInput', second.id)).answer({
      answers: { plan: { answers: ['Implement it, without asking before edits'] } },
    });
    expect(await client.turnEnd(second.id)).toMatchObject({ status: 'completed' });
    expect(readFileSync(path.join(cwd, 'planned.txt'), 'utf8')).toBe('yes\n');
    const modes = client.seen('thread/settings/updated').map(({ threadSettings }) => threadSettings.collaborationMode.mode);
    expect(modes).toEqual(['plan', 'default']);
  });
});
