// The life of the real claude's processes and conversations: what is cut, what dies, what goes on elsewhere. Everything
// that the clients see is also held against the schema and the ordering rules.

import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { AgentSession, HostConnection } from '@heddle/client/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentPaths } from '../../scripts/install-agents.ts';
import { scenario } from '../conformance/stage.ts';
import { spoken } from '../conformance/scenarios/history.ts';
import { prompt } from '../model-server/script.ts';
import { type ClaudeDaemon, processes, startClaudeDaemon } from './support/claude-daemon.ts';
import { backgroundPrompt, subAgentPrompt } from './support/claude-prompts.ts';
import { claudeUnderTest } from './support/claude-under-test.ts';

const runFile = promisify(execFile);

let claude: ClaudeDaemon;
const phones: HostConnection[] = [];
beforeAll(async () => {
  claude = await startClaudeDaemon();
});
afterAll(async () => {
  for (const phone of phones) await phone.close();
  await claude.end();
});

async function connect() {
  const phone = await claude.dial();
  phones.push(phone);
  return phone.openChannel('claude');
}
const agent = () => claudeUnderTest({ connect, kill: () => claude.killClaudes(), modelServer: claude.modelServer });

const command = 'item/commandExecution/requestApproval';
const sleepers = (seconds: number) => processes().filter(({ args }) => args === `sleep ${seconds}`);

describe('an interrupt', () => {
  scenario(agent, 'while a command runs ends it and what it has started', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const turn = await client.startTurn(thread.id, stage.agent.prompts.command('(sleep 4711 &) ; touch begun ; sleep 4711'));
    (await client.question(command, turn.id)).answer({ decision: 'accept' });
    await expect.poll(() => sleepers(4711).length).toBe(2);
    await client.request('turn/interrupt', { threadId: thread.id, turnId: turn.id });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'interrupted', error: null });
    await expect.poll(() => sleepers(4711)).toEqual([]);
    expect(await client.runTurn(thread.id, stage.agent.prompts.text('Still here.'))).toMatchObject({ status: 'completed' });
  });

  scenario(agent, 'takes back what the user said meanwhile', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const slow = stage.agent.prompts.slow();
    const turn = await client.startTurn(thread.id, slow.prompt);
    await client.firstDelta(turn.id);
    const input = [{ type: 'text' as const, text: stage.agent.prompts.text('Never said.') }];
    await client.request('turn/steer', { threadId: thread.id, expectedTurnId: turn.id, input });
    await client.request('turn/interrupt', { threadId: thread.id, turnId: turn.id });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'interrupted' });
    slow.release();
    const next = await client.runTurn(thread.id, stage.agent.prompts.text('Going on.'));
    expect(next.items).toMatchObject([{ type: 'agentMessage', text: 'Going on.' }]);
    expect(claude.modelServer.requests.some(({ turns }) => turns.at(-1)?.text.includes('Never said.') === true)).toBe(false);
  });
});

describe('a steered message', () => {
  scenario(agent, 'while a command runs reaches the model with its result', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const turn = await client.startTurn(thread.id, stage.agent.prompts.command('touch begun; while [ ! -e go ]; do sleep 0.05; done'));
    (await client.question(command, turn.id)).answer({ decision: 'accept' });
    await expect.poll(() => existsSync(path.join(cwd, 'begun'))).toBe(true);
    const input = [{ type: 'text' as const, text: 'And think of the tests.' }];
    await client.request('turn/steer', { threadId: thread.id, expectedTurnId: turn.id, input });
    writeFileSync(path.join(cwd, 'go'), '');
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed' });
    await expect.poll(() => claude.transcriptOf(thread.id)).toContain('And think of the tests.');
    expect(claude.modelServer.requests.at(-1)?.turns.some(({ text }) => text.includes('And think of the tests.'))).toBe(true);
  });
});

