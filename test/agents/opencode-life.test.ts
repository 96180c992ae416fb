// The life of the real opencode's server and sessions: retries, compactions, gaps in its events, servers of somebody
// else's. Everything that the clients see is also held against the schema and the ordering rules.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConformanceClient } from '../conformance/client.ts';
import { Recording } from '../conformance/recording.ts';
import { spoken, threadWithAnswers } from '../conformance/scenarios/history.ts';
import { scenario } from '../conformance/stage.ts';
import { prompt } from '../model-server/script.ts';
import { type FlakyProxy, startFlakyProxy } from '../support/flaky-proxy.ts';
import { type AgentDaemon, prepareAgent, startAgentDaemon } from './support/agent-daemon.ts';
import { subAgentPrompt } from './support/opencode-prompts.ts';
import { type OpencodeServer, startOpencodeServer } from './support/opencode-server.ts';
import { makeRealOpencode, type RealOpencode } from './support/real-opencode.ts';

const command = 'item/commandExecution/requestApproval';

describe('a server of heddle’s own', () => {
  const commands = { greet: { template: 'Greet $ARGUMENTS', description: 'Greets somebody.' } };
  const prepared = prepareAgent(() => makeRealOpencode({ config: { command: commands } }));
  const agent = () => prepared().daemon.underTest();

  scenario(agent, 'a failing service is shown as a retry, and the answer that then comes is the answer', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const text = prompt('Fail once.', { error: { status: 500, times: 1 }, text: 'Well again.' });
    const turn = await client.runTurn(thread.id, text);
    expect(turn).toMatchObject({ status: 'completed', items: [{ text: 'Well again.' }] });
    expect(client.seen('error').map(({ willRetry }) => willRetry)).toEqual([true]);
  });

  scenario(agent, 'an interrupt ends the waiting for a retry', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const turn = await client.startTurn(thread.id, prompt('Fail.', { error: { status: 500 } }));
    await client.notification('error', ({ willRetry }) => willRetry);
    await client.request('turn/interrupt', { threadId: thread.id, turnId: turn.id });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'interrupted', error: null });
    expect(await client.runTurn(thread.id, stage.agent.prompts.text('Still here.'))).toMatchObject({ status: 'completed' });
  });

  scenario(agent, 'an answer that breaks off is asked for again, and shown once more', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const turn = await client.runTurn(thread.id, prompt('Cut.', { text: 'All of it.', cut: { times: 1 } }));
    expect(turn).toMatchObject({ status: 'completed', items: [{ text: 'All of it.' }] });
    expect(client.seen('error').map(({ willRetry }) => willRetry)).toEqual([true]);
  });

  scenario(agent, 'a model that is not there fails the turn, and not the next one', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const start = (model: string, text: string) =>
      client.request('turn/start', { threadId: thread.id, input: [{ type: 'text', text }], model });
    const failed = await client.turnEnd((await start('fake/none', 'Hello.')).turn.id);
    expect(failed).toMatchObject({ status: 'failed', error: { message: 'Model not found: fake/none.', codexErrorInfo: 'badRequest' } });
    const next = await start('fake/fake-2', stage.agent.prompts.text('Well again.'));
    expect(await client.turnEnd(next.turn.id)).toMatchObject({ status: 'completed', items: [{ text: 'Well again.' }] });
    expect(prepared().agent.modelServer.requests.at(-1)?.model).toBe('fake-2');
  });

  scenario(agent, 'a compaction is a turn of its own, live and when it is read back', async (stage) => {
    const client = await stage.connect('A');
    const { id, turns } = await threadWithAnswers(stage, client, ['One.', 'Two.']);
    await client.request('thread/compact/start', { threadId: id });
    const done = await client.notification('turn/completed', ({ turn }) => !turns.some((each) => each.id === turn.id));
    expect(done.turn.status).toBe('completed');
    expect(client.completedItems(done.turn.id).map(({ type }) => type)).toEqual(['contextCompaction']);
    const next = await client.runTurn(id, stage.agent.prompts.text('Three.'));
    await client.request('thread/archive', { threadId: id }); // takes it out of memory
    await client.request('thread/unarchive', { threadId: id });
    const { thread } = await client.request('thread/read', { threadId: id, includeTurns: true });
    expect(thread.turns.map((turn) => [turn.id, turn.status])).toEqual([
      ...turns.map((turn) => [turn.id, 'completed']),
      [done.turn.id, 'completed'],
      [next.id, 'completed'],
    ]);
  });

  scenario(agent, 'what was taken back is brought back, until something is said; files stay as they are', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const one = await client.runTurn(thread.id, stage.agent.prompts.text('One.'));
    const add = await client.startTurn(thread.id, stage.agent.prompts.addFile());
    (await client.question('item/fileChange/requestApproval', add.id)).answer({ decision: 'accept' });
    await client.turnEnd(add.id);
    // Not codex's, so it has no place among what is held against codex's schema.
    const aside = new ConformanceClient(await prepared().daemon.connect(), new Recording(), 'aside');
    await aside.initialize();
    const read = async () => {
      const answer = await client.request('thread/read', { threadId: thread.id, includeTurns: true });
      return answer.thread.turns.map(({ id }) => id);
    };
    await client.request('thread/revert', { threadId: thread.id, beforeTurnId: add.id });
    expect(await read()).toEqual([one.id]);
    expect(existsSync(path.join(cwd, 'notes.txt'))).toBe(true);
    await aside.rawRequest('thread/unrevert', { threadId: thread.id });
    expect(await read()).toEqual([one.id, add.id]);
    await client.request('thread/revert', { threadId: thread.id, beforeTurnId: add.id });
    const other = await client.runTurn(thread.id, stage.agent.prompts.text('Another two.'));
    expect(await read()).toEqual([one.id, other.id]);
    expect((await aside.refusal('thread/unrevert', { threadId: thread.id })).message).toContain('nothing to bring back');
    aside.close();
    expect(JSON.stringify(prepared().agent.modelServer.requests.at(-1)?.turns)).not.toContain('notes.txt');
  });

  scenario(agent, 'slash commands are listed and run', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const { data } = await client.request('skills/list', { cwds: [cwd] });
    expect(data[0]?.skills).toContainEqual(expect.objectContaining({ name: 'greet', description: 'Greets somebody.' }));
    const turn = await client.runTurn(thread.id, `/greet ${prompt('Ada.', { text: 'Hello, Ada.' })}`);
    expect(turn).toMatchObject({ status: 'completed', items: [{ text: 'Hello, Ada.' }] });
    expect(prepared().agent.modelServer.requests.at(-1)?.turns.at(-1)?.text).toContain('Greet Ada.');
  });

  scenario(agent, 'MCP servers are told with their state, and their tools ask', async (stage) => {
    const server = fileURLToPath(new URL('support/mcp-server.ts', import.meta.url));
    const mcp = {
      docs: { type: 'local', command: [process.execPath, server], enabled: true },
      gone: { type: 'local', command: ['no-such-program-here'], enabled: true },
    };
    writeFileSync(path.join(stage.folder, 'opencode.json'), JSON.stringify({ mcp }));
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const list = async () => (await client.request('mcpServerStatus/list', { threadId: thread.id })).data;
    await expect
      .poll(async () => (await list()).map(({ name, runtimeStatus }) => [name, runtimeStatus]))
      .toEqual([
        ['docs', 'connected'],
        ['gone', 'failed'],
      ]);
    const text = prompt('Use it.', [{ tools: [{ kind: 'call', name: 'docs_look', input: { word: 'word' } }] }, { text: 'Looked up.' }]);
    const turn = await client.startTurn(thread.id, text);
    const question = await client.question(command, turn.id);
    expect(question.params.command).toBe(`docs_look '{"word":"word"}'`);
    question.answer({ decision: 'accept' });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed' });
    expect(client.completedItems(turn.id)).toContainEqual(
      expect.objectContaining({
        type: 'mcpToolCall',
        server: 'docs',
        tool: 'look',
        status: 'completed',
        result: expect.objectContaining({ content: [{ type: 'text', text: 'A word is a word.' }] }) as unknown,
      }),
    );

    // A sub-agent would use them without being asked about it.
    const delegated = await client.startTurn(thread.id, subAgentPrompt([{ text: 'Never said.' }]));
    const start = await client.question(command, delegated.id);
    expect(start.params.reason).toBe('It starts a sub-agent, which may act without asking here.');
    start.answer({ decision: 'decline' });
    expect(await client.turnEnd(delegated.id)).toMatchObject({ status: 'completed' });
    expect(client.seen('turn/started').filter(({ threadId }) => threadId !== thread.id)).toEqual([]);
  });

  it('tells nobody its keys', async () => {
    const phone = await prepared().daemon.dial();
    const session = await phone.openAgent('opencode', { clientInfo: { name: 'test', version: '1' } });
    const said = [
      await session.request('config/read', {}),
      await session.request('model/list', {}),
      await session.request('account/read', {}),
    ];
    expect(JSON.stringify(said)).not.toContain('scripted');
    session.close();
    await phone.close();
    const { logDir } = prepared().daemon.paths;
    const log = readdirSync(logDir).map((name) => readFileSync(path.join(logDir, name), 'utf8'));
    expect(log.join('')).toContain('process started');
    expect(log.join('')).not.toMatch(/apiKey|OPENCODE_SERVER_PASSWORD=|Basic /);
  });
});

