// The Codex TUI in front of the real claude: what every agent must show, and claude's own plans and questions.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defineTuiProofs, prepareTui } from './proofs/tui.ts';
import { planModePrompt, questionPrompt, subAgentPrompt } from './support/claude-prompts.ts';
import { makeRealClaude, type RealClaude } from './support/real-claude.ts';

let claude: RealClaude;
const at = prepareTui(async () => (claude = await makeRealClaude()));
const textOf = (name: string) => {
  const path = join(at().folder, name);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
};

describe('the Codex TUI in front of claude', () => {
  defineTuiProofs(at);

  it('shows a plan before it asks about it, and leaves plan mode with claude', async () => {
    const { tui } = at();
    tui.press('BTab');
    await tui.shows('Plan mode');
    await tui.say(planModePrompt('# Little steps\n\n1. Look\n2. Leap\n'));
    await tui.shows(/• Proposed Plan\s+# Little steps\s+1\. Look\s+2\. Leap\s+Question 1\/1/);
    await tui.shows('Implement this plan?');
    const plans = join(claude.home.path, 'plans');
    expect(readdirSync(plans).map((name) => readFileSync(join(plans, name), 'utf8'))).toEqual(['# Little steps\n\n1. Look\n2. Leap\n']);
    tui.press('Enter'); // the first answer
    await tui.says('Understood.');
    await tui.hides('Plan mode');
  });

  it('puts claude’s questions, a sub-agent’s too', async () => {
    const { tui } = at();
    await tui.say(questionPrompt([{ question: 'Which colour?', header: 'Colour', options: ['Red', 'Blue'] }]));
    await tui.shows(/1\. Red +Red, as it says\.\n +2\. Blue +Blue, as it says\./);
    tui.press('2');
    await tui.says('Noted.');
    await tui.shows('answer: Blue');
    await expect.poll(transcripts).toMatch(/\\"Which colour\?\\"=\\"Blue\\"/);

    await tui.say(subAgentPrompt([{ tools: [{ kind: 'shell', command: 'echo sub > sub.txt' }] }, { text: 'It is written.' }]));
    await tui.shows('\n  $ echo sub > sub.txt\n');
    expect(textOf('sub.txt')).toBeUndefined();
    tui.press('y');
    await tui.says('Delegated.');
    expect(textOf('sub.txt')).toBe('sub\n');
  });
});

/** claude keeps the conversations of a folder in one of its own, named after it. */
function transcripts(): string {
  const sessions = join(claude.home.path, 'projects', at().folder.replaceAll(/[^a-zA-Z0-9]/g, '-'));
  const files = readdirSync(sessions).filter((name) => name.endsWith('.jsonl'));
  return files.map((name) => readFileSync(join(sessions, name), 'utf8')).join('');
}