describe('a killed claude', () => {
  scenario(agent, 'fails its turn at once, leaves no process, and the next turn knows the conversation', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    await client.runTurn(thread.id, stage.agent.prompts.text('Before.'));
    const turn = await client.startTurn(thread.id, stage.agent.prompts.command('touch begun; sleep 4712'));
    (await client.question(command, turn.id)).answer({ decision: 'accept' });
    await expect.poll(() => sleepers(4712).length).toBe(1);
    const killedAtMs = Date.now();
    await stage.agent.kill();
    const end = await client.turnEnd(turn.id);
    expect(end).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('SIGKILL') as string } });
    expect(Date.now() - killedAtMs).toBeLessThan(2_000);
    await expect.poll(() => sleepers(4712)).toEqual([]);
    const next = await client.runTurn(thread.id, stage.agent.prompts.text('After.'));
    expect(next.items).toMatchObject([{ type: 'agentMessage', text: 'After.' }]);
    expect(JSON.stringify(claude.modelServer.requests.at(-1)?.turns)).toContain('Before.');
  });
});

describe('a sub-agent', () => {
  scenario(agent, 'works in a thread of its own, and asks there', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const steps = [{ tools: [{ kind: 'shell' as const, command: 'echo from the sub-agent > sub.txt' }] }, { text: 'One file.' }];
    const turn = await client.startTurn(thread.id, subAgentPrompt(steps));
    const spawned = await client.notification('item/started', ({ item }) => item.type === 'collabAgentToolCall');
    const begun = await client.notification('turn/started', ({ threadId }) => threadId !== thread.id);
    const asked = await client.question(command, begun.turn.id);
    expect(asked.params.threadId).toBe(begun.threadId);
    asked.answer({ decision: 'accept' });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed' });
    expect(readFileSync(path.join(cwd, 'sub.txt'), 'utf8')).toBe('from the sub-agent\n');
    const done = client.seen('item/completed').find(({ item }) => item.id === spawned.item.id)?.item;
    expect(done).toMatchObject({ type: 'collabAgentToolCall', tool: 'spawnAgent', status: 'completed' });
    const inside = client.seen('item/completed').filter(({ threadId }) => threadId === begun.threadId);
    expect(inside.map(({ item }) => item.type)).toContain('commandExecution');
  });
});

describe('a command in the background', () => {
  scenario(agent, 'comes back in a turn that claude begins by itself', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const turn = await client.startTurn(thread.id, backgroundPrompt('touch begun; while [ ! -e go ]; do sleep 0.05; done'));
    (await client.question(command, turn.id)).answer({ decision: 'accept' });
    const end = await client.turnEnd(turn.id);
    expect(end.items.at(-1)).toMatchObject({ type: 'agentMessage', text: 'Started.' });
    writeFileSync(path.join(cwd, 'go'), '');
    const own = await client.notification('turn/completed', (params) => params.turn.id !== turn.id);
    expect(own.turn.items).toMatchObject([{ type: 'agentMessage', text: 'It has finished.' }]);
    await expect
      .poll(async () => {
        const read = await client.request('thread/read', { threadId: thread.id, includeTurns: true });
        return read.thread.turns.map(({ id }) => id);
      })
      .toEqual([turn.id, own.turn.id]);
  });
});

describe('a failing service', () => {
  scenario(agent, 'is shown as retries, then as the failure that it is', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const turn = await client.startTurn(thread.id, prompt('Fail.', { error: { status: 500 } }));
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'failed', error: { codexErrorInfo: 'internalServerError' } });
    expect(client.seen('error').map(({ willRetry }) => willRetry)).toEqual([true, false]);
  });
});

describe('a conversation', () => {
  scenario(agent, 'begun in a terminal goes on from a phone, and back', async (stage) => {
    const { env } = claude.claudeHome;
    const run = async (args: string[], say: string) => {
      const running = runFile(agentPaths().claude, ['-p', ...args, say], { cwd: stage.folder, env, timeout: 30_000 });
      running.child.stdin?.end(); // else it waits for more to be piped in
      return (await running).stdout;
    };
    expect(await run([], stage.agent.prompts.text('From the terminal.'))).toContain('From the terminal.');

    const client = await stage.connect('A');
    const { data } = await client.request('thread/list', { cwd: stage.folder });
    expect(data).toHaveLength(1);
    const [listed] = data;
    const threadId = listed?.id ?? '';
    const { thread } = await client.request('thread/resume', { threadId });
    expect(thread.resumeCommand).toBe(`cd ${stage.folder} && claude --resume ${threadId}`);
    expect(thread.turns.flatMap(({ items }) => spoken(items).map(([, who, text]) => [who, text.slice(0, 20)]))).toEqual([
      ['user', stage.agent.prompts.text('From the terminal.').slice(0, 20)],
      ['agent', 'From the terminal.'],
    ]);
    const turn = await client.runTurn(threadId, stage.agent.prompts.text('From the phone.'));
    expect(turn.items).toMatchObject([{ type: 'agentMessage', text: 'From the phone.' }]);

    // claude's transcript is written a moment after the answer.
    await expect.poll(() => claude.transcriptOf(threadId)).toContain('From the phone.');
    expect(await run(['--resume', threadId], stage.agent.prompts.text('Back again.'))).toContain('Back again.');
    expect(JSON.stringify(claude.modelServer.requests.at(-1)?.turns)).toContain('From the phone.');
    const read = await client.request('thread/read', { threadId, includeTurns: true });
    expect(read.thread.turns).toHaveLength(3);
  });
});

