import type { RunningTurn } from '@heddle/bridge-kit';
import { describe, expect } from 'vitest';
import { answer, say, work } from './fake-agent.ts';
import { hubTest, usedThread } from './hub-stage.ts';

const input = (text: string) => [{ type: 'text' as const, text }];

describe('settings', () => {
  hubTest('wishes reach the agent, and what is in force is told before the turn is answered', async (stage) => {
    const client = await stage.connect();
    const config = { model_reasoning_effort: 'high' };
    const started = await client.request('thread/start', {
      cwd: '/srv',
      model: 'big',
      approvalPolicy: 'never',
      sandbox: 'workspace-write',
      config,
    } as never);
    expect(started).toMatchObject({
      model: 'big',
      reasoningEffort: 'high',
      approvalPolicy: 'untrusted',
      sandbox: { type: 'dangerFullAccess' },
      cwd: '/srv',
    });
    const wanted = { cwd: '/srv', model: 'big', effort: 'high', approvalPolicy: 'never', sandbox: 'workspace-write' };
    expect(stage.agent.calls).toEqual([`create ${JSON.stringify(wanted)}`]);
    const since = stage.recording.entries.length;
    const { turn } = await client.request('turn/start', {
      threadId: started.thread.id,
      input: input('hello'),
      model: 'big', // as it is
      sandboxPolicy: { type: 'dangerFullAccess' }, // as it is
      collaborationMode: { mode: 'plan', settings: { model: 'small', reasoning_effort: null, developer_instructions: 'Be brief.' } },
    });
    await client.turnEnd(turn.id);
    expect(stage.agent.calls.at(-1)).toBe(`change ${JSON.stringify({ model: 'small', mode: 'plan', developerInstructions: 'Be brief.' })}`);
    expect(
      stage
        .told('A', since)
        .filter((one) => !one.startsWith('thread/started'))
        .slice(0, 3),
    ).toEqual(['thread/settings/updated', '= 3', 'status active']);
    expect(client.seen('thread/settings/updated')).toMatchObject([
      {
        threadId: started.thread.id,
        threadSettings: { model: 'small', effort: 'high', collaborationMode: { mode: 'plan' }, approvalPolicy: 'untrusted' },
      },
    ]);
    await client.request('thread/settings/update', { threadId: started.thread.id, effort: 'low' });
    expect(client.seen('thread/settings/updated').at(-1)?.threadSettings.effort).toBe('low');
    const relative = await client.refusal('thread/start', { cwd: 'here' });
    expect(relative.message).toContain('must be an absolute path');
  });

  hubTest('an agent changes its mode by itself, and says what to type in a terminal', async (stage) => {
    const client = await stage.connect();
    const thread = await usedThread(client, 'hello');
    const settings = stage.agent.settings.get(thread.id);
    if (settings === undefined) throw new Error('no settings');
    stage.agent.hub.settingsChanged(thread.id, { ...settings, mode: 'plan' });
    stage.agent.hub.settingsChanged(thread.id, { ...settings, mode: 'plan' });
    const resumed = await client.request('thread/resume', { threadId: thread.id });
    expect(client.seen('thread/settings/updated').map(({ threadSettings }) => threadSettings.collaborationMode.mode)).toEqual(['plan']);
    expect(resumed.collaborationMode?.mode).toBe('plan');
    expect(resumed.thread.resumeCommand).toBe(`cd /srv && fake --resume ${thread.id}`);
  });

  hubTest('only clients that asked for experimental things hear of changed settings', async (stage) => {
    const client = await stage.connect();
    const thread = await usedThread(client, 'hello');
    const plain = await stage.open('B');
    await plain.rawRequest('initialize', { clientInfo: { name: 'plain', version: '1' } });
    await plain.rawRequest('thread/resume', { threadId: thread.id });
    expect((await plain.refusal('thread/settings/update', { threadId: thread.id })).message).toContain('requires experimentalApi');
    await client.request('thread/settings/update', { threadId: thread.id, model: 'big' });
    await plain.rawRequest('thread/loaded/list', {});
    expect(client.seen('thread/settings/updated')).toHaveLength(1);
    expect(plain.seen('thread/settings/updated')).toEqual([]);
  });
});

