// What the Codex TUI 0.169 needs besides threads and turns, as it was seen to ask.

import { describe, expect } from 'vitest';
import { hubTest } from './hub-stage.ts';

describe('the Codex TUI', () => {
  hubTest('finds every folder that it asks about trusted, and is asked for no trust that nobody stores', async (stage) => {
    const client = await stage.connect();
    const { config } = await client.request('config/read', { includeLayers: true, cwd: '/srv' });
    expect(config).toMatchObject({ projects: { '/srv': { trust_level: 'trusted' } } });
    expect((await client.request('config/read', { cwd: '.' })).config).not.toHaveProperty('projects');
  });

  hubTest('gets no thread for its titles, which would have to be kept from the machine', async (stage) => {
    const client = await stage.connect();
    const refused = await client.refusal('thread/start', { ephemeral: true, environments: [] });
    expect(refused).toMatchObject({ code: -32600, message: "fake can't be kept from this machine, as `environments: []` asks" });
    expect(stage.agent.calls).toEqual([]);
    await client.request('thread/start', { environments: null } as never);
    expect(stage.agent.calls).toHaveLength(1);
  });
});
