// The real claude behind a whole daemon, reached as a phone reaches it: through libp2p.

import type { HostConnection } from '@heddle/client/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defineConformance } from '../conformance/conformance.ts';
import { type ClaudeDaemon, startClaudeDaemon } from './support/claude-daemon.ts';
import { claudeUnderTest } from './support/claude-under-test.ts';

describe('claude 2.1 through libp2p', () => {
  let claude: ClaudeDaemon;
  const phones: HostConnection[] = [];
  beforeAll(async () => {
    claude = await startClaudeDaemon();
  });
  afterAll(async () => {
    for (const phone of phones) await phone.close();
    await claude.end();
  });

  /** Each client is a phone of its own, with a connection and a peer id of its own. */
  async function connect() {
    const phone = await claude.dial();
    phones.push(phone);
    return phone.openChannel('claude');
  }

  defineConformance(() => claudeUnderTest({ connect, kill: () => claude.killClaudes(), modelServer: claude.modelServer }));

  it('is listed with its version', async () => {
    const phone = await claude.dial();
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
