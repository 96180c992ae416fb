// Owns diffs between two texts that differ in one place: hunks as codex shows them, and git's form for a whole turn.

import { createHash } from 'node:crypto';

const CONTEXT_LINES = 3;
const NO_NEWLINE = '\\ No newline at end of file\n';

/**
 * One hunk, from `@@` on, that turns `before` into `after`: everything between the first and the last line that
 * differ, with three lines around. True for any two texts, and smallest for those that differ in one place. Empty when
 * they are equal.
 */
export function hunk(before: string, after: string): string {
  if (before === after) return '';
  const [old, next] = [linesOf(before), linesOf(after)];
  let start = 0;
  while (start < old.length && start < next.length && old[start] === next[start]) start += 1;
  let same = 0; // lines that are equal at the end
  while (same < old.length - start && same < next.length - start && old.at(-1 - same) === next.at(-1 - same)) same += 1;
  const from = Math.max(start - CONTEXT_LINES, 0);
  const trailing = Math.min(same, CONTEXT_LINES);
  const oldCount = old.length - same + trailing - from;
  const nextCount = next.length - same + trailing - from;
  const body = [
    ...old.slice(from, start).map((line) => marked(' ', line)),
    ...old.slice(start, old.length - same).map((line) => marked('-', line)),
    ...next.slice(start, next.length - same).map((line) => marked('+', line)),
    ...old.slice(old.length - same, old.length - same + trailing).map((line) => marked(' ', line)),
  ];
  return `@@ -${range(from, oldCount)} +${range(from, nextCount)} @@\n${body.join('')}`;
}

/** A git diff of one file. `before` is absent for a new file. */
export function gitDiff(name: string, before: string | undefined, after: string): string {
  if (before === after) return '';
  const head = `diff --git a/${name} b/${name}\n`;
  const hashes = `index ${before === undefined ? '0'.repeat(40) : blobHash(before)}..${blobHash(after)}`;
  return before === undefined
    ? `${head}new file mode 100644\n${hashes}\n--- /dev/null\n+++ b/${name}\n${hunk('', after)}`
    : `${head}${hashes}\n--- a/${name}\n+++ b/${name}\n${hunk(before, after)}`;
}

/** Lines with their ends; a last line without one keeps being without. */
function linesOf(text: string): string[] {
  return text === '' ? [] : text.split(/(?<=\n)/);
}

function marked(mark: string, line: string): string {
  return line.endsWith('\n') ? mark + line : `${mark}${line}\n${NO_NEWLINE}`;
}

/** A range counts lines from 1; an empty one names the line before it; a count of 1 is left out. */
function range(from: number, count: number): string {
  if (count === 0) return `${from},0`;
  return count === 1 ? `${from + 1}` : `${from + 1},${count}`;
}

/** git's id of a file's content: SHA-1 over a header and the bytes. */
function blobHash(text: string): string {
  return createHash('sha1')
    .update(`blob ${Buffer.byteLength(text)}\0${text}`)
    .digest('hex');
}
