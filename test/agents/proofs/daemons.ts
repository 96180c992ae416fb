// Proofs: what a daemon grants by the word of host.toml, what one that is started anew knows, and what is left of one that
// has stopped.

import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { AgentSession } from '@heddle/client/node';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { prompt } from '../../model-server/script.ts';
import { type AgentDaemon, processes, startAgentDaemon } from '../support/agent-daemon.ts';
import type { Proven } from './proofs.ts';

const clientInfo = { name: 'test', version: '1' };

export function defineDaemons(proven: () => Proven): void {
  let folder: string;
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'heddle-proofs-')));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const openAgent = async (daemon: AgentDaemon) => {
    const phone = await daemon.dial();
    const session = await phone.openAgent(proven().agent.name, { clientInfo });
    return { phone, session };
  };

  it('grants full access when host.toml allows it, and nothing is asked', async () => {
    const { agent } = proven();
    const own = await startAgentDaemon(agent, { toml: 'allow_full_access = true\n', env: agent.fullAccessEnv ?? {} });
    const { phone, session } = await openAgent(own);
    const { thread, approvalPolicy } = await session.request('thread/start', { cwd: folder, approvalPolicy: 'never' });
    expect(approvalPolicy).toBe('never');
    const tools = [
      { kind: 'write' as const, path: 'free.txt', content: 'free\n' },
      { kind: 'shell' as const, command: 'echo ran > ran.txt' },
    ];
    expect(await turnOver(session, thread.id, prompt('Do it.', [{ tools }, { text: 'Done.' }]))).toBe('completed');
    expect(readFileSync(path.join(folder, 'free.txt'), 'utf8')).toBe('free\n');
    expect(readFileSync(path.join(folder, 'ran.txt'), 'utf8')).toBe('ran\n');
    session.close();
    await phone.close();
    await own.end();
  });

  it('that was started anew goes on with the threads of the one before', async () => {
    const { agent } = proven();
    const first = await startAgentDaemon(agent);
    const before = await openAgent(first);
    const { thread } = await before.session.request('thread/start', { cwd: folder });
    await turnOver(before.session, thread.id, prompt('Say it.', { text: 'Before.' }));
    const asRun = await before.session.request('thread/read', { threadId: thread.id, includeTurns: true });
    await before.phone.close();
    await first.end();

    const second = await startAgentDaemon(agent);
    const { phone, session } = await openAgent(second);
    const listed = await session.request('thread/list', { cwd: folder });
    expect(listed.data.map(({ id }) => id)).toEqual([thread.id]);
    const resumed = await session.request('thread/resume', { threadId: thread.id });
    const ids = (turns: typeof resumed.thread.turns) => turns.map(({ id, items }) => [id, items.map((item) => item.id)]);
    expect(ids(resumed.thread.turns)).toEqual(ids(asRun.thread.turns));
    expect(await turnOver(session, thread.id, prompt('Say it.', { text: 'After.' }))).toBe('completed');
    expect(JSON.stringify(agent.modelServer.requests.findLast(({ turns }) => turns.length > 2)?.turns)).toContain('Before.');
    session.close();
    await phone.close();
    await second.end();
  });

  it('starts the agent anew when a phone wants that, and threads are still there', async () => {
    const { phone, session } = await openAgent(proven().daemon);
    const { thread } = await session.request('thread/start', { cwd: folder });
    await turnOver(session, thread.id, prompt('Say it.', { text: 'Before.' }));
    await phone.restartAgent(proven().agent.name);
    expect(await session.closed).toMatchObject({ code: 'agent_exited' });
    const again = await phone.openAgent(proven().agent.name, { clientInfo });
    await again.request('thread/resume', { threadId: thread.id });
    expect(await turnOver(again, thread.id, prompt('Say it.', { text: 'After.' }))).toBe('completed');
    again.close();
    await phone.close();
  });

  it('that stops leaves no process of the agent behind', async () => {
    const own = await startAgentDaemon(proven().agent);
    const before = own.agentPids();
    const { phone, session } = await openAgent(own);
    await session.request('thread/start', { cwd: folder });
    const pids = own.agentPids().filter((pid) => !before.includes(pid));
    expect(pids).toHaveLength(1);
    await own.end();
    expect(processes().filter(({ pid }) => pids.includes(pid))).toEqual([]);
    await phone.close();
  });
}

/** Does a turn, and gives how it ended, or the first question in it. */
async function turnOver(session: AgentSession, threadId: string, text: string): Promise<string> {
  const over = (async () => {
    for await (const event of session.events()) {
      if (event.kind === 'request') return event.method;
      if (event.kind === 'notification' && event.method === 'turn/completed') return event.params.turn.status;
    }
    return 'the session ended';
  })();
  await session.request('turn/start', { threadId, input: [{ type: 'text', text }] });
  return over;
}
