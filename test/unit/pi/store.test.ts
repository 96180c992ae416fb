// pi's sessions as the hub reads them, and what heddle writes into them.

import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ThreadItem } from '@heddle/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PiStore } from '../../../packages/bridges/src/pi/store.ts';
import { readRecording, replay } from './support/replay.ts';
import { cutOff, linesIn, makeSessionHome, type SessionHome, SessionLines } from './support/session-home.ts';

let home: SessionHome;
let store: PiStore;
beforeEach(() => {
  home = makeSessionHome();
  store = new PiStore({ agentDir: home.agentDir, sessionDir: undefined });
});
afterEach(() => home.remove());

const newPi = { path: '/srv/pi', version: '0.87.1', takesSessionId: true };
const oldPi = { ...newPi, version: '0.73.1', takesSessionId: false };
const inShort = (items: readonly ThreadItem[]) => items.map((item) => [item.type, item.id, 'text' in item ? item.text : '']);

/** Two turns that heddle has begun, with a steered message in the first. */
function marked(): SessionLines {
  const session = new SessionLines('s1');
  session.add('model_change', { provider: 'fake', modelId: 'fake-1' });
  session.mark({ turn: 'T1', message: 'T1' });
  session.user('One.');
  session.call('call-1', 'bash', { command: 'ls' });
  session.result('call-1', 'a.txt\n');
  session.mark({ turn: 'T1', message: 'M2' });
  session.user('And this.');
  session.answer('First answer.');
  session.mark({ turn: 'T2', message: 'T2', text: '/say two' });
  session.user('Say this: two');
  session.answer('Second answer.');
  return session;
}

describe('the list of sessions', () => {
  it('has of each what a list shows', async () => {
    const session = new SessionLines('s1', { parentSession: '/srv/sessions/2026-01-01T00-00-00-000Z_s0.jsonl' });
    session.add('model_change', { provider: 'fake', modelId: 'fake-1' });
    session.user('Hello "role":"user" there');
    session.add('session_info', { name: 'A name' });
    session.answer('{"type":"session_info","name":"no name"}');
    session.add('model_change', { provider: 'fake', modelId: 'fake-2' });
    const path = home.write('s1', session.lines);
    expect(await store.list()).toEqual([
      {
        id: 's1',
        cwd: '/srv/project',
        createdAtMs: 1_795_000_001_000,
        updatedAtMs: 1_795_000_006_000,
        preview: 'Hello "role":"user" there',
        name: 'A name',
        model: 'fake/fake-2',
        path,
        forkedFromId: 's0',
        gitBranch: null,
      },
    ]);
    expect(await store.find('s1')).toMatchObject({ id: 's1' });
  });

  it('shows what the user has said, not what a template has made of it', async () => {
    const session = new SessionLines('s1');
    session.mark({ turn: 'T1', message: 'T1', text: '/say it' });
    session.user('Say this: it');
    session.answer('It.');
    home.write('s1', session.lines);
    expect(await store.list()).toMatchObject([{ preview: '/say it' }]);
  });

  it('reads the begin and the end of a long one', async () => {
    const session = new SessionLines('long');
    session.user('The first words.');
    for (let at = 0; at < 40; at++) session.answer('x'.repeat(50_000));
    session.answer('The end.', { model: 'fake-2' });
    home.write('long', session.lines);
    expect(await store.list()).toMatchObject([{ preview: 'The first words.', model: 'fake/fake-2', updatedAtMs: 1_795_000_043_000 }]);
  });

  it('leaves out what is no conversation', async () => {
    home.write('empty', new SessionLines('empty').lines);
    home.write('other', [{ type: 'something else' }]);
    writeFileSync(join(home.write('x', [])), 'no JSON at all');
    expect(await store.list()).toEqual([]);
    for (const id of ['empty', 'nobody', '../../etc/passwd', '', '*']) expect(await store.find(id), id).toBeUndefined();
    expect(await store.read('nobody')).toEqual({ turns: [], usage: undefined });
  });

  it('has those in a folder of the user’s choice, and those that run elsewhere', async () => {
    const chosen = join(home.agentDir, 'chosen');
    writeFileSync(join(home.agentDir, 'settings.json'), JSON.stringify({ sessionDir: chosen }));
    const session = (id: string) => {
      const lines = new SessionLines(id);
      lines.user('Hi.');
      lines.answer('Yes.');
      return lines.lines;
    };
    home.write('s1', session('s1'));
    home.write('s2', session('s2'), chosen);
    const elsewhere = home.write('s3', session('s3'), join(home.agentDir, 'elsewhere'));
    await store.noteStarted('s3', elsewhere);
    expect((await store.list()).map(({ id }) => id).toSorted()).toEqual(['s1', 's2', 's3']);
    expect(await store.find('s3')).toMatchObject({ path: elsewhere });
  });

  it('sees that a session has grown', async () => {
    const session = marked();
    const path = home.write('s1', session.lines);
    await store.list();
    await store.noteWritten('s1');
    expect(await store.hasChanged('s1')).toBe(false);
    appendFileSync(path, `${JSON.stringify({ type: 'session_info', id: 'x1', parentId: null, timestamp: '', name: 'Later' })}\n`);
    expect(await store.hasChanged('s1')).toBe(true);
    expect(await store.list()).toMatchObject([{ name: 'Later' }]);
  });
});