/** Begins a turn, and gives how it ended, or the first question in it. */
async function turnOver(session: AgentSession, begin: () => Promise<unknown>): Promise<string> {
  const over = (async () => {
    for await (const event of session.events()) {
      if (event.kind === 'request') return event.method;
      if (event.kind === 'notification' && event.method === 'turn/completed') return event.params.turn.status;
    }
    return 'the session ended';
  })();
  await begin();
  return over;
}

describe('full access', () => {
  it('is granted when host.toml allows it, and nothing is asked', async () => {
    const own = await startClaudeDaemon({ toml: 'allow_full_access = true\n', env: { IS_SANDBOX: '1' } });
    const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'heddle-claude-free-')));
    const phone = await own.dial();
    const session = await phone.openAgent('claude', { clientInfo: { name: 'test', version: '1' } });
    const { thread, approvalPolicy } = await session.request('thread/start', { cwd: folder, approvalPolicy: 'never' });
    expect(approvalPolicy).toBe('never');
    const text = prompt('Do it.', [{ tools: [{ kind: 'write', path: 'free.txt', content: 'free\n' }] }, { text: 'Done.' }]);
    const input = [{ type: 'text' as const, text }];
    expect(await turnOver(session, () => session.request('turn/start', { threadId: thread.id, input }))).toBe('completed');
    expect(readFileSync(path.join(folder, 'free.txt'), 'utf8')).toBe('free\n');
    session.close();
    await phone.close();
    await own.end();
    rmSync(folder, { recursive: true, force: true });
  });
});

describe('a daemon', () => {
  it('that was started anew goes on with the threads of the one before', async () => {
    const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'heddle-claude-anew-')));
    const say = (words: string) => [{ type: 'text' as const, text: prompt('Say it.', { text: words }) }];
    const clientInfo = { name: 'test', version: '1' };
    const first = await startClaudeDaemon({ beside: claude });
    const phone = await first.dial();
    const before = await phone.openAgent('claude', { clientInfo });
    const { thread } = await before.request('thread/start', { cwd: folder });
    await turnOver(before, () => before.request('turn/start', { threadId: thread.id, input: say('Before.') }));
    await first.end();
    await phone.close();

    const second = await startClaudeDaemon({ beside: claude });
    const again = await second.dial();
    const session = await again.openAgent('claude', { clientInfo });
    const listed = await session.request('thread/list', { cwd: folder });
    expect(listed.data.map(({ id }) => id)).toEqual([thread.id]);
    await session.request('thread/resume', { threadId: thread.id });
    const status = await turnOver(session, () => session.request('turn/start', { threadId: thread.id, input: say('After.') }));
    expect(status).toBe('completed');
    expect(JSON.stringify(claude.modelServer.requests.at(-1)?.turns)).toContain('Before.');
    session.close();
    await again.close();
    await second.end();
    rmSync(folder, { recursive: true, force: true });
  });

  it('that stops leaves no claude behind', async () => {
    const own = await startClaudeDaemon();
    const phone = await own.dial();
    const session = await phone.openAgent('claude', { clientInfo: { name: 'test', version: '1' } });
    const before = claude.claudePids();
    await session.request('thread/start', { cwd: tmpdir() });
    const pids = own.claudePids().filter((pid) => !before.includes(pid));
    expect(pids).toHaveLength(1);
    await own.end();
    expect(processes().filter(({ pid }) => pids.includes(pid))).toEqual([]);
    await phone.close();
  });
});
