// The Codex TUI in front of claude, all as a user starts it: `heddle serve`, `heddle attach claude --listen`, and
// `codex --remote` in a terminal. What the screen says is held against the disk.

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { agentPaths } from '../../scripts/install-agents.ts';
import { prompt } from '../model-server/script.ts';
import { type ModelServer, startModelServer } from '../model-server/server.ts';
import { type ServedDaemon, startServedDaemon } from '../support/served-daemon.ts';
import { processes } from './support/claude-daemon.ts';
import { type ClaudeHome, makeClaudeHome } from './support/claude-home.ts';
import { claudePrompts, planModePrompt, questionPrompt, subAgentPrompt } from './support/claude-prompts.ts';
import { ownModel } from './support/claude-under-test.ts';
import { type AttachListener, CodexTui, listenForAgent, makeTuiHome, type TuiHome } from './support/codex-tui.ts';

let modelServer: ModelServer;
let claudeHome: ClaudeHome;
let daemon: ServedDaemon;
let listener: AttachListener;
let tuiHome: TuiHome;
let projects: string;
/** Each test has a folder and a TUI of its own. */
let folder: string;
let tui: CodexTui;

beforeAll(async () => {
  modelServer = await startModelServer();
  claudeHome = await makeClaudeHome(modelServer.url);
  const env = { ...claudeHome.env, ANTHROPIC_CUSTOM_MODEL_OPTION: ownModel };
  daemon = await startServedDaemon({ toml: `[agents.claude]\ncommand = "${agentPaths().claude}"\n`, env });
  listener = await listenForAgent('claude', { ...env, HEDDLE_HOME: daemon.paths.stateDir });
  tuiHome = await makeTuiHome();
  projects = realpathSync(join(claudeHome.path, '..'));
});
afterAll(async () => {
  await listener.end();
  await daemon.end();
  await modelServer.close();
  await claudeHome.remove();
  await tuiHome.remove();
});
beforeEach(async () => {
  folder = mkdtempSync(join(projects, 'project-'));
  tui = await CodexTui.start(tuiHome, listener.url, folder);
});
afterEach(() => tui.end());

const inFolder = (name: string) => join(folder, name);
const textOf = (name: string) => (existsSync(inFolder(name)) ? readFileSync(inFolder(name), 'utf8') : undefined);
/** claude keeps the conversations of a folder in one of its own, named after it. */
const sessions = () => join(claudeHome.path, 'projects', folder.replaceAll(/[^a-zA-Z0-9]/g, '-'));
const transcriptOf = (sessionId: string) => readFileSync(join(sessions(), `${sessionId}.jsonl`), 'utf8');
const transcripts = () => {
  const files = readdirSync(sessions()).filter((name) => name.endsWith('.jsonl'));
  return files.map((name) => transcriptOf(basename(name, '.jsonl')));
};
const question = /Would you like to run the following command\?/;