describe('the turns of a session', () => {
  it('are those that heddle has begun, under the ids that they had', async () => {
    home.write('s1', marked().lines);
    const { turns, usage } = await store.read('s1');
    expect(turns.map(({ id, status, items }) => [id, status, inShort(items)])).toEqual([
      [
        'T1',
        'completed',
        [
          ['userMessage', 'T1-user', ''],
          ['commandExecution', '1795000000004-0', ''],
          ['userMessage', 'M2-user', ''],
          ['agentMessage', '1795000000008-0', 'First answer.'],
        ],
      ],
      [
        'T2',
        'completed',
        [
          ['userMessage', 'T2-user', ''],
          ['agentMessage', '1795000000011-0', 'Second answer.'],
        ],
      ],
    ]);
    expect(turns[0]?.items[1]).toMatchObject({ status: 'completed', exitCode: 0, aggregatedOutput: 'a.txt\n' });
    expect(turns[1]?.items[0]).toMatchObject({ content: [{ type: 'text', text: '/say two' }] }); // what the user has said
    expect(usage).toMatchObject({ turnId: 'T2', total: { totalTokens: 375, outputTokens: 75 } });
  });

  it('of a terminal begin with what was said after an answer', async () => {
    const session = new SessionLines('s1');
    const first = session.user('One.');
    session.call('call-1', 'bash', { command: 'ls' });
    session.result('call-1', 'no', { isError: true, content: [{ type: 'text', text: 'no\n\nCommand exited with code 2' }] });
    const steered = session.user('In between.');
    session.answer('Done.');
    const second = session.user('Two.');
    session.answer('', { stopReason: 'error', errorMessage: '401 no such key' });
    home.write('s1', session.lines);
    const { turns } = await store.read('s1');
    expect(turns.map(({ id, status }) => [id, status])).toEqual([
      [first, 'completed'],
      [second, 'failed'],
    ]);
    expect(turns[0]?.items.map(({ id }) => id)).toContain(`${steered}-user`);
    expect(turns[0]?.items[1]).toMatchObject({ status: 'failed', exitCode: 2, aggregatedOutput: 'no' });
    expect(turns[1]?.error).toMatchObject({ message: '401 no such key', codexErrorInfo: 'unauthorized' });
  });

  it('that were left behind are not among them', async () => {
    const session = new SessionLines('s1');
    session.user('One.');
    const answer = session.answer('First.');
    session.user('A wrong way.');
    session.answer('Lost.');
    const other = session.user('A better one.', answer);
    session.answer('Found.');
    home.write('s1', session.lines);
    const { turns } = await store.read('s1');
    expect(turns.map(({ id }) => id).at(-1)).toBe(other);
    expect(JSON.stringify(turns)).not.toContain('Lost.');
  });

  it('that stop in the middle were interrupted, and what ran has failed', async () => {
    const session = new SessionLines('s1');
    session.user('One.');
    session.call('call-1', 'bash', { command: 'sleep 100' });
    cutOff(home.write('s1', session.lines));
    expect((await store.read('s1')).turns).toMatchObject([
      { status: 'interrupted', items: [{}, { type: 'commandExecution', status: 'failed' }] },
    ]);
  });

  it('are read in the order of the file where an old pi has given no ids', async () => {
    const session = new SessionLines('s1');
    session.user('One.');
    session.answer('First.');
    session.user('Two.');
    session.answer('Second.');
    home.write(
      's1',
      session.lines.map(({ id: _id, parentId: _parentId, version: _version, ...line }, at) => (at === 0 ? { ...line, id: 's1' } : line)),
    );
    expect((await store.read('s1')).turns.map(({ id, items }) => [id, items.length])).toEqual([
      ['line-1', 2],
      ['line-3', 2],
    ]);
    await expect(store.rewind('s1', 'line-3')).rejects.toThrow('the form of a very old pi');
  });

  it('are read once, where 0.73 has written the begin twice', async () => {
    const session = marked();
    home.write('s1', [...session.lines.slice(0, 5), ...session.lines]);
    expect((await store.read('s1')).turns.map(({ id }) => id)).toEqual(['T1', 'T2']);
  });

  it.each(['0.73', '0.87'])('have the ids that a recording of pi %s has live', async (version) => {
    const folder = new URL(`../../goldens/pi-${version}/`, import.meta.url);
    const sample = readRecording(new URL('session-file-sample.jsonl', folder)) as unknown as Record<string, unknown>[];
    const id = String(sample[0]?.['id']);
    home.write(id, sample);
    const stored = (await store.read(id)).turns.flatMap(({ items }) =>
      items.filter(({ type }) => type !== 'userMessage').map((item) => item.id),
    );
    const live = replay(readRecording(new URL('sessions.jsonl', folder))).turns.flatMap(({ items }) => items.map((item) => item.id));
    expect(stored).toHaveLength(3);
    expect(live).toEqual(expect.arrayContaining(stored));
  });
});

