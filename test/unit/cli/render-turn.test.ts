import type { CommandExecutionItem, FileChangeItem, Turn } from '@heddle/wire';
import { expect, test } from 'vitest';
import { createPaint, noPaint } from '../../../packages/cli/src/paint.ts';
import { type Notice, renderNotice, renderSummary } from '../../../packages/cli/src/probe/render-turn.ts';
import { emptyTurnView, type TurnView } from '../../../packages/cli/src/probe/turn-view.ts';

const at = { threadId: 't', turnId: 'u' };
const command: CommandExecutionItem = {
  type: 'commandExecution',
  id: 'c1',
  command: "/bin/bash -lc 'ls -l'",
  cwd: '/srv',
  status: 'inProgress',
  commandActions: [],
  aggregatedOutput: null,
  exitCode: null,
  durationMs: null,
  processId: null,
  source: 'agent',
};
const change: FileChangeItem = {
  type: 'fileChange',
  id: 'f1',
  status: 'inProgress',
  changes: [
    { path: '/srv/a.ts', kind: { type: 'update', move_path: null }, diff: '@@ -1,2 +1,2 @@\n same\n-old\n+new\n' },
    { path: '/srv/b.ts', kind: { type: 'add' }, diff: 'one\ntwo\n' },
    { path: '/srv/c.ts', kind: { type: 'delete' }, diff: 'gone\n' },
    { path: '/srv/d.ts', kind: { type: 'update', move_path: '/srv/e.ts' }, diff: '@@ -1 +1 @@\n-x\n+y\n\n\nMoved to: /srv/e.ts' },
  ],
};
const started = (item: unknown) => ({ method: 'item/started', params: { ...at, item, startedAtMs: 0 } }) as Notice;
const completed = (item: unknown) => ({ method: 'item/completed', params: { ...at, item, completedAtMs: 0 } }) as Notice;
const text = (itemId: string, delta: string): Notice => ({ method: 'item/agentMessage/delta', params: { ...at, itemId, delta } });
const output = (delta: string): Notice => ({ method: 'item/commandExecution/outputDelta', params: { ...at, itemId: 'c1', delta } });
const message = (id: string, whole: string) => ({ type: 'agentMessage', id, text: whole, phase: null });

function play(notices: readonly Notice[]): { view: TurnView; out: string } {
  return notices.reduce(
    ({ view, out }, notice) => {
      const step = renderNotice(view, notice, noPaint);
      return { view: step.view, out: out + step.out };
    },
    { view: emptyTurnView, out: '' },
  );
}

test('text streams plainly; the whole message is not shown twice', () => {
  expect(play([started(message('m', '')), text('m', 'Hel'), text('m', 'lo\nyou'), completed(message('m', 'Hello\nyou'))]).out).toBe(
    'Hello\nyou\n',
  );
});

test('a message that never streamed is shown when it is complete', () => {
  expect(play([completed(message('m', 'All at once.')), completed(message('n', 'And again.'))]).out).toBe('All at once.\n\nAnd again.');
});

test('a command with its output', () => {
  const done = { ...command, status: 'completed', aggregatedOutput: 'a\nb\n', exitCode: 0, durationMs: 1_200 };
  expect(play([started(command), output('a\n'), output('b'), output('\n'), completed(done)]).out).toBe(
    '$ ls -l\n  a\n  b\n  exit 0 in 1.2 s\n',
  );
});

test('output that began before it was streamed is not lost', () => {
  const done = { ...command, status: 'failed', aggregatedOutput: 'first\nsecond\n', exitCode: 3, durationMs: 10 };
  expect(play([started(command), output('second\n'), completed(done)]).out).toBe(
    '$ ls -l\n  second\n  (it began with)\n  first\n  exit 3 in 10 ms\n',
  );
  expect(play([started(command), completed(done)]).out).toBe('$ ls -l\n  first\n  second\n  exit 3 in 10 ms\n');
});

test('a declined command, and one whose start was missed', () => {
  expect(play([started(command), completed({ ...command, status: 'declined' })]).out).toBe('$ ls -l\n  declined\n');
  expect(play([completed({ ...command, command: 'make', status: 'completed', exitCode: 0 })]).out).toBe('$ make\n  exit 0\n');
});

test.each([
  ["/bin/bash -lc 'ls -l'", 'ls -l'],
  ['bash -lc "echo \\"hi\\" \\$HOME"', 'echo "hi" $HOME'],
  ["/bin/sh -c 'a' 'b'", "/bin/sh -c 'a' 'b'"],
  ['npm test', 'npm test'],
])('the command %s is shown as %s', (whole, shown) => {
  expect(play([started({ ...command, command: whole })]).out).toBe(`$ ${shown}\n`);
});

