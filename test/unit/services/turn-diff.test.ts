import { execFileSync } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { array, assert, constantFrom, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TurnDiff } from '../../../packages/bridge-kit/src/services/turn-diff.ts';
import { updateHunks } from '../../../packages/bridge-kit/src/services/update-hunks.ts';
import { applyFileChange } from '../../conformance/file-diff.ts';
import { scratchFolder } from './service-client.ts';

const apply = (before: string, diff: string) => applyFileChange(before, { path: '/f', kind: { type: 'update', move_path: null }, diff });
const numbered = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => `${from + index}\n`).join('');

describe('the hunks of an update', () => {
  test.each([
    ['', 'a\nb\n', '@@ -0,0 +1,2 @@\n+a\n+b\n'],
    ['a\n', '', '@@ -1 +0,0 @@\n-a\n'],
    ['a\nb\nc\n', 'a\nB\nc\n', '@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n'],
    [numbered(1, 9), numbered(1, 9).replace('5', 'five'), '@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n'],
    ['a\n', 'a\nb\n', '@@ -1 +1,2 @@\n a\n+b\n'],
    ['a\na\n', 'a\na\na\n', '@@ -1,2 +1,3 @@\n a\n a\n+a\n'],
    ['a\nb', 'a\nb\n', '@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n'],
    ['x\nend', 'y\nend', '@@ -1,2 +1,2 @@\n-x\n+y\n end\n\\ No newline at end of file\n'],
    ['a\r\nb\r\n', 'a\r\nc\r\n', '@@ -1,2 +1,2 @@\n a\r\n-b\r\n+c\r\n'],
    ['same', 'same', ''],
  ])('of %j to %j', (before, after, expected) => {
    expect(updateHunks(before, after)).toBe(expected);
  });

  test('stand apart where the changes do', () => {
    const after = numbered(1, 30).replace('2\n', 'two\n').replace('29\n', '');
    expect(updateHunks(numbered(1, 30), after)).toBe(
      '@@ -1,5 +1,5 @@\n 1\n-2\n+two\n 3\n 4\n 5\n@@ -26,5 +26,4 @@\n 26\n 27\n 28\n-29\n 30\n',
    );
  });

  test('are true, whatever the texts', () => {
    const text = array(constantFrom('a', 'b', 'c\n', 'd\n', '\n', '\r\n', '-', '@@ -1 +1 @@\n', '\\ No\n'), { maxLength: 30 });
    assert(
      property(text, text, (before, after) => {
        const [old, next] = [before.join(''), after.join('')];
        expect(apply(old, updateHunks(old, next))).toBe(next);
      }),
      { numRuns: 2_000 },
    );
  });

  test('are found in time for texts that have nothing in common, and are true then too', () => {
    const before = `same\n${Array.from({ length: 30_000 }, (_, index) => `old ${index * 7919}\n`).join('')}end`;
    const after = `same\n${Array.from({ length: 30_000 }, (_, index) => `new ${index * 104_729}\n`).join('')}end`;
    const startedAtMs = performance.now();
    const diff = updateHunks(before, after);
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
    expect(apply(before, diff)).toBe(after);
    expect(diff.startsWith('@@ -1,30002 +1,30002 @@\n same\n-old 0\n')).toBe(true);
  });
});