describe('a server of somebody else’s', () => {
  let opencode: RealOpencode;
  let server: OpencodeServer;
  let proxy: FlakyProxy;
  let daemon: AgentDaemon;
  beforeAll(async () => {
    opencode = await makeRealOpencode();
    server = await startOpencodeServer(opencode.env);
    proxy = await startFlakyProxy(Number(new URL(server.url).port), { seed: 1 });
    daemon = await startAgentDaemon(opencode, {
      toml: `server = "http://127.0.0.1:${proxy.port}"\nserver_password = "${server.password}"\n`,
    });
  });
  afterAll(async () => {
    await daemon.end();
    await proxy.close();
    await server.end();
    await opencode.end();
  });
  const agent = () => daemon.underTest();

  scenario(agent, 'asks as one of heddle’s own does', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const turn = await client.startTurn(thread.id, stage.agent.prompts.command('touch asked.txt'));
    const question = await client.question(command, turn.id);
    expect(existsSync(path.join(cwd, 'asked.txt'))).toBe(false);
    question.answer({ decision: 'accept' });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed' });
    expect(daemon.agentPids()).toEqual([]);
  });

  scenario(agent, 'a sub-agent there would not ask, so its start is asked about', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const steps = [{ tools: [{ kind: 'shell' as const, command: 'touch sub.txt' }] }, { text: 'One file.' }];
    const declined = await client.startTurn(thread.id, subAgentPrompt(steps));
    const question = await client.question(command, declined.id);
    expect(question.params).toMatchObject({ reason: 'It starts a sub-agent, which may act without asking here.' });
    question.answer({ decision: 'decline' });
    expect(await client.turnEnd(declined.id)).toMatchObject({ status: 'completed' });
    expect(existsSync(path.join(cwd, 'sub.txt'))).toBe(false);
    const accepted = await client.startTurn(thread.id, subAgentPrompt(steps));
    (await client.question(command, accepted.id)).answer({ decision: 'accept' });
    expect(await client.turnEnd(accepted.id)).toMatchObject({ status: 'completed', items: [{ text: 'Delegated.' }] });
    expect(existsSync(path.join(cwd, 'sub.txt'))).toBe(true);
  });

  scenario(agent, 'its events are cut while an answer streams: nothing is missing, nothing is there twice', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const gates = ['cut-one', 'cut-two', 'cut-three'];
    const parts = [
      'First, ',
      { wait: gates[0] ?? '' },
      'then, ',
      { wait: gates[1] ?? '' },
      'and then, ',
      { wait: gates[2] ?? '' },
      'last.',
    ];
    const turn = await client.startTurn(thread.id, prompt('Slowly.', { text: parts }));
    await client.firstDelta(turn.id);
    for (const gate of gates) {
      await opencode.modelServer.reached(gate);
      proxy.cutAll();
      opencode.modelServer.release(gate);
    }
    const end = await client.turnEnd(turn.id);
    expect(end).toMatchObject({ status: 'completed', items: [{ text: 'First, then, and then, last.' }] });
    expect(client.completedItems(turn.id).map(({ type }) => type)).toEqual(['userMessage', 'agentMessage']);
    const streamed = client
      .seen('item/agentMessage/delta')
      .map(({ delta }) => delta)
      .join('');
    expect('First, then, and then, last.'.startsWith(streamed)).toBe(true);
  });

  scenario(agent, 'a question that comes while nothing is heard is asked, and a turn that ends meanwhile has ended', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const text = prompt('Wait, then run.', [
      { wait: 'before-command', tools: [{ kind: 'shell', command: 'echo ran > ran.txt' }] },
      { wait: 'before-end', text: 'It ran.' },
    ]);
    const turn = await client.startTurn(thread.id, text);
    await opencode.modelServer.reached('before-command');
    proxy.setSilent(true);
    proxy.cutAll();
    opencode.modelServer.release('before-command');
    await expect.poll(async () => (await server.pendingPermissions(cwd)).length).toBe(1);
    proxy.setSilent(false);
    (await client.question(command, turn.id)).answer({ decision: 'accept' });
    await opencode.modelServer.reached('before-end');
    expect(existsSync(path.join(cwd, 'ran.txt'))).toBe(true);
    proxy.setSilent(true);
    proxy.cutAll();
    opencode.modelServer.release('before-end');
    await expect.poll(() => server.isAtRest(cwd)).toBe(true);
    proxy.setSilent(false);
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed', items: [{ text: 'It ran.' }] });
  });

  scenario(agent, 'a turn that somebody else begins in a loaded thread is followed', async (stage) => {
    const client = await stage.connect('A');
    const { id, turns, cwd } = await threadWithAnswers(stage, client, ['One.']);
    await server.say(cwd, stage.agent.prompts.text('Said elsewhere.'));
    const done = await client.notification('turn/completed', ({ turn }) => turn.id !== turns[0]?.id);
    expect(done.turn).toMatchObject({ status: 'completed', items: [{ text: 'Said elsewhere.' }] });
    expect(spoken(client.completedItems(done.turn.id)).map(([, who]) => who)).toEqual(['user', 'agent']);
    const { thread } = await client.request('thread/read', { threadId: id, includeTurns: true });
    expect(thread.turns.map((turn) => turn.id)).toEqual([turns[0]?.id, done.turn.id]);
  });
});
