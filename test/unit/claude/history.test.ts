// What is read back from claude's transcripts is what was shown live: the same items under the same ids.

import { describe, expect, it } from 'vitest';
import { ClaudeStore } from '../../../packages/bridges/src/claude/store.ts';
import { localCommandEntry, ownTurnId } from '../../../packages/bridges/src/claude/translate.ts';
import { decodeMessage } from '../../../packages/bridges/src/claude/native.ts';
import { readRecording, replay } from './support/replay.ts';
import { makeConfigDir, recordingOf, sessionIdOf } from './support/session-home.ts';

const user = (last: string) => `22222222-2222-4222-8222-2222222222${last}`;

async function readBack(name: string) {
  const configDir = await makeConfigDir(name);
  return new ClaudeStore({ configDir }).read(sessionIdOf(name));
}

describe('a stored session', () => {
  for (const name of ['tools', 'sub-agents', 'sub-agents-threads', 'edits', 'compacted', 'steered-interrupted-failed']) {
    it(`has the items that it had live: ${name}`, async () => {
      const live = replay(readRecording(recordingOf(name)), { threadId: sessionIdOf(name), cwd: '/CWD', filesAreSeen: true }).turns;
      const { turns } = await readBack(name);
      expect(turns.map((turn) => turn.items.filter((item) => item.type !== 'userMessage'))).toEqual(live.map((turn) => turn.items));
      expect(turns.map(({ status, error }) => (error === null ? { status } : { status, error }))).toEqual(live.map((turn) => turn.outcome));
    });
  }

  it('has each turn under the id of its first message, or of its first answer when claude began by itself', async () => {
    expect((await readBack('compacted')).turns.map((turn) => turn.id)).toEqual([
      user('c1'),
      user('c2'),
      user('c3'),
      user('c4'),
      'msg_fake000055',
      '4e38afa9-b037-448b-88f5-56daf8ac4dc3', // a local command: claude has dropped the id it was sent with
      user('c6'),
      '1b1491f6-8166-4e64-8bf2-f46d6341f194',
      user('c8'),
    ]);
  });

  it('tells the id of a turn that claude began by itself as the live stream does', () => {
    const ids = readRecording(recordingOf('sub-agents')).flatMap(({ dir, data }) =>
      dir === 'out' ? (ownTurnId(decodeMessage(data)) ?? []) : [],
    );
    expect(ids).toContain('msg_fake000021');
  });

  it('reports a local command under the id that was noted live', async () => {
    const configDir = await makeConfigDir('compacted');
    const id = sessionIdOf('compacted');
    const store = new ClaudeStore({ configDir });
    const entries = readRecording(recordingOf('compacted')).flatMap(({ dir, data }) =>
      dir === 'out' ? (localCommandEntry(decodeMessage(data)) ?? []) : [],
    );
    entries.forEach((entry, index) => store.rememberTurn(id, entry, `live-${index}`));
    const { turns } = await store.read(id);
    expect(turns.map((turn) => turn.id).filter((turnId) => turnId.startsWith('live-'))).toEqual(['live-0', 'live-1']);
    expect(turns[5]?.items.map((item) => `${item.type} ${item.id}`)).toEqual([
      'userMessage live-0-user',
      'contextCompaction e9227ef9-b05b-4cab-831c-1c0f769d4d3e',
    ]);
    await store.rewind(id, 'live-1');
    expect((await store.read(id)).turns.map((turn) => turn.id)).toHaveLength(7);
  });

  it('has what the user said, also while a tool ran, and slash commands as they were typed', async () => {
    const { turns } = await readBack('steered-interrupted-failed');
    expect(turns[2]?.items.map((item) => `${item.type} ${item.id}`)).toEqual([
      `userMessage ${user('b2')}-user`,
      'agentMessage msg_fake000030:0',
      'commandExecution toolu_fake000031',
      `userMessage ${user('b3')}-user`,
      'agentMessage msg_fake000033:0',
    ]);
    expect(turns[2]?.items[3]).toMatchObject({ content: [{ type: 'text', text: 'this too' }] });
    expect(turns[7]?.items[0]).toMatchObject({ content: [{ type: 'text', text: '/compact' }] });
    expect(turns[1]?.items[0]).toMatchObject({ type: 'agentMessage' }); // claude began: nobody said anything
  });

  it('keeps what was said while claude spoke in the turn in which it was said', async () => {
    const { turns } = await readBack('steered-while-talking');
    expect(turns.map((turn) => [turn.id, turn.items.map((item) => item.id)])).toEqual([
      [user('f1'), [`${user('f1')}-user`, 'msg_fake000143:0', `${user('f2')}-user`, 'msg_fake000145:0']],
      [user('f3'), [`${user('f3')}-user`, 'msg_fake000147:0']],
    ]);
  });

  it('is the conversation on the way to its newest message, where people went back', async () => {
    expect((await readBack('resumed-at')).turns.map((turn) => turn.id)).toEqual([user('d1'), user('d7')]);
    expect((await readBack('rewound')).turns.map((turn) => turn.id)).toEqual([user('a1'), user('a3')]);
    expect((await readBack('rewound-to-nothing')).turns.map((turn) => turn.id)).toEqual([user('a3')]);
  });

  it('has the threads of its sub-agents, each turn as it was live', async () => {
    const name = 'sub-agents-threads';
    const store = new ClaudeStore({ configDir: await makeConfigDir(name) });
    const live = replay(readRecording(recordingOf(name)), { threadId: sessionIdOf(name), cwd: '/CWD', filesAreSeen: true }).turns;
    const told = live.flatMap(({ events, agents }) =>
      events.flatMap((event) => {
        if (event.type !== 'subAgentStarted') return [];
        const { agentThreadId, turnId, nickname } = event;
        const end = events.find((other) => other.type === 'subAgentEnded' && other.agentThreadId === agentThreadId);
        const outcome = end?.type === 'subAgentEnded' ? end.outcome : undefined;
        return [{ agentThreadId, turnId, nickname, items: agents[agentThreadId], outcome }];
      }),
    );
    const [first, deeper, sentOn, cutOff] = told;
    expect(told.map(({ nickname, outcome }) => [nickname, outcome?.status])).toEqual([
      ['Look around', 'completed'],
      ['Look deeper', 'completed'],
      ['Look around', 'completed'],
      ['Look around', 'interrupted'],
    ]);
    const { turns } = await store.read(first?.agentThreadId ?? '');
    expect(sentOn?.agentThreadId).toBe(first?.agentThreadId);
    expect(turns.map(({ id, items, status }) => ({ id, items, status }))).toEqual(
      [first, sentOn].map((turn) => ({ id: turn?.turnId, items: turn?.items, status: turn?.outcome?.status })),
    );
    const closed = cutOff?.items?.map((item) => ('status' in item && item.status === 'inProgress' ? { ...item, status: 'failed' } : item));
    expect((await store.read(cutOff?.agentThreadId ?? '')).turns).toMatchObject([
      { id: cutOff?.turnId, items: closed, status: 'interrupted' },
    ]);
    // claude tells nothing live of what a sub-agent's own sub-agent says.
    expect(deeper?.items).toEqual([]);
    expect((await store.read(deeper?.agentThreadId ?? '')).turns).toMatchObject([
      { id: deeper?.turnId, items: [{ type: 'agentMessage', text: 'Deep.' }] },
    ]);
  });

  it('counts the tokens of each answer once', async () => {
    const { usage } = await readBack('tools');
    expect(usage).toMatchObject({
      turnId: '33333333-3333-4333-8333-333333333333',
      total: { inputTokens: 1000, outputTokens: 200, totalTokens: 1200 },
    });
  });
});
