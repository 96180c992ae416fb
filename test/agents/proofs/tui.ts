// Proofs: the Codex TUI in front of the agent, all as a user starts it: `heddle serve`, `heddle attach AGENT --listen`, and
// `codex --remote` in a terminal. What the screen says is held against the disk.

import { randomInt } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { prompt } from '../../model-server/script.ts';
import { type ServedDaemon, startServedDaemon } from '../../support/served-daemon.ts';
import { processes } from '../support/agent-daemon.ts';
import { type AttachListener, CodexTui, listenForAgent, makeTuiHome, type TuiHome } from '../support/codex-tui.ts';
import type { RealAgent } from '../support/real-agent.ts';

const question = /Would you like to run the following command\?/;
const interrupted = 'Conversation interrupted';
const onePixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** What an agent's own TUI tests stand on. */
export interface AtTui {
  agent: RealAgent;
  daemon: ServedDaemon;
  tui: CodexTui;
  /** Where the TUI was started: each test has one of its own. */
  folder: string;
}

/** One daemon for all tests of a file, and for each a folder and a TUI of its own. Registers the hooks. */
export function prepareTui(make: () => Promise<RealAgent>): () => AtTui {
  let agent: RealAgent;
  let daemon: ServedDaemon;
  let listener: AttachListener;
  let tuiHome: TuiHome;
  let folder: string;
  let tui: CodexTui;
  beforeAll(async () => {
    agent = await make();
    daemon = await startServedDaemon({ toml: agent.toml, env: agent.env });
    listener = await listenForAgent(agent.name, { ...agent.env, HEDDLE_HOME: daemon.paths.stateDir });
    tuiHome = await makeTuiHome();
  });
  afterAll(async () => {
    await listener.end();
    await daemon.end();
    await agent.end();
    await tuiHome.remove();
  });
  beforeEach(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'heddle-tui-')));
    tui = await CodexTui.start(tuiHome, listener.url, folder);
  });
  afterEach(() => {
    tui.end();
    rmSync(folder, { recursive: true, force: true });
  });
  return () => ({ agent, daemon, tui, folder });
}

export function defineTuiProofs(at: () => AtTui): void {
  const inFolder = (name: string) => join(at().folder, name);
  const textOf = (name: string) => (existsSync(inFolder(name)) ? readFileSync(inFolder(name), 'utf8') : undefined);
  const count = (words = 'Count.') => prompt(words, { text: ['I see ', { count: 'images' }, ' images.'] });
  const prompts = () => at().agent.underTest({ connect: notHere, kill: notHere }).prompts;

  it('shows what the agent says, and of a command exactly what would run before it does', async () => {
    const { tui, daemon, agent } = at();
    await tui.say(count());
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

    // No process of its own for the title that the TUI would have a model make up.
    expect(processes().filter(({ parent, args }) => parent === daemon.pid && agent.isDriven(args))).toHaveLength(1);
  });

  it('shows an image to the agent', async () => {
    const { tui, agent } = at();
    writeFileSync(inFolder('pixel.png'), Buffer.from(onePixel, 'base64'));
    tui.paste(inFolder('pixel.png'));
    await tui.shows('[Image #1]');
    await tui.say(prompt(' Look.', { text: ['I see ', { count: 'images' }, ' image.'] }));
    await tui.says('I see 1 image.');
    const seen = agent.modelServer.requests.flatMap(({ images }) => images);
    expect(seen).toContainEqual({ mediaType: 'image/png', base64: onePixel });
  });

  it('shows the lines that an edit changes, and asks no more when that was said', async () => {
    const { tui } = at();
    writeFileSync(inFolder('notes.txt'), 'one\ntwo\nthree\n');
    await tui.say(prompts().changeFile());
    await tui.shows(/• Edited notes\.txt \(\+2 -1\)\n {4}2 -two\n {4}2 \+deux\n {4}3 \+deux\n/);
    await tui.shows(`Destination: ${inFolder('notes.txt')}`);
    expect(textOf('notes.txt')).toBe('one\ntwo\nthree\n');
    tui.press('a');
    await tui.says('That was the change.');
    expect(textOf('notes.txt')).toBe('one\ndeux\ndeux\nthree\n');

    await tui.say(prompts().addFile().replace('notes.txt', 'more.txt'));
    await tui.says('That was the file.');
    await tui.shows(/• Added more\.txt \(\+3 -0\)\n {4}1 \+one\n/);
    expect(textOf('more.txt')).toBe('one\ntwo\nthree\n');
  });

  it('interrupts what is said, what is asked and what runs', async () => {
    const { tui } = at();
    await tui.say(prompt('Slowly.', { text: ['The first words, ', { wait: 'never' }, 'and the last ones.'] }));
    await tui.says('The first words,');
    tui.press('Escape');
    await tui.shows(interrupted);

    tui.press('C-l');
    await tui.hides(interrupted);
    await tui.say(prompt('Ask.', [{ tools: [{ kind: 'shell', command: 'touch never.txt' }] }, { text: 'Went on.' }]));
    await tui.shows('\n  $ touch never.txt\n');
    tui.press('Escape');
    await tui.shows(interrupted);
    await tui.hides(question);

    tui.press('C-l');
    await tui.hides(interrupted);
    const sleep = `sleep ${randomInt(1e6, 1e9)}`;
    const command = `touch begun; ${sleep}; touch never.txt`;
    await tui.say(prompt('Run.', [{ tools: [{ kind: 'shell', command }] }, { text: 'Went on.' }]));
    await tui.shows(question);
    tui.press('y');
    await expect.poll(() => textOf('begun')).toBe('');
    tui.press('Escape');
    await tui.shows(interrupted);
    await expect.poll(() => processes().filter(({ args }) => args === sleep)).toEqual([]);

    await tui.say(count('Still there?'));
    await tui.says('I see 0 images.');
    expect(textOf('never.txt')).toBeUndefined();
    expect(tui.screen()).not.toContain('• Went on.');
  });

  it('lets the user choose the model', async () => {
    const { tui, agent } = at();
    const { title, name, hasEfforts } = agent.otherModel;
    await tui.command('/model');
    await tui.shows('Select Model and Effort');
    const [, number] = new RegExp(`(\\d+)\\. ${title}`).exec(tui.screen()) ?? [];
    tui.press(number ?? 'no such model');
    if (hasEfforts) {
      await tui.shows(`Select Reasoning Level for ${title}`);
      tui.press('s'); // for this session
    }
    await tui.hides('Select ');
    await tui.say(count());
    await tui.says('I see 0 images.');
    expect(agent.modelServer.requests.findLast(({ tools }) => tools.length > 0)?.model).toBe(name);
  });

  it('resumes a session of the plain command line, found in the picker', async () => {
    const { tui, agent, folder } = at();
    await agent.terminal.say(prompt('From a terminal.', { text: ['It has ', { count: 'images' }, ' pictures.'] }), { cwd: folder });
    await tui.say(count('Of the TUI.'));
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
    const last = agent.modelServer.requests.findLast(({ turns }) => turns.some(({ text }) => text.includes('From a terminal.')));
    expect(JSON.stringify(last?.turns)).toContain('Go on.');
  });
}

const notHere = () => Promise.reject(new Error('the TUI reaches the agent by itself'));
