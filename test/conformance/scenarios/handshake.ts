// Scenarios: the first words of a session.

import { jsonRpcCodes } from '@heddle/wire';
import { expect } from 'vitest';
import type { AgentUnderTest } from '../agent-under-test.ts';
import { scenario } from '../stage.ts';

export function defineHandshake(agent: () => AgentUnderTest): void {
  scenario(agent, 'initialize is answered with who the server is', async (stage) => {
    const client = await stage.open('A');
    const result = await client.initialize();
    // codex clients read the version between the first slash and the next space.
    expect(result.userAgent).toMatch(/^[^/]+\/\d+\.\d+\.\d+\S* /);
    expect(result.codexHome).toMatch(/^(?:\/|[A-Za-z]:\\)/);
    expect(result.platformOs).not.toBe('');
  });

  scenario(agent, 'a request before initialize is refused, and initialize works afterwards', async (stage) => {
    const client = await stage.open('A');
    const refusal = await client.refusal('thread/list', {});
    expect(refusal).toMatchObject({ code: jsonRpcCodes.invalidRequest, message: 'Not initialized' });
    await client.initialize();
    await client.request('thread/list', {});
  });

  scenario(agent, 'a second initialize is refused and changes nothing', async (stage) => {
    const client = await stage.connect('A');
    const refusal = await client.refusal('initialize', { clientInfo: { name: 'again', version: '1.0.0' } });
    expect(refusal).toMatchObject({ code: jsonRpcCodes.invalidRequest, message: 'Already initialized' });
    await client.request('thread/list', {});
  });

  scenario(agent, 'each session has its own handshake', async (stage) => {
    await stage.connect('A');
    const second = await stage.open('B');
    expect(await second.refusal('thread/list', {})).toMatchObject({ message: 'Not initialized' });
    await second.initialize();
  });

  scenario(agent, 'an unknown method is refused and the session goes on', async (stage) => {
    const client = await stage.connect('A');
    const refusal = await client.refusal('no/such/method', {});
    expect([jsonRpcCodes.invalidRequest, jsonRpcCodes.methodNotFound]).toContain(refusal.code);
    await client.request('thread/list', {});
  });
}