test('changes to files: marks for what was added and deleted, hunks as they are', () => {
  const out = play([started(change), completed({ ...change, status: 'completed' })]).out;
  expect(out).toBe(
    [
      'M /srv/a.ts',
      '  @@ -1,2 +1,2 @@',
      '   same',
      '  -old',
      '  +new',
      'A /srv/b.ts',
      '  +one',
      '  +two',
      'D /srv/c.ts',
      '  -gone',
      'M /srv/d.ts → /srv/e.ts',
      '  @@ -1 +1 @@',
      '  -x',
      '  +y',
      '  done',
      '',
    ].join('\n'),
  );
});

test('changes that are known only at the end are shown then', () => {
  const late = { ...change, changes: change.changes.slice(1, 2) };
  expect(play([started({ ...late, changes: [] }), completed({ ...late, status: 'declined' })]).out).toBe(
    'A /srv/b.ts\n  +one\n  +two\n  declined\n',
  );
});

test('an empty line stands between blocks, also when they take turns', () => {
  const notices = [text('m', 'I look.'), started(command), output('a\n'), text('n', 'Meanwhile'), output('b\n')];
  expect(play(notices).out).toBe('I look.\n\n$ ls -l\n  a\n\nMeanwhile\n\n  b\n');
});

test('a plan, an unknown item, warnings, errors', () => {
  const out = play([
    {
      method: 'turn/plan/updated',
      params: {
        ...at,
        explanation: 'first this',
        plan: [
          { step: 'look', status: 'completed' },
          { step: 'do', status: 'inProgress' },
          { step: 'check', status: 'pending' },
        ],
      },
    },
    started({ type: 'webSearch', id: 'w1' }),
    { method: 'warning', params: { message: 'careful' } },
    { method: 'error', params: { ...at, willRetry: true, error: { message: 'slow', codexErrorInfo: null, additionalDetails: null } } },
  ]).out;
  expect(out).toBe('Plan first this\n  ✓ look\n  ▸ do\n  · check\n\n· webSearch\n\n! careful\n\n! slow\n');
});

test('reasoning is dimmed, line by line', () => {
  const paint = createPaint({ isTTY: true }, {});
  const notice: Notice = { method: 'item/reasoning/summaryTextDelta', params: { ...at, itemId: 'r', summaryIndex: 0, delta: 'one\ntwo' } };
  expect(renderNotice(emptyTurnView, notice, paint).out).toBe('\u001B[2mone\u001B[22m\n\u001B[2mtwo\u001B[22m');
});

test('what an agent says can not move the cursor', () => {
  expect(play([text('m', 'a\u001B[2Jb'), output('\u001B]0;t\u0007c\r\n')]).out).toBe('ab\n\n  c\n');
});

const turn: Turn = {
  id: 'u',
  items: [],
  itemsView: 'summary',
  status: 'completed',
  error: null,
  startedAt: 0,
  completedAt: 0,
  durationMs: 3_210,
};
const tokens = { totalTokens: 1_234, inputTokens: 1_000, cachedInputTokens: 0, outputTokens: 234, reasoningOutputTokens: 0 };

test('the summary: status, time, tokens', () => {
  const { view } = play([
    text('m', 'Hi'),
    { method: 'thread/tokenUsage/updated', params: { ...at, tokenUsage: { total: tokens, last: tokens, modelContextWindow: null } } },
  ]);
  expect(renderSummary(view, turn, 9, noPaint).out).toBe('\n\n✓ completed in 3.2 s, 1,234 tokens (1,000 in, 234 out)\n');
  expect(renderSummary(emptyTurnView, { ...turn, durationMs: null }, 999, noPaint).out).toBe('✓ completed in 999 ms\n');
});

test('a failure is told once', () => {
  const error = { message: 'out of quota', codexErrorInfo: null, additionalDetails: null };
  const failed: Turn = { ...turn, status: 'failed', error };
  expect(renderSummary(emptyTurnView, failed, 9, noPaint).out).toBe('✗ failed in 3.2 s: out of quota\n');
  const { view, out } = play([{ method: 'error', params: { ...at, willRetry: false, error } }]);
  expect(out + renderSummary(view, failed, 9, noPaint).out).toBe('✗ out of quota\n\n✗ failed in 3.2 s\n');
});