describe('taking back, copying, shortening', () => {
  hubTest(
    'a rollback drops the last turns, here and in the store',
    async (stage) => {
      const client = await stage.connect();
      const thread = await usedThread(client, 'one', 'two', 'three');
      const [one, two] = stage.store.turnIds(thread.id);
      const { thread: after } = (await client.rawRequest('thread/rollback', { threadId: thread.id, numTurns: 2 })) as {
        thread: { turns: { id: string }[] };
      };
      expect(after.turns.map(({ id }) => id)).toEqual([one]);
      expect(stage.agent.calls.at(-1)).toBe(`revert ${two}`);
      expect(await client.notification('thread/reverted')).toEqual({ threadId: thread.id });
      expect((await client.refusal('thread/rollback', { threadId: thread.id, numTurns: 0 })).message).toContain('numTurns');
      expect((await client.refusal('thread/rollback', { threadId: 'nowhere', numTurns: 1 })).message).toBe('thread not found: nowhere');
    },
    ['thread/rollback'],
  );

  hubTest(
    'what was taken back is brought back, once',
    async (stage) => {
      const client = await stage.connect();
      const thread = await usedThread(client, 'one', 'two');
      const [one, two] = stage.store.turnIds(thread.id) as [string, string];
      await client.request('thread/revert', { threadId: thread.id, beforeTurnId: two });
      const back = (await client.rawRequest('thread/unrevert', { threadId: thread.id })) as { thread: { turns: { id: string }[] } };
      expect(back.thread.turns.map(({ id }) => id)).toEqual([one, two]);
      expect((await client.refusal('thread/unrevert', { threadId: thread.id })).message).toBe('nothing was taken back');
      expect(client.seen('thread/reverted')).toHaveLength(2);
      delete stage.agent.unrevertThread;
      expect((await client.refusal('thread/unrevert', { threadId: thread.id })).message).toBe("fake can't bring back what was taken back");
    },
    ['thread/unrevert'],
  );

  hubTest('a revert says where to read on, and not while a turn runs', async (stage) => {
    const client = await stage.connect();
    stage.agent.acts.set('wait', work);
    const thread = await usedThread(client, 'one', 'two');
    const [one, two] = stage.store.turnIds(thread.id) as [string, string];
    const running = await client.startTurn(thread.id, 'wait');
    const revert = { threadId: thread.id, beforeTurnId: two };
    expect((await client.refusal('thread/revert', revert)).message).toContain('a turn runs in thread');
    expect((await client.refusal('thread/fork', { threadId: thread.id })).message).toContain('a turn runs in thread');
    expect((await client.refusal('thread/compact/start', { threadId: thread.id })).message).toContain('a turn runs in thread');
    await client.request('turn/interrupt', { threadId: thread.id, turnId: running.id });
    await client.turnEnd(running.id);
    const reverted = await client.request('thread/revert', revert);
    expect(reverted.thread.turns).toEqual([]);
    const rest = await client.request('thread/turns/list', { threadId: thread.id, cursor: reverted.turnsBackwardsCursor });
    expect(rest.data.map(({ id }) => id)).toEqual([one]);
    const items = await client.request('thread/items/list', {
      threadId: thread.id,
      cursor: reverted.itemsBackwardsCursor,
      sortDirection: 'desc',
    });
    expect(items.data.map(({ item }) => item.type)).toEqual(['agentMessage', 'userMessage']);
  });

  hubTest('a copy ends where it was asked to', async (stage) => {
    const client = await stage.connect();
    const thread = await usedThread(client, 'one', 'two');
    const [one, two] = stage.store.turnIds(thread.id) as [string, string];
    const copy = async (params: object) => (await client.request('thread/fork', { threadId: thread.id, ...params })).thread;
    const whole = await copy({ lastTurnId: two });
    expect([whole.forkedFromId, whole.preview, whole.turns.map(({ id }) => id)]).toEqual([thread.id, 'one', [one, two]]);
    expect((await copy({ lastTurnId: one })).turns.map(({ id }) => id)).toEqual([one]);
    expect((await copy({ beforeTurnId: one })).turns).toEqual([]);
    expect(stage.agent.calls.filter((call) => call.startsWith('fork'))).toEqual(['fork all', `fork ${two}`, `fork ${one}`]);
    await client.runTurn(whole.id, 'three');
    expect(stage.store.turnIds(thread.id)).toHaveLength(2);
  });

  hubTest('shortening is a turn of its own', async (stage) => {
    const client = await stage.connect();
    const thread = await usedThread(client, 'one');
    const since = stage.recording.entries.length;
    stage.agent.compact = async (turn: RunningTurn) => {
      turn.apply({ type: 'itemStarted', item: { type: 'contextCompaction', id: 'k' } });
      turn.apply({ type: 'itemCompleted', itemId: 'k' });
      turn.apply({
        type: 'responseEnded',
        usage: { inputTokens: 1, outputTokens: 0, reasoningOutputTokens: 0, cachedInputTokens: 0, cacheWriteInputTokens: 0 },
        contextWindow: null,
      });
      return Promise.resolve();
    };
    await client.request('thread/compact/start', { threadId: thread.id });
    await client.notification('turn/completed', ({ turn }) => turn.id !== stage.store.turnIds(thread.id)[0]);
    expect(stage.told('A', since).slice(1, 5)).toEqual(['status active', 'turn/started', '+ contextCompaction', '- contextCompaction']);
  });

  hubTest('what an agent can not do it says so', async (stage) => {
    const client = await stage.connect();
    const thread = await usedThread(client, 'one');
    Object.assign(stage.agent, { forkThread: undefined, revertThread: undefined, compact: undefined });
    const refused = async (method: string, params: object = {}) =>
      (await client.refusal(method, { threadId: thread.id, ...params })).message;
    expect(await refused('thread/fork')).toBe("fake can't copy a thread");
    expect(await refused('thread/revert', { beforeTurnId: stage.store.turnIds(thread.id)[0] })).toBe("fake can't take a conversation back");
    expect(await refused('thread/compact/start')).toBe("fake can't shorten a conversation");
    expect((await client.refusal('thread/goal/set', { threadId: thread.id })).code).toBe(-32601);
    expect(await client.request('thread/goal/get', { threadId: thread.id })).toEqual({ goal: null });
  });
});

