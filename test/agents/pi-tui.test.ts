// The Codex TUI in front of the real pi, in both of its names: what every agent must show, and the questions of an extension.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defineTuiProofs, prepareTui } from './proofs/tui.ts';
import { installExtension } from './support/pi-extension.ts';
import { makeClassicPi, makeRealPi } from './support/real-pi.ts';

describe.each([
  ['0.87', makeRealPi],
  ['0.73', makeClassicPi],
])('the Codex TUI in front of pi %s', (_version, make) => {
  const at = prepareTui(async () => {
    const pi = await make();
    await installExtension(pi.home);
    return pi;
  });

  defineTuiProofs(at);

  it('puts the questions of an extension', async () => {
    const { tui, folder } = at();
    await tui.say(' /ask'); // the TUI has commands of its own
    await tui.shows('Which colour?');
    tui.press('2');
    await tui.shows('There is no way back.');
    tui.press('1');
    await tui.shows('What name?');
    tui.paste('Ada');
    await tui.shows('Ada');
    tui.press('Enter');
    await tui.shows('as it was');
    tui.paste('as it is');
    await tui.shows('as it is');
    tui.press('Enter');
    await expect
      .poll(() => JSON.parse(readFileSync(join(folder, 'answers.json'), { encoding: 'utf8', flag: 'a+' }) || 'null') as unknown)
      .toEqual(['Blue', true, 'Ada', 'as it is']);
  });
});
