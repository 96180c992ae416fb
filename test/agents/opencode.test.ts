// The real opencode behind a whole daemon, reached as a phone reaches it: through libp2p.

import { describe, expect, it } from 'vitest';
import { defineConformance } from '../conformance/conformance.ts';
import { prepareAgent } from './support/agent-daemon.ts';
import { makeRealOpencode } from './support/real-opencode.ts';

describe('opencode 1.18 through libp2p', () => {
  const opencode = prepareAgent(makeRealOpencode);

  defineConformance(() => opencode().daemon.underTest());

  it('is listed with its version', async () => {
    const phone = await opencode().daemon.dial();
    expect((await phone.listAgents()).find(({ name }) => name === 'opencode')).toEqual({
      name: 'opencode',
      display_name: 'opencode',
      available: true,
      version: '1.18.33',
      capabilities: expect.objectContaining({ approvals: 'before', steer: true, fork: true, images: true }) as unknown,
    });
    await phone.close();
  });
});