describe('the Codex TUI in front of claude', () => {
  it('shows what claude says, and of a command exactly what would run before it does', async () => {
    await tui.say(prompt('Count.', { text: ['I see ', { count: 'images' }, ' images.'] }));
    await tui.says('I see 0 images.');

    const command = `expr 1234 \\* 1000 + 567 > 'sum.txt'; cat sum.txt`;
    await tui.say(prompt('Run it.', [{ tools: [{ kind: 'shell', command }] }, { text: 'That was the command.' }]));
    await tui.shows(question);
    await tui.shows(`\n  $ ${command}\n`);
    expect(textOf('sum.txt')).toBeUndefined();
    tui.press('y');
    await tui.says('That was the command.');
    await tui.shows(/• Ran expr 1234 .*\n {2}└ 1234567\n/);
    expect(textOf('sum.txt')).toBe('1234567\n');

    await tui.say(prompt('Again.', [{ tools: [{ kind: 'shell', command: 'date > when.txt' }] }, { text: 'As you wish.' }]));
    await tui.shows('\n  $ date > when.txt\n');
    tui.press('d');
    await tui.says('As you wish.');
    expect(textOf('when.txt')).toBeUndefined();

    // The title that it would have a model make up is not bought from claude, for which there is no harmless thread.
    expect(processes().filter(({ parent, args }) => parent === daemon.pid && args.includes('stream-json'))).toHaveLength(1);
    await expect.poll(transcripts).toEqual([expect.stringContaining('As you wish.')]);
  });

  it('shows an image to claude', async () => {
    const onePixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    writeFileSync(inFolder('pixel.png'), Buffer.from(onePixel, 'base64'));
    tui.paste(inFolder('pixel.png'));
    await tui.shows('[Image #1]');
    await tui.say(prompt(' Look.', { text: ['I see ', { count: 'images' }, ' image.'] }));
    await tui.says('I see 1 image.');
    expect(modelServer.requests.at(-1)?.images).toEqual([{ mediaType: 'image/png', base64: onePixel }]);
    await expect.poll(transcripts).toEqual([expect.stringContaining(onePixel)]);
  });

  it('shows the lines that an edit changes, and asks no more when that was said', async () => {
    writeFileSync(inFolder('notes.txt'), 'one\ntwo\nthree\n');
    await tui.say(claudePrompts(modelServer).changeFile());
    await tui.shows(/• Edited notes\.txt \(\+2 -1\)\n {4}2 -two\n {4}2 \+deux\n {4}3 \+deux\n/);
    await tui.shows(`Destination: ${inFolder('notes.txt')}`);
    expect(textOf('notes.txt')).toBe('one\ntwo\nthree\n');
    tui.press('a');
    await tui.says('That was the change.');
    expect(textOf('notes.txt')).toBe('one\ndeux\ndeux\nthree\n');

    await tui.say(claudePrompts(modelServer).addFile().replace('notes.txt', 'more.txt'));
    await tui.says('That was the file.');
    await tui.shows(/• Added more\.txt \(\+3 -0\)\n {4}1 \+one\n/);
    expect(textOf('more.txt')).toBe('one\ntwo\nthree\n');
  });

  it('interrupts what is said, what is asked and what runs', async () => {
    const interrupted = 'Conversation interrupted';
    await tui.say(prompt('Slowly.', { text: ['The first words, ', { wait: 'never' }, 'and the last ones.'] }));
    await tui.says('The first words,');
    tui.press('Escape');
    await tui.shows(interrupted);
    await expect.poll(transcripts).toEqual([expect.stringContaining('[Request interrupted by user]')]);

    tui.press('C-l');
    await tui.hides(interrupted);
    await tui.say(prompt('Ask.', [{ tools: [{ kind: 'shell', command: 'touch never.txt' }] }, { text: 'Went on.' }]));
    await tui.shows('\n  $ touch never.txt\n');
    tui.press('Escape');
    await tui.shows(interrupted);
    await tui.hides(question);

    tui.press('C-l');
    await tui.hides(interrupted);
    await tui.say(
      prompt('Run.', [{ tools: [{ kind: 'shell', command: 'touch begun; sleep 4713; touch never.txt' }] }, { text: 'Went on.' }]),
    );
    await tui.shows(question);
    tui.press('y');
    await expect.poll(() => textOf('begun')).toBe('');
    tui.press('Escape');
    await tui.shows(interrupted);
    await expect.poll(() => processes().filter(({ args }) => args === 'sleep 4713')).toEqual([]);

    await tui.say(prompt('Still there?', { text: ['I see ', { count: 'images' }, ' images.'] }));
    await tui.says('I see 0 images.');
    expect(textOf('never.txt')).toBeUndefined();
    expect(tui.screen()).not.toContain('• Went on.');
  });

  it('shows a plan before it asks about it, and leaves plan mode with claude', async () => {
    tui.press('BTab');
    await tui.shows('Plan mode');
    await tui.say(planModePrompt('# Little steps\n\n1. Look\n2. Leap\n'));
    await tui.shows(/• Proposed Plan\s+# Little steps\s+1\. Look\s+2\. Leap\s+Question 1\/1/);
    await tui.shows('Implement this plan?');
    const plans = join(claudeHome.path, 'plans');
    expect(readdirSync(plans).map((name) => readFileSync(join(plans, name), 'utf8'))).toEqual(['# Little steps\n\n1. Look\n2. Leap\n']);
    tui.press('Enter'); // the first answer
    await tui.says('Understood.');
    await tui.hides('Plan mode');
  });

  it('puts claude’s questions, a sub-agent’s too', async () => {
    await tui.say(questionPrompt([{ question: 'Which colour?', header: 'Colour', options: ['Red', 'Blue'] }]));
    await tui.shows(/1\. Red +Red, as it says\.\n +2\. Blue +Blue, as it says\./);
    tui.press('2');
    await tui.says('Noted.');
    await tui.shows('answer: Blue');
    await expect.poll(transcripts).toEqual([expect.stringMatching(/\\"Which colour\?\\"=\\"Blue\\"/)]);

    await tui.say(subAgentPrompt([{ tools: [{ kind: 'shell', command: 'echo sub > sub.txt' }] }, { text: 'It is written.' }]));
    await tui.shows('\n  $ echo sub > sub.txt\n');
    expect(textOf('sub.txt')).toBeUndefined();
    tui.press('y');
    await tui.says('Delegated.');
    expect(textOf('sub.txt')).toBe('sub\n');
  });

  it('lets the user choose the model', async () => {
    await tui.command('/model');
    await tui.shows('Select Model and Effort');
    const [, number] = new RegExp(`(\\d+)\\. ${ownModel}`).exec(tui.screen()) ?? [];
    tui.press(number ?? 'no such model');
    await tui.shows(`Select Reasoning Level for ${ownModel}`);
    tui.press('s'); // for this session
    await tui.shows(`${ownModel} high`);
    await tui.say(prompt('Count.', { text: ['I see ', { count: 'images' }, ' images.'] }));
    await tui.says('I see 0 images.');
    expect(modelServer.requests.at(-1)?.model).toBe(ownModel);
    await expect.poll(transcripts).toEqual([expect.stringContaining(`"model":"${ownModel}"`)]);
  });

  it('resumes a session of the plain command line, found in the picker', async () => {
    const sessionId = randomUUID();
    const fromTerminal = prompt('From a terminal.', { text: ['It has ', { count: 'images' }, ' pictures.'] });
    await promisify(execFile)(agentPaths().claude, ['-p', '--session-id', sessionId, fromTerminal], {
      env: claudeHome.env,
      cwd: folder,
    });
    await tui.say(prompt('Of the TUI.', { text: ['I see ', { count: 'images' }, ' images.'] }));
    await tui.says('I see 0 images.');
    await tui.command('/resume');
    await tui.shows(/(?:now|\d+[sm] ago) +Of the TUI\./);
    await tui.shows(/(?:now|\d+[sm] ago) +From a terminal\./);
    tui.type('From a term'); // looks for it
    await tui.hides('Of the TUI.');
    tui.press('Enter');
    await tui.says('It has 0 pictures.');

    await tui.say(prompt('Go on.', { text: ['Still ', { count: 'images' }, ' pictures.'] }));
    await tui.says('Still 0 pictures.');
    await expect.poll(() => transcriptOf(sessionId)).toMatch(/It has 0 pictures\.[^]*Still 0 pictures\./);
  });
});
