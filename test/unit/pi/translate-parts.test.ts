// The small parts of pi's translator.

import { describe, expect, it } from 'vitest';
import { applyFileChange } from '../../conformance/file-diff.ts';
import type { ToolCall } from '../../../packages/bridges/src/pi/native-messages.ts';
import { failureOf, isAbort } from '../../../packages/bridges/src/pi/translate/failures.ts';
import { proposedChange } from '../../../packages/bridges/src/pi/translate/file-changes.ts';
import { hunksOfPrintedDiff } from '../../../packages/bridges/src/pi/translate/printed-diff.ts';
import { newOutput, outputOf } from '../../../packages/bridges/src/pi/translate/tools.ts';

describe('the difference that pi prints', () => {
  const lines = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => `line ${from + at}`);

  it('becomes hunks that turn the old text into the new one', () => {
    const before = `${lines(1, 30).join('\n')}\n`;
    const after = before.replace('line 5\n', 'five\nfünf\n').replace('line 25\n', '');
    // As pi 0.73 prints it: four lines around each change, and dots for what is left out.
    const printed = [
      ...lines(1, 4).map((line, at) => `  ${at + 1} ${line}`),
      '- 5 line 5',
      '+ 5 five',
      '+ 6 fünf',
      ...lines(6, 9).map((line, at) => `  ${at + 6} ${line}`.replace(/^ {2}(\d) /, '  $1 ')),
      '    ...',
      ...lines(21, 24).map((line, at) => ` ${at + 21} ${line}`),
      '-25 line 25',
      ...lines(26, 29).map((line, at) => ` ${at + 26} ${line}`),
      '    ...',
    ].join('\n');
    const hunks = hunksOfPrintedDiff(printed);
    expect(hunks?.match(/^@@.*@@$/gm)).toEqual(['@@ -1,9 +1,10 @@', '@@ -21,9 +22,8 @@']);
    const change = { path: '/srv/a', kind: { type: 'update' as const, move_path: null }, diff: hunks ?? '' };
    expect(applyFileChange(before, change)).toBe(after);
  });

  it('is left alone when it is something else', () => {
    expect(hunksOfPrintedDiff('no difference at all')).toBeUndefined();
    expect(hunksOfPrintedDiff(' 1 hello\n-2 world\n+2 there')).toBe('@@ -1,2 +1,2 @@\n hello\n-world\n+there\n');
  });
});

describe('what an edit would do', () => {
  const edit = (input: Record<string, unknown>): ToolCall => ({
    type: 'toolCall',
    id: 'call',
    name: 'edit',
    input: { path: 'a.txt', ...input },
  });
  const after = (input: Record<string, unknown>, before: string) => {
    const change = proposedChange(edit(input), '/srv', before);
    return change.diff === '' ? undefined : applyFileChange(before, change);
  };

  it('is all its replacements, each looked for in the file as it was', () => {
    const edits = [
      { oldText: 'two', newText: 'three' },
      { oldText: 'one', newText: 'two' },
    ];
    expect(after({ edits }, 'one\ntwo\n')).toBe('two\nthree\n');
    expect(after({ edits: JSON.stringify(edits) }, 'one\ntwo\n')).toBe('two\nthree\n');
    expect(after({ oldText: 'one', newText: '$&1' }, 'one\n')).toBe('$&1\n'); // no pattern of a replacement
  });

  it('keeps the line ends of the file', () => {
    expect(proposedChange(edit({ edits: [{ oldText: 'a\nb', newText: 'c\nd' }] }), '/srv', 'a\r\nb\r\n').diff).toContain('+c\r\n+d\r\n');
  });

  it('is not guessed where pi would refuse', () => {
    for (const edits of [[{ oldText: 'x', newText: 'y' }], [{ oldText: 'o', newText: 'y' }], [{ oldText: '', newText: 'y' }], []])
      expect(after({ edits }, 'one two')).toBeUndefined();
    expect(proposedChange(edit({ edits: [] }), '/srv', undefined)).toEqual({
      path: '/srv/a.txt',
      kind: { type: 'update', move_path: null },
      diff: '',
    });
  });
});

describe('the output of a command', () => {
  it('is told as it grows, also when pi shows only its end', () => {
    expect(newOutput('', 'one\n')).toBe('one\n');
    expect(newOutput('one\n', 'one\ntwo\n')).toBe('two\n');
    const long = Array.from({ length: 200 }, (_, at) => `line ${at}\n`);
    expect(newOutput(long.slice(0, 150).join(''), long.slice(50, 160).join(''))).toBe(long.slice(150, 160).join(''));
    expect(newOutput('something else', 'entirely')).toBe('');
  });

  it('is without what pi says below it', () => {
    expect(outputOf('(no output)')).toBe('');
    expect(outputOf('out\n\nCommand exited with code 3')).toBe('out');
    expect(outputOf('Command aborted')).toBe('');
    expect(outputOf('it said: Command aborted\n')).toBe('it said: Command aborted\n');
  });
});

describe('failures', () => {
  it.each([
    ['401 fake invalid key', '401 fake invalid key', 'unauthorized'],
    ['500: {"message":"once","type":"api_error","code":null,"param":null}', '500 once', 'internalServerError'],
    ['429 {"error":{"message":"slow down"}}', '429 slow down', 'usageLimitExceeded'],
    ['529 overloaded', '529 overloaded', 'serverOverloaded'],
    ['400 prompt is too long: 5 tokens > 4 maximum', '400 prompt is too long: 5 tokens > 4 maximum', 'contextWindowExceeded'],
    ['400 no such field', '400 no such field', 'badRequest'],
    ['terminated', 'terminated', { httpConnectionFailed: { httpStatusCode: null } }],
    ['Provider finish_reason: content_filter', 'Provider finish_reason: content_filter', 'other'],
    ['', 'pi gave no reason', 'other'],
  ])('%s', (errorMessage, message, codexErrorInfo) => {
    expect(failureOf(errorMessage)).toEqual({ message, codexErrorInfo, additionalDetails: null });
  });

  it('are no failures after an abort', () => {
    expect(['Request was aborted.', 'This operation was aborted', '500 aborted', null].map(isAbort)).toEqual([true, true, false, false]);
  });
});
