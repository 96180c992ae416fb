// claude's store as the hub uses it: listing, finding, deleting, going back, copying.

import { appendFile, copyFile, mkdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ClaudeStore } from '../../../packages/bridges/src/claude/store.ts';
import { threadIdOfAgent } from '../../../packages/bridges/src/claude/translate/thread-id-of-agent.ts';
import { makeConfigDir, projectFolder, sessionIdOf } from './support/session-home.ts';

const newId = '99999999-9999-4999-8999-999999999999';
const user = (last: string) => `22222222-2222-4222-8222-2222222222${last}`;

describe('the list of sessions', () => {
  it('tells what a transcript says, and of nothing but sessions', async () => {
    const configDir = await makeConfigDir('tools', 'compacted');
    await writeFile(join(projectFolder(configDir), 'agent-a7759abe68d62d169.jsonl'), '{}\n');
    await writeFile(join(projectFolder(configDir), `${newId}.jsonl`), '{"type":"mode","mode":"normal"}\n');
    const threads = await new ClaudeStore({ configDir }).list();
    expect(threads.map((thread) => thread.id).toSorted()).toEqual([sessionIdOf('tools'), sessionIdOf('compacted')].toSorted());
    expect(threads.find((thread) => thread.id === sessionIdOf('tools'))).toEqual({
      id: '11111111-1111-4111-8111-111111111111',
      cwd: '/CWD',
      createdAtMs: Date.parse('2026-11-20T22:19:29.948Z'),
      updatedAtMs: Date.parse('2026-11-20T22:19:30.729Z'),
      preview: 'hello @@fake:multi@@',
      name: null,
      model: 'claude-opus-4-8',
      path: join(projectFolder(configDir), '11111111-1111-4111-8111-111111111111.jsonl'),
      forkedFromId: null,
      gitBranch: null,
    });
  });

  it('is empty where claude never ran', async () => {
    expect(await new ClaudeStore({ configDir: '/nowhere/at/all' }).list()).toEqual([]);
  });

  it('reads again what has changed, and forgets what is gone', async () => {
    const configDir = await makeConfigDir('tools');
    const store = new ClaudeStore({ configDir });
    const path = join(projectFolder(configDir), `${sessionIdOf('tools')}.jsonl`);
    await store.list();
    await appendFile(path, `{"type":"custom-title","customTitle":"A name","sessionId":"${sessionIdOf('tools')}"}\n`);
    expect(await store.list()).toMatchObject([{ name: 'A name' }]);
    await store.remove(sessionIdOf('tools'));
    expect(await store.list()).toEqual([]);
    await expect(stat(path)).rejects.toThrow('ENOENT');
    await store.remove(sessionIdOf('tools')); // no error
  });

  it('finds a first message behind long lines, and does without one that is too long', async () => {
    const configDir = await makeConfigDir();
    const session = (length: number, id: string) => {
      const entry = { parentUuid: null, type: 'user', uuid: user('01'), cwd: '/CWD', timestamp: '2026-11-20T22:19:29.948Z', sessionId: id };
      const first = { ...entry, type: 'attachment', uuid: user('00'), attachment: { type: 'hook', text: 'x'.repeat(length) } };
      return [first, { ...entry, parentUuid: user('00'), message: { role: 'user', content: 'Hello' } }]
        .map((line) => `${JSON.stringify(line)}\n`)
        .join('');
    };
    await writeFile(join(projectFolder(configDir), `${newId}.jsonl`), session(300_000, newId));
    expect(await new ClaudeStore({ configDir }).list()).toMatchObject([{ preview: 'Hello', cwd: '/CWD' }]);
  });

  it('shows a session that lies in two folders once, as it was last', async () => {
    const configDir = await makeConfigDir('tools');
    const id = sessionIdOf('tools');
    const other = join(configDir, 'projects', '-OTHER');
    await mkdir(other);
    await copyFile(join(projectFolder(configDir), `${id}.jsonl`), join(other, `${id}.jsonl`));
    await appendFile(
      join(other, `${id}.jsonl`),
      `${JSON.stringify({ type: 'system', uuid: user('0f'), parentUuid: null, timestamp: '2027-01-01T00:00:00Z' })}\n`,
    );
    await utimes(join(projectFolder(configDir), `${id}.jsonl`), new Date(), new Date());
    const store = new ClaudeStore({ configDir });
    expect((await store.list()).map((thread) => thread.path)).toEqual([join(other, `${id}.jsonl`)]);
    expect((await store.find(id))?.path).toBe(join(other, `${id}.jsonl`));
  });

  it('does not take an id for a path', async () => {
    const configDir = await makeConfigDir('tools');
    const store = new ClaudeStore({ configDir });
    expect(await store.find(`../-CWD/${sessionIdOf('tools')}`)).toBeUndefined();
    expect(await store.read('../../etc/passwd')).toEqual({ turns: [], usage: undefined });
  });
});

