// The Codex TUI in front of the real opencode: what every agent must show, and opencode's own questions.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defineTuiProofs, prepareTui } from './proofs/tui.ts';
import { questionPrompt, subAgentPrompt } from './support/opencode-prompts.ts';
import { makeRealOpencode, type RealOpencode } from './support/real-opencode.ts';

let opencode: RealOpencode;
const at = prepareTui(async () => (opencode = await makeRealOpencode()));
const textOf = (name: string) => {
  const path = join(at().folder, name);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
};

describe('the Codex TUI in front of opencode', () => {
  defineTuiProofs(at);

  it('puts opencode’s questions, a sub-agent’s too', async () => {
    const { tui } = at();
    await tui.say(questionPrompt([{ question: 'Which colour?', header: 'Colour', options: ['Red', 'Blue'] }]));
    await tui.shows(/1\. Red +Red, as it says\.\n +2\. Blue +Blue, as it says\./);
    tui.press('2');
    await tui.says('Noted.');
    await tui.shows('answer: Blue');
    expect(await opencode.transcriptIn(at().folder)).toContain('\\"Which colour?\\"=\\"Blue\\"');

    await tui.say(subAgentPrompt([{ tools: [{ kind: 'shell', command: 'echo sub > sub.txt' }] }, { text: 'It is written.' }]));
    await tui.shows('\n  $ echo sub > sub.txt\n');
    expect(textOf('sub.txt')).toBeUndefined();
    tui.press('y');
    await tui.says('Delegated.');
    expect(textOf('sub.txt')).toBe('sub\n');
  });
});
