// What becomes of a phone that was away: with a whole daemon and the demo agent, which really acts.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentEvent, AgentSession, HostConnection } from '@heddle/client/node';
import { callControl } from '@heddle/control/client';
import { startDaemon } from '@heddle/daemon';
import { JsonRpcPeer } from '@heddle/rpc';
import type { Turn } from '@heddle/wire';
import { afterEach, describe, expect, it } from 'vitest';
import { type FlakyProxy, startFlakyProxy } from '../../support/flaky-proxy.ts';
import { startTestDaemon, type TestDaemon } from '../../support/test-daemon.ts';

const clientInfo = { name: 'test', version: '1' };
const toEnd: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of toEnd.splice(0).toReversed()) await end();
});

async function start(toml = ''): Promise<{ running: TestDaemon; proxy: FlakyProxy; phone: HostConnection }> {
  const running = await startTestDaemon({ toml: `[agents.codex]\nenabled = false\n${toml}` });
  toEnd.push(() => running.end());
  const payload = running.daemon.pairPayload();
  const proxy = await startFlakyProxy(Number(payload.addrs[0]?.split('/').at(-1)), { seed: 1 });
  toEnd.push(() => proxy.close());
  const phone = await running.dial([`/ip4/127.0.0.1/tcp/${proxy.port}`]);
  toEnd.push(() => phone.close());
  return { running, proxy, phone };
}

function listen(session: AgentSession) {
  const events: AgentEvent[] = [];
  void (async () => {
    for await (const event of session.events()) events.push(event);
  })();
  const waitFor = async <E extends AgentEvent>(fits: (event: AgentEvent) => event is E): Promise<E> => {
    await expect.poll(() => events.some(fits), { timeout: 15_000 }).toBe(true);
    return events.find(fits) as E;
  };
  return { events, waitFor };
}
type Completed = Extract<AgentEvent, { method: 'turn/completed' }>;
type Question = Extract<AgentEvent, { method: 'item/commandExecution/requestApproval' }>;
type Reset = Extract<AgentEvent, { kind: 'reset' }>;
const isCompleted = (event: AgentEvent): event is Completed => event.kind === 'notification' && event.method === 'turn/completed';
const isQuestion = (event: AgentEvent): event is Question =>
  event.kind === 'request' && event.method === 'item/commandExecution/requestApproval';
const isReset = (event: AgentEvent): event is Reset => event.kind === 'reset';
const ask = (session: AgentSession, threadId: string, words: string) =>
  session.request('turn/start', { threadId, input: [{ type: 'text', text: words }] });

describe('a phone that comes back', () => {
  it('answers a question that was asked long ago, and the command runs exactly once', { timeout: 60_000 }, async () => {
    const { running, proxy, phone } = await start('[limits]\ndetached_session_seconds = 1\n');
    const session = await phone.openAgent('demo', { clientInfo });
    const { thread } = await session.request('thread/start', {});
    const { waitFor, events } = listen(session);
    const marker = join(thread.cwd, 'marker.txt');
    await ask(session, thread.id, `command: echo once >> '${marker}'`);
    const question = await waitFor(isQuestion);
    // Gone for longer than the session may wait when nothing is open, and than a silent path is believed in.
    proxy.setSilent(true);
    proxy.cutAll();
    await new Promise((resolve) => setTimeout(resolve, 12_000));
    const sessions = async () => (await callControl(running.paths.controlSocket, 'status', {})).sessions;
    expect(await sessions()).toMatchObject([{ agent: 'demo', attached: false }]);
    proxy.setSilent(false);
    question.reply({ decision: 'accept' });
    const { params } = await waitFor(isCompleted);
    expect(await sessions()).toMatchObject([{ agent: 'demo', attached: true }]);
    expect(params.turn.status).toBe('completed');
    expect(readFileSync(marker, 'utf8')).toBe('once\n');
    expect(events.filter(isQuestion)).toHaveLength(1);
    expect(events.filter(isReset)).toEqual([]);
  });

  it('finds its turn finished when it was cut off in the middle of it', async () => {
    const { proxy, phone } = await start();
    const session = await phone.openAgent('demo', { clientInfo });
    const { thread } = await session.request('thread/start', {});
    const { waitFor, events } = listen(session);
    await ask(session, thread.id, 'slow 10');
    for (let n = 0; n < 5; n++) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      proxy.cutAll();
    }
    const { params } = await waitFor(isCompleted);
    const said = events
      .flatMap((event) => (event.kind === 'notification' && event.method === 'item/agentMessage/delta' ? [event.params.delta] : []))
      .join('');
    expect(params.turn.items).toMatchObject([{ type: 'agentMessage', text: said }]);
  });

  it('says `initialize` again, as phones do, and is answered as the first time', async () => {
    const { proxy, phone } = await start();
    const channel = await phone.openChannel('demo');
    const peer = new JsonRpcPeer(channel);
    const first = await peer.request('initialize', { clientInfo });
    await peer.notify('initialized');
    await expect(peer.request('initialize', { clientInfo })).rejects.toThrow('Already initialized'); // nothing was resumed yet
    proxy.cutAll();
    expect(await peer.request('initialize', { clientInfo })).toEqual(first);
    await peer.notify('initialized');
    expect(await peer.request('thread/list', {})).toMatchObject({ data: [] });
  });
});

describe('a daemon that is started anew under a client', () => {
  it('is found again: the client introduces itself, is told of the reset, and goes on', { timeout: 40_000 }, async () => {
    const { running, phone } = await start();
    const session = await phone.openAgent('demo', { clientInfo });
    const { thread } = await session.request('thread/start', {});
    const { waitFor } = listen(session);
    await running.daemon.stop();
    const again = await startDaemon({ paths: running.paths, version: '2', env: running.env });
    toEnd.push(() => again.stop());
    const reset = await waitFor(isReset);
    expect(reset.threads).toEqual([]); // the demo's threads live as long as its daemon
    await expect(session.request('thread/read', { threadId: thread.id })).rejects.toThrow(/not loaded|not found/);
    const next = await session.request('thread/start', {});
    const { turn } = await ask(session, next.thread.id, 'text: here again');
    await expect
      .poll(
        async () =>
          ((await session.request('thread/read', { threadId: next.thread.id, includeTurns: true })).thread.turns[0] as Turn).status,
      )
      .toBe('completed');
    expect(turn.id).not.toBe('');
  });

  it('is found again after it was killed, too', { timeout: 40_000 }, async () => {
    const { running, proxy, phone } = await start();
    const session = await phone.openAgent('demo', { clientInfo });
    const { waitFor } = listen(session);
    proxy.setSilent(true); // nothing of its end reaches the client, as when the power goes
    proxy.cutAll();
    await running.daemon.stop();
    const again = await startDaemon({ paths: running.paths, version: '2', env: running.env });
    toEnd.push(() => again.stop());
    proxy.setSilent(false);
    await waitFor(isReset);
    expect(await session.request('thread/list', {})).toMatchObject({ data: [] });
  });
});
