// Where the turns of a stored session begin and end.

import { describe, expect, it } from 'vitest';
import { keptMessages } from '../../../packages/bridges/src/opencode/history/stored-turns.ts';
import { endOfTurn, type StoredMessage, turnsOf } from '../../../packages/bridges/src/opencode/history/turns-of-session.ts';
import type { NativePart } from '../../../packages/bridges/src/opencode/native-message.ts';
import { readSession } from '../../../packages/bridges/src/opencode/native-session.ts';

type Answer = Extract<StoredMessage['message'], { role: 'assistant' }>;

function said(id: string, createdAtMs: number, part: Partial<Extract<NativePart, { type: 'text' }>> = {}): StoredMessage {
  const text: NativePart = {
    id: `p-${id}`,
    messageId: id,
    type: 'text',
    text: id,
    isSynthetic: false,
    isWhole: true,
    note: undefined,
    ...part,
  };
  return { message: { role: 'user', id, createdAtMs }, parts: [text] };
}

function answer(id: string, createdAtMs: number, completedAtMs: number | undefined, more: Partial<Answer> = {}): StoredMessage {
  const base: Answer = {
    role: 'assistant',
    id,
    parentId: '',
    createdAtMs,
    completedAtMs,
    isSummary: false,
    finish: 'stop',
    error: undefined,
    model: '',
  };
  return { message: { ...base, ...more }, parts: [] };
}

const compaction = (id: string, createdAtMs: number, isAutomatic: boolean): StoredMessage => ({
  message: { role: 'user', id, createdAtMs },
  parts: [{ id: `p-${id}`, messageId: id, type: 'compaction', isAutomatic }],
});

const shape = (messages: StoredMessage[]) => turnsOf(messages).map(({ id, messages: each }) => [id, each.map(({ message }) => message.id)]);

describe('a turn', () => {
  it('begins with each message that comes when nothing runs', () => {
    expect(shape([said('u1', 1), answer('a1', 2, 3), said('u2', 4), answer('a2', 5, 6)])).toEqual([
      ['u1', ['u1', 'a1']],
      ['u2', ['u2', 'a2']],
    ]);
  });

  it('goes on with what is said while opencode works', () => {
    expect(shape([said('u1', 1), answer('a1', 2, 9), said('u2', 4), answer('a2', 10, 11)])).toEqual([['u1', ['u1', 'a1', 'u2', 'a2']]]);
    const between = [said('u1', 1), answer('a1', 2, 3, { finish: 'tool-calls' }), said('u2', 4), answer('a2', 5, 6)];
    expect(shape(between)).toEqual([['u1', ['u1', 'a1', 'u2', 'a2']]]);
  });

  it('goes on with what heddle has marked as part of it, and only with that', () => {
    expect(shape([said('u1', 1), said('u2', 2, { note: { turnId: 'u1' } }), answer('a2', 3, 4)])).toEqual([['u1', ['u1', 'u2', 'a2']]]);
    expect(shape([said('u1', 1), answer('a1', 2, 9), said('u2', 4, { note: { turnId: 'u0' } })])).toHaveLength(2);
  });

  it('does not go on after it was stopped, or its server was killed', () => {
    const error = { name: 'MessageAbortedError', message: '', status: undefined, isRetryable: false };
    expect(shape([said('u1', 1), answer('a1', 2, 3, { error, finish: 'tool-calls' }), said('u2', 4)])).toHaveLength(2);
    expect(shape([said('u1', 1), answer('a1', 2, undefined, { finish: undefined }), said('u2', 4)])).toHaveLength(2);
  });

  it('goes on over a compaction of opencode’s own, and what it then says again', () => {
    const messages = [
      said('u1', 1),
      answer('a1', 2, 3, { error: { name: 'ContextOverflowError', message: '', status: undefined, isRetryable: false } }),
      compaction('c1', 4, true),
      answer('s1', 5, 6, { isSummary: true }),
      said('u1-again', 7),
      answer('a2', 8, 9),
    ];
    expect(shape(messages)).toEqual([['u1', messages.map(({ message }) => message.id)]]);
    const synthetic = said('go-on', 7, { isSynthetic: true });
    expect(shape([...messages.slice(0, 4), synthetic, answer('a2', 8, 9)])).toHaveLength(1);
  });

  it('of its own is a compaction that the user wants, and what follows is another', () => {
    const messages = [
      said('u1', 1),
      answer('a1', 2, 3),
      compaction('c1', 4, false),
      answer('s1', 5, 6, { isSummary: true }),
      said('u2', 7),
    ];
    expect(shape(messages).map(([id]) => id)).toEqual(['u1', 'c1', 'u2']);
  });
});

describe('how a turn ended', () => {
  const endOf = (...messages: StoredMessage[]) => {
    const [turn] = turnsOf(messages);
    return turn && endOfTurn(turn);
  };

  it('is told by its last answer', () => {
    expect(endOf(said('u1', 1), answer('a1', 2, 3))).toEqual({ status: 'completed', error: null, startedAtMs: 1, completedAtMs: 3 });
    const error = { name: 'APIError', message: 'no', status: 401, isRetryable: false };
    expect(endOf(said('u1', 1), answer('a1', 2, 3, { error }))).toMatchObject({
      status: 'failed',
      error: { message: 'no', codexErrorInfo: 'unauthorized' },
    });
    const aborted = { name: 'MessageAbortedError', message: '', status: undefined, isRetryable: false };
    expect(endOf(said('u1', 1), answer('a1', 2, 3, { error: aborted }))).toMatchObject({ status: 'interrupted' });
  });

  it('is an interruption where there is no end', () => {
    expect(endOf(said('u1', 1))).toMatchObject({ status: 'interrupted' });
    expect(endOf(said('u1', 1), answer('a1', 2, undefined))).toMatchObject({ status: 'interrupted' });
    expect(endOf(said('u1', 1), answer('a1', 2, 3, { finish: 'tool-calls' }))).toMatchObject({ status: 'interrupted' });
  });
});

describe('what was taken back', () => {
  const messages = [said('u1', 1), answer('a1', 2, 3), said('u2', 4), answer('a2', 5, 6)];
  const kept = (fields: Record<string, unknown>) => {
    const session = readSession({ id: 'ses_1', directory: '/srv/work', ...fields });
    return session && keptMessages(messages, session).map(({ message }) => message.id);
  };
  const note = (atMs: number) => ({ metadata: { heddle: { reverted: { from: 'u2', atMs } } } });

  it('is not read, here or in a terminal', () => {
    expect(kept({})).toEqual(['u1', 'a1', 'u2', 'a2']);
    expect(kept({ revert: { messageID: 'u2' } })).toEqual(['u1', 'a1']);
    expect(kept(note(10))).toEqual(['u1', 'a1']);
  });

  it('is read when somebody has gone on with it in a terminal', () => {
    expect(kept(note(4))).toEqual(['u1', 'a1', 'u2', 'a2']);
  });
});