describe('messages that wait', () => {
  hubTest('a queue is said in its order, one turn each, after the turn that runs', async (stage) => {
    const client = await stage.connect();
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    stage.agent.acts.set('slow', async (turn, text) => {
      await gate;
      await answer(turn, text);
    });
    const { thread } = await client.startThread({ cwd: '/srv' });
    const { id: threadId } = thread;
    const first = await client.startTurn(threadId, 'slow');
    const add = async (text: string) =>
      (await client.request('thread/queue/add', { threadId, input: input(text), clientUserMessageId: text })).queuedSubmission.id;
    const [a, b, c] = [await add('a'), await add('b'), await add('c')];
    await client.request('thread/queue/update', { threadId, queuedSubmissionId: a, input: input('a, better') });
    expect(await client.request('thread/queue/delete', { threadId, queuedSubmissionId: b })).toEqual({ deleted: true });
    expect(await client.request('thread/queue/delete', { threadId, queuedSubmissionId: b })).toEqual({ deleted: false });
    await client.request('thread/queue/reorder', { threadId, queuedSubmissionIds: [c, a] });
    expect((await client.refusal('thread/queue/reorder', { threadId, queuedSubmissionIds: [c] })).message).toContain('each once');
    expect((await client.request('thread/queue/list', { threadId })).data.map(({ id }) => id)).toEqual([c, a]);
    expect(client.seen('thread/queue/changed')).toHaveLength(6);
    open();
    await client.turnEnd(first.id);
    await client.notification('turn/completed', ({ turn }) =>
      turn.items.some((item) => item.type === 'agentMessage' && item.text === 'a, better'),
    );
    const { turns } = (await client.request('thread/read', { threadId, includeTurns: true })).thread;
    expect(turns.map(({ items: [said] }) => (said?.type === 'userMessage' ? [said.clientId, said.content[0]] : said))).toMatchObject([
      [null, { text: 'slow' }],
      ['c', { text: 'c' }],
      ['a', { text: 'a, better' }],
    ]);
    expect((await client.request('thread/queue/list', { threadId })).data).toEqual([]);
  });

  hubTest('after an interrupted turn the queue waits for a word', async (stage) => {
    const client = await stage.connect();
    stage.agent.acts.set('wait', work);
    const { id: threadId } = (await client.startThread({ cwd: '/srv' })).thread;
    const first = await client.startTurn(threadId, 'wait');
    await client.request('thread/queue/add', { threadId, input: input('next'), clientUserMessageId: 'n' });
    expect((await client.refusal('thread/queue/start', { threadId })).message).toContain('a turn runs');
    await client.request('turn/interrupt', { threadId, turnId: first.id });
    await client.turnEnd(first.id);
    expect((await client.request('thread/queue/list', { threadId })).data).toHaveLength(1);
    const { turn } = await client.request('thread/queue/start', { threadId });
    expect((await client.turnEnd(turn.id)).items).toMatchObject([{ text: 'next' }]);
    expect((await client.refusal('thread/queue/start', { threadId })).message).toBe('nothing is queued');
  });

  hubTest('a request that comes again under its id is not done again', async (stage) => {
    const client = await stage.connect();
    const { id: threadId } = (await client.startThread({ cwd: '/srv' })).thread;
    const send = (message: object) => client.channel.send(new TextEncoder().encode(JSON.stringify(message)));
    const request = { id: 'same', method: 'turn/start', params: { threadId, input: input('once') } };
    await Promise.all([send(request), send(request)]);
    await client.notification('turn/completed');
    await send(request);
    await client.request('thread/loaded/list', {});
    expect(stage.store.turnIds(threadId)).toHaveLength(1);
    await send({ ...request, params: { threadId, input: input('other') } });
    await expect.poll(() => stage.store.turnIds(threadId).length).toBe(2);
    await client.notification('turn/completed', ({ turn }) => turn.id === stage.store.turnIds(threadId)[1]);
  });
});

