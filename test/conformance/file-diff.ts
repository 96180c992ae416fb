// Owns what a file change of the wire means for a file: given what was there, what is there afterwards. Strict: a
// hunk that does not fit is an error.

import type { FileUpdateChange } from '@heddle/wire';

/**
 * @returns the content after the change; `undefined` when the file is gone.
 * @throws Error when the diff does not fit `before`.
 */
export function applyFileChange(before: string | undefined, change: FileUpdateChange): string | undefined {
  if (change.kind.type === 'add') {
    if (before !== undefined) throw new Error(`${change.path} is added and was there already`);
    return change.diff;
  }
  if (before === undefined) throw new Error(`${change.path} is changed and was not there`);
  if (change.kind.type === 'delete') {
    if (change.diff !== before) throw new Error(`${change.path} is deleted with another content than it had`);
    return undefined;
  }
  return applyHunks(before, change.diff);
}

const hunkHead = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/;
const noNewline = '\\ No newline at end of file';

/** Lines keep their ends, so that a last line without one is told from one with. */
const linesOf = (text: string) => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

function applyHunks(before: string, diff: string): string {
  const old = linesOf(before);
  const result: string[] = [];
  let taken = 0;
  for (const line of joinNoNewline(linesOf(diff))) {
    const head = hunkHead.exec(line);
    if (head !== null) {
      const start = Number(head[1]) - (head[2] === '0' ? 0 : 1);
      if (start < taken) throw new Error(`hunks overlap: ${line}`);
      result.push(...old.slice(taken, start));
      taken = start;
      continue;
    }
    const [sign, text] = [line[0], line.slice(1)];
    if (sign === '+') result.push(text);
    else if (sign === ' ' || sign === '-') {
      if (old[taken] !== text) throw new Error(`line ${taken + 1} is ${JSON.stringify(old[taken])}, the diff says ${JSON.stringify(text)}`);
      taken += 1;
      if (sign === ' ') result.push(text);
    } else throw new Error(`not a line of a diff: ${JSON.stringify(line)}`);
  }
  return [...result, ...old.slice(taken)].join('');
}

/** The remark about a missing newline belongs to the line before it. */
function joinNoNewline(lines: readonly string[]): string[] {
  const joined: string[] = [];
  for (const line of lines) {
    const last = joined.at(-1);
    if (line.trimEnd() === noNewline && last !== undefined) joined[joined.length - 1] = last.replace(/\n$/, '');
    else joined.push(line);
  }
  return joined;
}
