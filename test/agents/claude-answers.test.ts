// What the real claude asks that other agents don't: leave for its own tools, questions, and plans. Everything that the
// clients see is also held against the schema and the ordering rules.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect } from 'vitest';
import { scenario } from '../conformance/stage.ts';
import { prompt } from '../model-server/script.ts';
import { prepareAgent } from './support/agent-daemon.ts';
import { planModePrompt, questionPrompt, toolPrompt } from './support/claude-prompts.ts';
import { makeRealClaude } from './support/real-claude.ts';

const claude = prepareAgent(makeRealClaude);
const agent = () => claude().daemon.underTest();

const command = 'item/commandExecution/requestApproval';
const write = (name: string, content: string) => ({ tools: [{ kind: 'write' as const, path: name, content }] });

describe('a tool of claude', () => {
  scenario(agent, 'that reads outside of the folder, or fetches, asks with its tool and what it is about', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const turn = await client.startTurn(thread.id, toolPrompt('WebFetch', { url: 'http://127.0.0.1:9/page', prompt: 'Read it.' }));
    const question = await client.question(command, turn.id);
    expect(question.params.command).toBe('WebFetch http://127.0.0.1:9/page');
    question.answer({ decision: 'decline' });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed' });
    const outside = path.join(claude().agent.home.path, '.claude.json');
    const read = await client.startTurn(thread.id, toolPrompt('Read', { file_path: outside }));
    const second = await client.question(command, read.id);
    expect(second.params).toMatchObject({ command: `Read ${outside}`, reason: 'Path is outside allowed working directories' });
    second.answer({ decision: 'accept' });
    expect(await client.turnEnd(read.id)).toMatchObject({ status: 'completed' });
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
      .poll(() => claude().agent.transcriptOf(thread.id))
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
    await expect.poll(() => claude().agent.transcriptOf(thread.id)).toContain('The user wants to keep planning: Look twice.');

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