describe('a turn that the agent begins by itself', () => {
  hubTest('waits for the one that runs, has the id it was given, and can be steered', async (stage) => {
    const client = await stage.connect();
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    stage.agent.acts.set('slow', async (turn, text) => {
      await gate;
      await answer(turn, text);
    });
    const { id: threadId } = (await client.startThread({ cwd: '/srv' })).thread;
    const first = await client.startTurn(threadId, 'slow');
    const { promise: said, resolve: heard } = Promise.withResolvers<void>();
    const own = stage.agent.hub.beginOwnTurn(threadId, 'own-turn', async (turn) => {
      const stop = turn.onMessage(heard);
      await said;
      stop();
      await say(turn, 'own-message', 'a task came back');
    });
    open();
    await client.turnEnd(first.id);
    await client.notification('turn/started', ({ turn }) => turn.id === 'own-turn');
    expect((await client.startTurn(threadId, 'and this')).id).toBe('own-turn');
    await own;
    const end = await client.turnEnd('own-turn');
    expect(end.status).toBe('completed');
    expect(client.completedItems('own-turn').map((item) => item.type)).toEqual(['agentMessage', 'userMessage', 'agentMessage']);
    await stage.agent.hub.beginOwnTurn('not loaded', 'x', () => Promise.reject(new Error('nobody asks')));
  });
});

describe('what an agent says of itself', () => {
  hubTest('its MCP servers, in the folder of a thread', async (stage) => {
    const client = await stage.connect();
    const { thread } = await client.startThread({ cwd: '/srv' });
    stage.agent.servers = [
      { name: 'docs', status: 'connected', error: null, tools: [{ name: 'look', description: 'Looks.' }] },
      { name: 'mail', status: 'authenticationRequired', error: 'log in first', tools: [] },
    ];
    const all = await client.request('mcpServerStatus/list', { threadId: thread.id });
    expect(all.data.map(({ name, runtimeStatus, authStatus, toolsError }) => [name, runtimeStatus, authStatus, toolsError])).toEqual([
      ['docs', 'connected', 'unknown', null],
      ['mail', 'authenticationRequired', 'notLoggedIn', 'log in first'],
    ]);
    expect(all.data[0]?.tools).toEqual({ look: { name: 'look', description: 'Looks.', inputSchema: { type: 'object' } } });
    const one = await client.request('mcpServerStatus/list', { serverName: 'mail' });
    expect(one.data.map(({ name }) => name)).toEqual(['mail']);
    expect(stage.agent.calls.filter((call) => call.startsWith('mcp'))).toEqual(['mcp /srv', 'mcp anywhere']);
  });

  hubTest('models in pages, skills, modes', async (stage) => {
    const client = await stage.connect();
    const first = await client.request('model/list', { limit: 1 });
    expect(first.data.map(({ id }) => id)).toEqual(['small']);
    expect((await client.request('model/list', { cursor: first.nextCursor })).data.map(({ id }) => id)).toEqual(['big']);
    expect((await client.request('model/list', { includeHidden: true })).data).toHaveLength(3);
    expect((await client.request('skills/list', { cwds: ['/srv'] })).data).toEqual([
      { cwd: '/srv', skills: [{ name: 'sew', description: 'Sews.', path: '/srv/sew.md', scope: 'user', enabled: true }], errors: [] },
    ]);
    expect((await client.request('collaborationMode/list', {})).data.map(({ mode }) => mode)).toEqual(['default', 'plan']);
    expect((await client.request('config/read', {})).config).toEqual({ model: 'small', model_provider: 'fake' });
    await client.request('account/read', {});
    await client.request('hooks/list', { cwds: ['/srv'] });
    await client.request('configRequirements/read', undefined);
    expect(
      (await client.refusal('turn/start', { threadId: 'x', input: [{ type: 'image', url: 'x'.repeat(11_000_000) }] })).message,
    ).toContain('too large');
    expect((await client.refusal('turn/start', { threadId: 'x', input: [{ type: 'localImage', path: 'a.png' }] })).message).toContain(
      'must be absolute',
    );
  });
});
