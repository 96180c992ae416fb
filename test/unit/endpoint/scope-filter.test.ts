import { memoryChannelPair } from '@heddle/rpc';
import { clientRequests, type DeviceScope, needOf } from '@heddle/wire';
import { describe, expect, it } from 'vitest';
import { filterByScope, judgeForWatching } from '../../../packages/endpoint/src/scope-filter.ts';
import { bytes, pull, text } from '../../support/collect.ts';

const judge = (message: unknown) => judgeForWatching(bytes(typeof message === 'string' ? message : JSON.stringify(message)));
const passed = (message: unknown) => {
  const verdict = judge(message);
  return 'pass' in verdict ? (JSON.parse(text(verdict.pass)) as unknown) : Object.keys(verdict)[0];
};

describe('the table', () => {
  it('says what each method needs', () => {
    const watching = Object.keys(clientRequests).filter((method) => needOf(method).needs === 'watch');
    expect(watching.toSorted()).toEqual([
      'account/rateLimits/read',
      'collaborationMode/list',
      'initialize',
      'mcpServerStatus/list',
      'model/list',
      'thread/goal/get',
      'thread/items/list',
      'thread/list',
      'thread/loaded/list',
      'thread/queue/list',
      'thread/read',
      'thread/resume',
      'thread/turns/list',
      'thread/unsubscribe',
    ]);
  });

  it.each([
    'fs/readFile',
    'command/exec',
    'config/read',
    'getAuthStatus',
    'thread/shellCommand',
    'thread/unrevert',
    'not/known',
    'toString',
    '__proto__',
    '',
  ])('%s needs drive', (method) => {
    expect(needOf(method)).toEqual({ needs: 'drive' });
  });
});

describe('a message of a device that may only watch', () => {
  it('passes when it reads, written anew', () => {
    expect(passed({ id: 0, method: 'thread/list', params: { limit: 5 }, trace: 'x' })).toEqual({
      id: 0,
      method: 'thread/list',
      params: { limit: 5 },
    });
    expect(passed({ id: 'a', method: 'model/list' })).toEqual({ id: 'a', method: 'model/list' });
    expect(passed({ method: 'initialized' })).toEqual({ method: 'initialized' });
  });

  it('follows a thread, but can not change it on the way', () => {
    const params = { threadId: 't', excludeTurns: true, sandbox: 'danger-full-access', approvalPolicy: 'never', path: '/x', config: {} };
    expect(passed({ id: 1, method: 'thread/resume', params })).toEqual({
      id: 1,
      method: 'thread/resume',
      params: { threadId: 't', excludeTurns: true },
    });
  });

  it('is read once: of a member that stands there twice no agent sees the other', () => {
    expect(passed('{"id":1,"method":"turn/start","method":"thread/list"}')).toEqual({ id: 1, method: 'thread/list' });
    expect(passed('{"id":1,"method":"thread/list","method":"turn/start"}')).toBe('refuse');
  });

  it.each([
    ['an answer to an approval', { id: 7, result: { decision: 'accept' } }],
    ['an error for an answer', { id: 7, error: { code: 1, message: 'no' } }],
    ['a notification', { method: 'turn/start', params: {} }],
    ['an id that is no id', { id: null, method: 'turn/start' }],
    ['an id that JavaScript would change', '{"id":12345678901234567890,"method":"thread/list"}'],
    ['a list', [{ id: 1, method: 'turn/start' }]],
    ['no JSON', '{"id":1,'],
  ])('is dropped: %s', (_, message) => {
    expect(passed(message)).toBe('drop');
  });
});

describe('filterByScope', () => {
  function filtered(initial: DeviceScope) {
    let scope = initial;
    const [ours, agent] = memoryChannelPair();
    const channel = filterByScope(ours, () => scope);
    return {
      channel,
      agent,
      toAgent: pull(agent.incoming),
      toPhone: pull(channel.incoming),
      setScope: (next: DeviceScope) => (scope = next),
    };
  }

  it('lets the bytes of a device that may drive pass as they are', async () => {
    const { channel, toAgent } = filtered('drive');
    const odd = '{ "id":1,"method":"turn/start" ,"x":12345678901234567890} not even JSON';
    await channel.send(bytes(odd));
    expect(text(await toAgent())).toBe(odd);
  });

  it('answers what is refused, between what the agent says, and loses nothing of that', async () => {
    const { channel, agent, toAgent, toPhone } = filtered('watch');
    const first = toPhone(); // waits for the agent
    void channel.send(bytes('{"id":3,"method":"turn/start","params":{}}'));
    expect(JSON.parse(text(await first))).toEqual({
      id: 3,
      error: { code: -32600, message: expect.stringContaining('may only watch: turn/start') as string },
    });
    for (let n = 0; n < 50; n++) {
      await agent.send(bytes(`agent ${n}`));
      if (n % 10 === 0) void channel.send(bytes(`{"id":${n},"method":"turn/interrupt"}`));
    }
    const seen = [];
    for (let n = 0; n < 55; n++) seen.push(text(await toPhone()));
    expect(seen.filter((message) => message.startsWith('agent'))).toEqual(Array.from({ length: 50 }, (_, n) => `agent ${n}`));
    expect(seen.filter((message) => message.startsWith('{')).map((message) => (JSON.parse(message) as { id: number }).id)).toEqual([
      0, 10, 20, 30, 40,
    ]);
    await channel.send(bytes('{"id":4,"method":"thread/list"}'));
    expect(text(await toAgent())).toBe('{"id":4,"method":"thread/list"}'); // nothing of the above came before it
  });

  it('holds back a device that is refused and does not read', async () => {
    const { channel, toPhone } = filtered('watch');
    let isTaken = false;
    const sending = channel.send(bytes('{"id":1,"method":"turn/start"}')).then(() => (isTaken = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isTaken).toBe(false);
    await toPhone();
    await sending;
  });

  it('follows a change of the scope in an open session', async () => {
    const { channel, toAgent, toPhone, setScope } = filtered('drive');
    await channel.send(bytes('{"id":1,"method":"turn/start"}'));
    expect(text(await toAgent())).toContain('turn/start');
    setScope('watch');
    void channel.send(bytes('{"id":2,"method":"turn/start"}'));
    expect(text(await toPhone())).toContain('may only watch');
    setScope('drive');
    await channel.send(bytes('{"id":3,"method":"turn/start"}'));
    expect(text(await toAgent())).toContain('"id":3');
  });

  it('ends with the agent, with its reason, and lets nobody wait', async () => {
    const { channel, agent, toPhone } = filtered('watch');
    const sending = channel.send(bytes('{"id":1,"method":"turn/start"}'));
    agent.close({ code: 'agent_exited', message: 'gone' });
    await sending;
    expect(text(await toPhone())).toContain('may only watch');
    expect(await toPhone()).toBeUndefined();
    expect((await channel.closed).code).toBe('agent_exited');
  });
});