describe('going back in a session', () => {
  it('takes turns out, to stay so, and writes one line', async () => {
    const configDir = await makeConfigDir('steered-interrupted-failed');
    const id = sessionIdOf('steered-interrupted-failed');
    const path = join(projectFolder(configDir), `${id}.jsonl`);
    const before = await readFile(path, 'utf8');
    await new ClaudeStore({ configDir }).rewind(id, user('b5'));
    expect((await new ClaudeStore({ configDir }).read(id)).turns.map((turn) => turn.id)).toEqual([
      user('b1'),
      'msg_fake000028',
      user('b2'),
      user('b4'),
    ]);
    const added = (await readFile(path, 'utf8')).slice(before.length);
    expect(added).toBe(
      `{"type":"last-prompt","leafUuid":"ffc7a3ba-1bfc-48d0-8a84-30f84f44a9f6","explicit":true,"rewound":true,"sessionId":"${id}"}\n`,
    );
  });

  it('may leave nothing', async () => {
    const configDir = await makeConfigDir('tools');
    const store = new ClaudeStore({ configDir });
    await store.rewind(sessionIdOf('tools'), user('22').slice(0, -2) + '22');
    expect((await store.read(sessionIdOf('tools'))).turns).toEqual([]);
  });

  it('reaches behind a compaction: what is kept is written again, and reads as before', async () => {
    const configDir = await makeConfigDir('compacted');
    const id = sessionIdOf('compacted');
    const path = join(projectFolder(configDir), `${id}.jsonl`);
    const store = new ClaudeStore({ configDir });
    const before = await store.read(id);
    const lines = (text: string) => text.split('\n').slice(0, -1);
    const written = lines(await readFile(path, 'utf8'));
    await store.rewind(id, user('c3'));
    expect((await store.read(id)).turns).toEqual(before.turns.slice(0, 2));
    const added = lines(await readFile(path, 'utf8')).slice(written.length);
    const ids = (line: string) => (JSON.parse(line) as { uuid?: string; message?: { id?: string } } | undefined) ?? {};
    const known = new Set(written.flatMap((line) => [ids(line).uuid, ids(line).message?.id]).filter((one) => one !== undefined));
    // claude would take what has a known id for what it has read already, and leave it out.
    for (const line of added.slice(0, -1)) {
      expect(known).not.toContain(ids(line).uuid);
      expect(known).not.toContain(ids(line).message?.id);
    }
    expect(JSON.parse(added.at(-1) as string)).toMatchObject({ type: 'last-prompt', leafUuid: ids(added.at(-2) as string).uuid });

    await store.rewind(id, user('c2')); // a second time it is behind no compaction
    expect((await store.read(id)).turns).toEqual(before.turns.slice(0, 1));
    expect(lines(await readFile(path, 'utf8'))).toHaveLength(written.length + added.length + 1);
    expect(await store.find(id)).toMatchObject({ forkedFromId: null });
    await store.fork(id, newId, undefined);
    expect((await store.read(newId)).turns.map(({ items }) => items.length)).toEqual([before.turns[0]?.items.length]);
  });

  it('begins a line of its own behind half a line', async () => {
    const configDir = await makeConfigDir('tools');
    const store = new ClaudeStore({ configDir });
    await appendFile(join(projectFolder(configDir), `${sessionIdOf('tools')}.jsonl`), '{"type":"assist');
    await store.rewind(sessionIdOf('tools'), '33333333-3333-4333-8333-333333333333');
    expect((await store.read(sessionIdOf('tools'))).turns).toHaveLength(1);
  });

  it('refuses a turn that is not there', async () => {
    const configDir = await makeConfigDir('tools');
    await expect(new ClaudeStore({ configDir }).rewind(sessionIdOf('tools'), 'nonsense')).rejects.toMatchObject({ code: 'bad_request' });
  });
});

describe('a copy of a session', () => {
  it('has the turns before one, in a file for its owner alone', async () => {
    const configDir = await makeConfigDir('steered-interrupted-failed');
    const id = sessionIdOf('steered-interrupted-failed');
    const store = new ClaudeStore({ configDir });
    expect(await store.fork(id, newId, user('b4'))).toBe(true);
    const source = await store.read(id);
    expect((await store.read(newId)).turns).toEqual(source.turns.slice(0, 3));
    const thread = await store.find(newId);
    expect(thread).toMatchObject({ forkedFromId: id, cwd: '/CWD', preview: 'hello @@fake:bg@@' });
    expect((await stat(thread?.path as string)).mode & 0o777).toBe(0o600);
    await expect(store.fork(id, newId, undefined)).rejects.toThrow('EEXIST');
  });

  it('has all turns without a limit, as the conversation stands', async () => {
    const configDir = await makeConfigDir('resumed-at');
    const store = new ClaudeStore({ configDir });
    await store.fork(sessionIdOf('resumed-at'), newId, undefined);
    expect((await store.read(newId)).turns.map((turn) => turn.id)).toEqual([user('d1'), user('d7')]);
  });

  it('is not written when nothing would be in it', async () => {
    const configDir = await makeConfigDir('tools');
    const store = new ClaudeStore({ configDir });
    expect(await store.fork(sessionIdOf('tools'), newId, '22222222-2222-4222-8222-222222222222')).toBe(false);
    expect(await store.find(newId)).toBeUndefined();
  });
});

