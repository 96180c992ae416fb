// The real pi 0.73 behind a whole daemon, reached as a phone reaches it: through libp2p.

import { describe, expect, it } from 'vitest';
import { defineConformance } from '../conformance/conformance.ts';
import { prepareAgent } from './support/agent-daemon.ts';
import { makeClassicPi } from './support/real-pi.ts';

describe('pi 0.73 through libp2p', () => {
  const pi = prepareAgent(makeClassicPi);

  defineConformance(() => pi().daemon.underTest());

  it('is listed with its version', async () => {
    const phone = await pi().daemon.dial();
    expect((await phone.listAgents()).find(({ name }) => name === 'pi')).toEqual({
      name: 'pi',
      display_name: 'pi',
      available: true,
      version: '0.73.1',
      capabilities: expect.objectContaining({ approvals: 'before', steer: true, fork: true, images: true, plan: false }) as unknown,
    });
    await phone.close();
  });
});