describe('the diff of a turn', () => {
  // The ids are those of `git hash-object`; the form is what codex 0.169 sends (goldens 04a and 04g).
  test("has git's form: changed, made and removed files, in the order of their paths", () => {
    const diff = new TurnDiff('/project');
    diff.noteChange('/project/sub/new.txt', null, 'n1\n');
    diff.noteChange('/project/gone.txt', 'a\n', null);
    diff.noteChange('/project/existing.txt', 'first\nold line\nlast\n', 'first\nnew line\nlast\n');
    expect(diff.toString()).toBe(
      'diff --git a/existing.txt b/existing.txt\nindex 0ce674e73fc619bba911dfc6697486049d0d0de5..f99ae1b67349ad07022c3a7e2ca91bcdd2c57a75\n' +
        '--- a/existing.txt\n+++ b/existing.txt\n@@ -1,3 +1,3 @@\n first\n-old line\n+new line\n last\n' +
        'diff --git a/gone.txt b/gone.txt\ndeleted file mode 100644\nindex 78981922613b2afb6025042ff6bd878ac1994e85..0000000000000000000000000000000000000000\n' +
        '--- a/gone.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n' +
        'diff --git a/sub/new.txt b/sub/new.txt\nnew file mode 100644\nindex 0000000000000000000000000000000000000000..3eac62ec484a0c75051647a9b46e74cc30e292bc\n' +
        '--- /dev/null\n+++ b/sub/new.txt\n@@ -0,0 +1 @@\n+n1\n',
    );
  });

  test('goes from what was there first to what is there last', () => {
    const diff = new TurnDiff('/project');
    diff.noteChange('/project/file', 'one\n', 'two\n');
    diff.noteChange('/project/file', 'two\n', 'three\n');
    expect(diff.toString()).toContain('@@ -1 +1 @@\n-one\n+three\n');
    diff.noteChange('/project/file', 'three\n', 'one\n');
    diff.noteChange('/project/made', null, 'x');
    diff.noteChange('/project/made', 'x', null);
    expect(diff.toString()).toBe('');
    diff.noteChange('/project/file', 'one\n', null);
    expect(diff.toString()).toContain('deleted file mode 100644');
  });

  test('tells an empty file from none', () => {
    const diff = new TurnDiff('/project');
    diff.noteChange('/project/made', null, '');
    diff.noteChange('/project/gone', '', null);
    expect(diff.toString()).toBe(
      'diff --git a/gone b/gone\ndeleted file mode 100644\nindex e69de29bb2d1d6434b8b29ae775ad8c2e48c5391..0000000000000000000000000000000000000000\n' +
        'diff --git a/made b/made\nnew file mode 100644\nindex 0000000000000000000000000000000000000000..e69de29bb2d1d6434b8b29ae775ad8c2e48c5391\n',
    );
  });

  test('names a file outside by its whole path', () => {
    const diff = new TurnDiff('/project');
    diff.noteChange('/etc/hosts', 'a\n', 'b\n');
    diff.noteChange('/project/..data', 'a\n', 'b\n');
    expect(diff.toString().match(/^\+\+\+ .*/gm)).toEqual(['+++ b//etc/hosts', '+++ b/..data']);
  });

  test('only names what is binary, or too large to be read by anybody', () => {
    const diff = new TurnDiff('/project');
    diff.noteChange('/project/binary', null, 'a\0b');
    diff.noteChange('/project/large', 'x'.repeat(1024 * 1024 + 1), 'small\n');
    expect(diff.toString()).toMatch(/\nBinary files \/dev\/null and b\/binary differ\n/);
    expect(diff.toString()).toMatch(/\nThe lines are left out: the file has 6 bytes now and had 1048577\.\n$/);
    expect(diff.toString()).not.toContain('@@');
    diff.noteChange('/project/large', 'small\n', 'x'.repeat(1024 * 1024 + 1));
    expect(diff.toString()).not.toContain('large');
  });

  test('is bounded as a whole: what does not fit any more is named', () => {
    const diff = new TurnDiff('/project');
    const line = `${'x'.repeat(1023)}\n`;
    for (const name of ['a', 'b', 'c', 'd']) diff.noteChange(`/project/${name}`, null, line.repeat(800));
    const text = diff.toString();
    expect(Buffer.byteLength(text)).toBeLessThan(2 * 1024 * 1024 + 1_000);
    expect(text.match(/^diff --git/gm)).toHaveLength(4);
    expect(text.match(/^The lines are left out/gm)).toHaveLength(2);
  });

  test('is what git applies', async () => {
    const root = await scratchFolder();
    const files: Record<string, [string | null, string | null]> = {
      changed: [numbered(1, 40), numbered(1, 40).replace('3\n', '').replace('38\n', 'x\n')],
      'no newline': ['a\nb', 'a\nb\nc'],
      'sub/made': [null, 'new\n'],
      empty: [null, ''],
      gone: ['old\n', null],
      'a "b"\\\n\tü': ['old\n', 'new\n'],
    };
    const diff = new TurnDiff(root);
    for (const [name, [before, after]] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(root, name)), { recursive: true });
      if (before !== null) await writeFile(path.join(root, name), before);
      diff.noteChange(path.join(root, name), before, after);
    }
    await rm(path.join(root, 'sub'), { recursive: true, force: true });
    execFileSync('git', ['apply', '-'], { cwd: root, input: diff.toString(), stdio: ['pipe', 'inherit', 'inherit'] });
    for (const [name, [, after]] of Object.entries(files)) {
      expect(await readFile(path.join(root, name), 'utf8').catch(() => null), name).toBe(after);
    }
  });
});