describe('what heddle writes', () => {
  it('is a new session with the part that is kept, and the old one stays as it is', async () => {
    const path = home.write('s1', marked().lines);
    const before = readFileSync(path, 'utf8');
    expect(await store.fork('s1', 's2', 'T2')).toBe(true);
    const copy = await store.find('s2');
    expect(copy).toMatchObject({ id: 's2', forkedFromId: 's1', cwd: '/srv/project' });
    expect((await store.read('s2')).turns.map(({ id }) => id)).toEqual(['T1']);
    expect(linesIn(copy?.path ?? '')[0]).toMatchObject({ type: 'session', version: 3, id: 's2', parentSession: path });
    expect(await store.fork('s1', 's3', undefined)).toBe(true);
    expect((await store.read('s3')).turns.map(({ id }) => id)).toEqual(['T1', 'T2']);
    expect(await store.fork('s1', 's4', 'T1')).toBe(false); // nothing is left to copy
    expect(await store.find('s4')).toBeUndefined();
    await expect(store.fork('s1', 's5', 'T9')).rejects.toThrow('no turn T9');
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  it('takes a conversation back and brings it back, and deletes nothing', async () => {
    const path = home.write('s1', marked().lines);
    const before = readFileSync(path, 'utf8');
    const turns = async () => (await store.read('s1')).turns.map(({ id }) => id);
    await expect(store.bringBack('s1')).rejects.toThrow('nothing to bring back');
    await store.rewind('s1', 'T2');
    expect(await turns()).toEqual(['T1']);
    await store.rename('s1', 'Named meanwhile');
    await store.bringBack('s1');
    expect(await turns()).toEqual(['T1', 'T2']);
    await store.rewind('s1', 'T1');
    expect(await turns()).toEqual([]);
    expect(readFileSync(path, 'utf8').startsWith(before)).toBe(true);
    expect(await store.find('s1')).toMatchObject({ name: 'Named meanwhile', preview: 'One.' });
  });

  it('stands in a line of its own, also where pi was killed in the middle of one', async () => {
    const path = home.write('s1', marked().lines);
    cutOff(path);
    await store.rename('s1', 'A name');
    expect(await store.find('s1')).toMatchObject({ name: 'A name' });
    expect((await store.read('s1')).turns.map(({ id }) => id)).toEqual(['T1', 'T2']);
  });

  it('is a file with an id for a pi that can’t be told one, until that has read it', async () => {
    expect(await store.sessionToStart('s9', '/srv/project', newPi)).toEqual({ kind: 'new', id: 's9' });
    const session = await store.sessionToStart('s9', '/srv/project', oldPi);
    const path = session.kind === 'file' ? session.path : '';
    expect(dirname(path)).toBe(join(home.agentDir, 'sessions', '--srv-project--'));
    expect(linesIn(path)).toMatchObject([{ type: 'session', version: 3, id: 's9', cwd: '/srv/project' }]);
    await store.noteStarted('s9', path);
    expect(existsSync(path)).toBe(false);
    home.write('s1', marked().lines);
    expect(await store.sessionToStart('s1', '/srv/project', newPi)).toMatchObject({ kind: 'file' });
  });

  it('is gone with a session that is removed', async () => {
    const path = home.write('s1', marked().lines);
    await store.read('s1');
    await store.remove('s1');
    await store.remove('s1');
    expect(readdirSync(dirname(path))).toEqual([]);
    expect(await store.read('s1')).toEqual({ turns: [], usage: undefined });
  });
});

it('a folder of sessions that is not there is no error', async () => {
  rmSync(join(home.agentDir, 'sessions'), { recursive: true, force: true });
  expect(await store.list()).toEqual([]);
});
