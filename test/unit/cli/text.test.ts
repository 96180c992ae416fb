import { HeddleError } from '@heddle/wire';
import { expect, test } from 'vitest';
import { describeError } from '../../../packages/cli/src/describe-error.ts';
import { formatDuration } from '../../../packages/cli/src/format-duration.ts';
import { nodeVersionProblem } from '../../../packages/cli/src/node-version.ts';
import { createPaint, noPaint } from '../../../packages/cli/src/paint.ts';
import { printable } from '../../../packages/cli/src/printable.ts';

test('an error says what was wrong and what to do', () => {
  const error = new HeddleError('port_in_use', 'port 1 is in use', { hint: 'Take another.\nOr stop it.' });
  expect(describeError(error, { asJson: false, paint: noPaint })).toBe(
    'heddle: port 1 is in use\n  hint: Take another.\n        Or stop it.\n',
  );
  expect(describeError(error, { asJson: true, paint: noPaint })).toBe(
    '{"error":{"code":"port_in_use","message":"port 1 is in use","hint":"Take another.\\nOr stop it."}}\n',
  );
});

test('an error of several lines stays one block', () => {
  const error = new HeddleError('config_invalid', 'a:1: one\na:2: two');
  expect(describeError(error, { asJson: false, paint: noPaint })).toBe('heddle: a:1: one\n  a:2: two\n');
});

test('a bug shows where it happened', () => {
  const text = describeError(new TypeError('x is not a function'), { asJson: false, paint: noPaint });
  expect(text).toContain('heddle: x is not a function\n  This is a bug in heddle');
  expect(text).toContain('text.test.ts');
});

test.each([
  ['22.12.0', true],
  ['22.11.9', false],
  ['20.20.2', false],
  ['24.0.0', true],
  ['23.0.0', true],
])('Node %s will do: %s', (version, isEnough) => {
  expect(nodeVersionProblem(version) === undefined).toBe(isEnough);
});

test('the sentence for a Node that is too old', () => {
  expect(nodeVersionProblem('20.20.2')).toBe(
    'heddle needs Node.js 22.12 or newer, this is 20.20.2: install a current one from https://nodejs.org',
  );
});

test.each([
  [400, '400 ms'],
  [1_400, '1.4 s'],
  [12_900, '12 s'],
  [5 * 60_000, '5 min'],
  [2 * 3_600_000 + 5 * 60_000, '2 h 5 min'],
  [2 * 3_600_000, '2 h'],
  [3 * 86_400_000 + 4 * 3_600_000, '3 d 4 h'],
])('%i ms is written %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test('colours: on a terminal only, and never against NO_COLOR', () => {
  expect(createPaint({ isTTY: true }, {})('red', 'x')).toBe('\u001B[31mx\u001B[39m');
  expect(createPaint({}, {})('red', 'x')).toBe('x');
  expect(createPaint({ isTTY: true }, { NO_COLOR: '1' })('red', 'x')).toBe('x');
  expect(createPaint({ isTTY: true }, { NO_COLOR: '' })('red', 'x')).toBe('\u001B[31mx\u001B[39m');
});

test('foreign text can not move the cursor', () => {
  expect(printable('a\u001B[2Jb\u001B]0;title\u0007c\rd\te\nf\u0000\u009B31m')).toBe('abcd\te\nf');
});
