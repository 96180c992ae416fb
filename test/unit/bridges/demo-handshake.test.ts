import { afterAll, describe, expect, test } from 'vitest';
import { DemoClient, demoBridge } from './demo-client.ts';

const bridge = demoBridge();
afterAll(() => bridge.close());

describe('the handshake of the demo bridge', () => {
  test('is always available, in the version of heddle', async () => {
    expect(bridge.name).toBe('demo');
    expect(bridge.capabilities).toMatchObject({ approvals: 'before', steer: true });
    expect(await bridge.probe()).toEqual({ isAvailable: true, version: '9.8.7' });
  });

  test('asks for initialize first, and takes it once', async () => {
    const client = await DemoClient.raw(bridge);
    expect(await client.refused('thread/list')).toBe('-32600 Not initialized');
    expect(await client.refused('initialize', {})).toBe('-32600 Invalid request: missing field `clientInfo`');
    const answer = await client.ok('initialize', { clientInfo: { name: 'phone', title: null, version: '2.1' } });
    expect(answer.userAgent).toMatch(/^phone\/0\.169\.0 \(.+\) heddle-demo\/9\.8\.7 \(phone; 2\.1\)$/);
    expect(answer.codexHome).toBe('/run/heddle-test');
    expect(await client.refused('initialize', { clientInfo: { name: 'phone', version: '2.1' } })).toBe('-32600 Already initialized');
  });

  test('serves requests without the notification `initialized`, as codex does', async () => {
    const client = await DemoClient.raw(bridge);
    await client.ok('initialize', { clientInfo: { name: 'phone', version: '1' } });
    expect((await client.ok('thread/loaded/list')).data).toEqual([]);
  });

  test('refuses what it does not know with texts and codes that clients look for', async () => {
    const client = await DemoClient.connect(bridge);
    const id = '01a1f9f2-0000-7000-8000-000000000000';
    expect(await client.refused('no/such')).toBe('-32601 method not found: no/such');
    expect(await client.refused('toString')).toBe('-32601 method not found: toString');
    expect(await client.refused('thread/read', {})).toBe('-32600 Invalid request: missing field `threadId`');
    expect(await client.refused('thread/read', null)).toBe('-32600 Invalid request: missing field `params`');
    expect(await client.refused('thread/read', { threadId: 7 })).toBe('-32600 Invalid request: `threadId` must be a string');
    expect(await client.refused('thread/read', { threadId: id })).toBe(`-32600 thread not loaded: ${id}`);
    expect(await client.refused('thread/resume', { threadId: id })).toBe(`-32600 no rollout found for thread id ${id}`);
    expect(await client.refused('thread/fork', { threadId: id })).toBe(`-32600 no rollout found for thread id ${id}`);
    expect(await client.refused('turn/start', { threadId: id, input: [] })).toBe(`-32600 thread not found: ${id}`);
    expect(await client.refused('thread/list', { cursor: 'garbage' })).toBe('-32600 invalid cursor: garbage');
    expect(await client.refused('model/list', { cursor: 'bad' })).toBe('-32600 invalid cursor: bad');
    expect(await client.refused('turn/start', { threadId: id, input: [{ type: 'smell' }] })).toBe(
      '-32600 Invalid request: unknown variant `smell` at `input[0].type`',
    );
  });

  test('keeps experimental methods for clients that asked for them', async () => {
    const plain = await DemoClient.connect(bridge, {});
    expect(await plain.refused('collaborationMode/list')).toBe('-32600 collaborationMode/list requires experimentalApi capability');
    const experimental = await DemoClient.connect(bridge);
    expect(await experimental.okUntyped('collaborationMode/list', {})).toMatchObject({ data: [{ mode: 'default' }] });
  });

  test('tells the truth about itself', async () => {
    const client = await DemoClient.connect(bridge);
    expect((await client.ok('model/list')).data).toMatchObject([{ id: 'demo', isDefault: true, defaultReasoningEffort: 'none' }]);
    expect(await client.okUntyped('account/read', {})).toMatchObject({ account: null, requiresOpenaiAuth: false });
    expect(await client.okUntyped('account/rateLimits/read')).toMatchObject({ rateLimits: { primary: null, planType: null } });
    expect(await client.okUntyped('skills/list', { cwds: ['/a'] })).toEqual({ data: [{ cwd: '/a', skills: [], errors: [] }] });
    expect(await client.okUntyped('configRequirements/read')).toEqual({ requirements: null });
    expect(await client.okUntyped('config/read', {})).toMatchObject({ config: { model: 'demo', sandbox_mode: 'danger-full-access' } });
  });

  test('withholds the notifications that a client opted out of', async () => {
    const client = await DemoClient.connect(bridge, {
      optOutNotificationMethods: ['item/agentMessage/delta', 'thread/started', 'no/such'],
    });
    const thread = await client.startThread();
    await client.runTurn(thread.id, 'text: one two three');
    expect(client.all('item/agentMessage/delta')).toEqual([]);
    expect(client.all('thread/started')).toEqual([]);
    expect(client.all('item/completed')).toHaveLength(2);
  });

  test('stamps every notification, and nothing else, with the time', async () => {
    const client = await DemoClient.connect(bridge);
    const thread = await client.startThread();
    await client.runTurn(thread.id, 'command: true', 'accept');
    for (const message of client.received) {
      const isNotification = message.method !== undefined && message.id === undefined;
      expect(typeof message.emittedAtMs === 'number').toBe(isNotification);
      expect('jsonrpc' in message).toBe(false);
    }
  });
});
