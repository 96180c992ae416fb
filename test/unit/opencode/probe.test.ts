// What is said of an opencode that is not there, too old, or has no model.

import { describe, expect, it } from 'vitest';
import { ProgramFinder } from '@heddle/bridge-kit';
import { availabilityOf, findOpencode, hasModel } from '../../../packages/bridges/src/opencode/probe.ts';

describe('an opencode', () => {
  it('that is not installed is told with what to type', async () => {
    const programs = new ProgramFinder(() => Promise.resolve({ PATH: '/srv/nothing-here' }));
    expect(await findOpencode(programs, 'opencode')).toEqual({
      unavailable: {
        isAvailable: false,
        version: undefined,
        reason: 'opencode is not installed: there is no program "opencode"',
        fix: 'Install it with `npm install -g opencode-ai`, or set "command" under [agents.opencode] in host.toml.',
      },
    });
  });

  it('without a model can’t be used; one that does not tell can', () => {
    const installation = { path: '/srv/bin/opencode', version: '1.18.33' };
    expect(availabilityOf(installation, false)).toMatchObject({ isAvailable: false, reason: 'opencode has no model to run on' });
    expect(availabilityOf(installation, undefined)).toEqual({ isAvailable: true, version: '1.18.33' });
    expect(hasModel('')).toBe(false);
    expect(hasModel('fake/fake-1\nfake/vendor/fake-2\n')).toBe(true);
  });
});
