// The real opencode behind a whole daemon, reached as a phone reaches it: through libp2p.

import type { HostConnection } from '@heddle/client/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defineConformance } from '../conformance/conformance.ts';
import { type OpencodeDaemon, startOpencodeDaemon } from './support/opencode-daemon.ts';
import { opencodeUnderTest } from './support/opencode-under-test.ts';

describe('opencode 1.18 through libp2p', () => {
  let opencode: OpencodeDaemon;
  const phones: HostConnection[] = [];
  beforeAll(async () => {
    opencode = await startOpencodeDaemon();
  });
  afterAll(async () => {
    for (const phone of phones) await phone.close();
    await opencode.end();
  });

  /** Each client is a phone of its own, with a connection and a peer id of its own. */
  async function connect() {
    const phone = await opencode.dial();
    phones.push(phone);
    return phone.openChannel('opencode');
  }

  defineConformance(() => opencodeUnderTest({ connect, kill: () => opencode.killServers(), modelServer: opencode.modelServer }));

  it('is listed with its version', async () => {
    const phone = await opencode.dial();
    const listed = (await phone.listAgents()).find(({ name }) => name === 'opencode');
    expect(listed).toMatchObject({ name: 'opencode', display_name: 'opencode', available: true, version: '1.18.33' });
    await phone.close();
  });
});