describe('the thread of a sub-agent', () => {
  const name = 'sub-agents-threads';
  const agentId = 'a412ab110ca699fe0';
  const threadId = threadIdOfAgent(agentId);

  it('is found by its id, as a part of its session, and is not listed', async () => {
    const configDir = await makeConfigDir(name);
    const store = new ClaudeStore({ configDir });
    expect((await store.list()).map(({ id }) => id)).toEqual([sessionIdOf(name)]);
    expect(await store.find(threadId)).toMatchObject({
      id: threadId,
      cwd: '/CWD',
      model: 'claude-opus-4-8',
      path: join(projectFolder(configDir), sessionIdOf(name), 'subagents', `agent-${agentId}.jsonl`),
      preview: expect.stringContaining('Look around.') as string,
      subAgent: { parentThreadId: sessionIdOf(name), depth: 1, nickname: 'Look around', role: 'general-purpose' },
    });
    expect(await store.find(threadIdOfAgent('a0000000000000000'))).toBeUndefined();
    await expect(store.fork(threadId, newId, undefined)).rejects.toThrow('sub-agent');
    await expect(store.rewind(threadId, 'any')).rejects.toThrow('sub-agent');
  });

  it('is found when it was begun after another was looked for', async () => {
    const configDir = await makeConfigDir(name);
    const store = new ClaudeStore({ configDir });
    await store.find(threadId);
    const folder = join(projectFolder(configDir), sessionIdOf(name), 'subagents');
    await copyFile(join(folder, `agent-${agentId}.jsonl`), join(folder, 'agent-a1111111111111111.jsonl'));
    expect(await store.find(threadIdOfAgent('a1111111111111111'))).toMatchObject({ subAgent: { nickname: null } });
  });

  it('outlives the session in a copy of it', async () => {
    const configDir = await makeConfigDir(name);
    const store = new ClaudeStore({ configDir });
    const before = await store.read(threadId);
    expect(before.turns).toHaveLength(2);
    await store.fork(sessionIdOf(name), newId, undefined);
    expect(await store.find(threadId)).toMatchObject({ subAgent: { parentThreadId: sessionIdOf(name) } });
    await store.remove(sessionIdOf(name));
    expect(await store.find(threadId)).toMatchObject({ subAgent: { parentThreadId: newId } });
    expect((await store.read(threadId)).turns[0]).toEqual(before.turns[0]);
    await store.remove(threadId);
    expect(await store.find(threadId)).toBeUndefined();
    expect(await store.find(newId)).toBeDefined();
  });

  it('is named by the call that has started it, also when that was cut off', async () => {
    const configDir = await makeConfigDir(name);
    const { turns } = await new ClaudeStore({ configDir }).read(sessionIdOf(name));
    const calls = turns.flatMap(({ items }) => items.filter((item) => item.type === 'collabAgentToolCall'));
    expect(calls).toMatchObject([
      { status: 'completed', receiverThreadIds: [threadId] },
      { status: 'failed', receiverThreadIds: [threadIdOfAgent('a63cf72279dcd93bc')] },
    ]);
  });
});

describe('the todo list', () => {
  it('is read in its order', async () => {
    const configDir = await makeConfigDir('tools');
    const folder = join(configDir, 'tasks', sessionIdOf('tools'));
    await mkdir(folder, { recursive: true });
    for (const [id, status] of [
      ['10', 'pending'],
      ['9', 'in_progress'],
    ])
      await writeFile(join(folder, `${id}.json`), JSON.stringify({ id, subject: `Task ${id}`, status, blocks: [] }));
    expect(await new ClaudeStore({ configDir }).tasks(sessionIdOf('tools'))).toEqual([
      { id: '9', subject: 'Task 9', status: 'inProgress' },
      { id: '10', subject: 'Task 10', status: 'pending' },
    ]);
  });
});

describe('a session that claude is still writing', () => {
  it('is read when it has what was said', async () => {
    const configDir = await makeConfigDir('tools');
    const id = sessionIdOf('tools');
    const path = join(projectFolder(configDir), `${id}.jsonl`);
    const whole = await readFile(path, 'utf8');
    const last = '1b867cd9-01ea-481d-a74f-82a5d1807632'; // the answer of the second turn
    await writeFile(
      path,
      `${whole.slice(0, whole.indexOf('"33333333-3333-4333-8333-333333333333"')).split('\n').slice(0, -1).join('\n')}\n`,
    );
    const store = new ClaudeStore({ configDir });
    expect((await store.read(id)).turns).toHaveLength(1);
    store.expectEntry(id, last);
    const reading = store.read(id);
    await writeFile(path, whole);
    expect((await reading).turns.map((turn) => turn.status)).toEqual(['completed', 'completed']);
  });

  it('is read as it is when that never comes', async () => {
    const configDir = await makeConfigDir('tools');
    const store = new ClaudeStore({ configDir });
    store.expectEntry(sessionIdOf('tools'), 'never');
    expect((await store.read(sessionIdOf('tools'))).turns).toHaveLength(2);
    store.expectEntry(newId, 'never');
    expect(await store.find(newId)).toBeUndefined();
  });
});
