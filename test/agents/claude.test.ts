// The real claude behind a whole daemon, reached as a phone reaches it: through libp2p.

import { describe, expect, it } from 'vitest';
import { defineConformance } from '../conformance/conformance.ts';
import { prepareAgent } from './support/agent-daemon.ts';
import { makeRealClaude } from './support/real-claude.ts';

describe('claude 2.1 through libp2p', () => {
  const claude = prepareAgent(makeRealClaude);

  defineConformance(() => claude().daemon.underTest());

  it('is listed with its version', async () => {
    const phone = await claude().daemon.dial();
    expect((await phone.listAgents()).find(({ name }) => name === 'claude')).toEqual({
      name: 'claude',
      display_name: 'Claude',
      available: true,
      version: '2.1.197',
      capabilities: expect.objectContaining({ approvals: 'before', steer: true, fork: true, images: true }) as unknown,
    });
    await phone.close();
  });
});
