import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logFiles } from '@heddle/host';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { followLog } from '../../../packages/cli/src/logs/follow-log.ts';
import { dayOfLogLine, formatLogLine } from '../../../packages/cli/src/logs/format-log-line.ts';
import { readLastLines } from '../../../packages/cli/src/logs/last-lines.ts';
import { noPaint } from '../../../packages/cli/src/paint.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heddle-logs-'));
});
afterEach(() => rm(dir, { recursive: true }));

const day = (n: number) => join(dir, `heddle.2026-11-0${n}.log`);
const text = (lines: readonly Uint8Array[]) => lines.map((line) => new TextDecoder().decode(line));

test('the last lines come from as many files as it takes', async () => {
  await writeFile(day(1), 'a\nb\nc\n');
  await writeFile(day(2), '');
  await writeFile(day(3), 'd\ne\n');
  const files = await logFiles(dir);
  expect(text((await readLastLines(files, 4)).lines)).toEqual(['b', 'c', 'd', 'e']);
  expect(text((await readLastLines(files, 2)).lines)).toEqual(['d', 'e']);
  expect(text((await readLastLines(files, 99)).lines)).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect((await readLastLines(files, 0)).lines).toEqual([]);
  expect((await readLastLines(files, 0)).end).toEqual({ file: day(3), offset: 4 });
  expect(await readLastLines([], 5)).toEqual({ lines: [], end: undefined });
});

test('a line that is still being written is left for later', async () => {
  await writeFile(day(1), 'whole\nhal');
  const { lines, end } = await readLastLines([day(1)], 5);
  expect(text(lines)).toEqual(['whole']);
  expect(end).toEqual({ file: day(1), offset: 6 });
});

test.each([1, 7, 199, 200, 201, 5_000])('the last %i of many lines with characters of several bytes', async (count) => {
  const all = Array.from({ length: 5_000 }, (_, n) => `${n} ${'ü'.repeat(n % 97)}`);
  await writeFile(day(1), `${all.join('\n')}\n`);
  expect(text((await readLastLines([day(1)], count)).lines)).toEqual(all.slice(-count));
});

test('a line longer than a chunk', async () => {
  const long = 'x'.repeat(200_000);
  await writeFile(day(1), `first\n${long}\nlast\n`);
  expect(text((await readLastLines([day(1)], 2)).lines)).toEqual([long, 'last']);
});

test('following: no line is lost or shown twice, across midnight too', async () => {
  await writeFile(day(1), 'old\nbe');
  const { end } = await readLastLines(await logFiles(dir), 1);
  const controller = new AbortController();
  const lines = followLog({ files: () => logFiles(dir), from: end, signal: controller.signal });
  const next = async () => new TextDecoder().decode((await lines.next()).value as Uint8Array);
  await appendFile(day(1), 'gun\nmore\nof t');
  expect([await next(), await next()]).toEqual(['begun', 'more']);
  // The last line of the day and the next day's file appear between two looks.
  await appendFile(day(1), 'oday\n');
  await writeFile(day(2), 'tomorrow\n');
  expect([await next(), await next()]).toEqual(['of today', 'tomorrow']);
  const pending = lines.next();
  controller.abort();
  expect(await pending).toEqual({ value: undefined, done: true });
});

test('following begins with the first file when there was none', async () => {
  const controller = new AbortController();
  const lines = followLog({ files: () => logFiles(dir), from: undefined, signal: controller.signal });
  const first = lines.next();
  await writeFile(day(1), 'hello\n');
  expect(text([(await first).value as Uint8Array])).toEqual(['hello']);
  controller.abort();
});

test('a line for people', () => {
  process.env['TZ'] = 'UTC';
  const line = JSON.stringify({
    level: 'info',
    time: '2026-11-20T12:34:56.789Z',
    scope: 'endpoint',
    peer: '12D3',
    note: 'two words',
    n: 3,
    msg: 'stream opened',
  });
  expect(formatLogLine(line, noPaint)).toBe('12:34:56 info  endpoint stream opened peer=12D3 note="two words" n=3');
  expect(dayOfLogLine(line)).toBe('2026-11-20');
});

test('an error has its message in the line and its stack below', () => {
  const error = { name: 'Error', message: 'no route', stack: 'Error: no route\n    at dial (a.ts:1:2)\n    at run (b.ts:3:4)' };
  const line = JSON.stringify({ level: 'error', time: '2026-11-20T12:34:56Z', error, msg: 'failed' });
  expect(formatLogLine(line, noPaint)).toBe(
    '12:34:56 error failed error="no route"\n         at dial (a.ts:1:2)\n         at run (b.ts:3:4)',
  );
});

test('what is no record is shown as it is, without control characters', () => {
  expect(formatLogLine('npm \u001B[31mwarn\u001B[0m', noPaint)).toBe('npm warn');
  expect(formatLogLine('{"a":1}', noPaint)).toBe('{"a":1}');
  const evil = JSON.stringify({ level: 'info', time: '2026-11-20T12:34:56Z', msg: 'a\u001B[2Jb', key: '\u001B[2J' });
  expect(formatLogLine(evil, noPaint)).not.toContain('\u001B');
});
