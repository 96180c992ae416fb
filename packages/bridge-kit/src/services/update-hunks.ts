// Owns the difference of two texts as hunks of a unified diff: the smallest where that can be found in time, else one
// hunk with everything between the first and the last line that differ. Both are true.

import { structuredPatch } from 'diff';

const CONTEXT_LINES = 3;
/** Beyond these the smallest difference is not looked for: the search is quadratic in what differs. */
const MAX_EDITS = 4_000;
const MAX_SEARCH_MS = 250;
const NO_NEWLINE = '\\ No newline at end of file';

/** Lines with their marks, without their ends. */
interface Hunk {
  oldStart: number;
  oldLines: number;
  newStart: number;
  newLines: number;
  lines: string[];
}

/**
 * Hunks from `@@` on that turn `before` into `after`, with three lines around each change: what a fileChange item of
 * the wire carries for an update. Empty when they are equal.
 */
export function updateHunks(before: string, after: string): string {
  if (before === after) return '';
  const options = { context: CONTEXT_LINES, maxEditLength: MAX_EDITS, timeout: MAX_SEARCH_MS };
  const patch = structuredPatch('', '', before, after, undefined, undefined, options);
  return (patch?.hunks ?? [oneHunk(before, after)]).map(hunkText).join('');
}

function hunkText({ oldStart, oldLines, newStart, newLines, lines }: Hunk): string {
  return `@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@\n${lines.map((line) => `${line}\n`).join('')}`;
}

/** A range counts lines from 1; an empty one names the line before it; a count of 1 is left out. */
function range(start: number, count: number): string {
  if (count === 0) return `${start - 1},0`;
  return count === 1 ? `${start}` : `${start},${count}`;
}

function oneHunk(before: string, after: string): Hunk {
  const [old, next] = [linesOf(before), linesOf(after)];
  let start = 0;
  while (start < old.length && start < next.length && old[start] === next[start]) start += 1;
  let same = 0; // lines that are equal at the end
  while (same < old.length - start && same < next.length - start && old.at(-1 - same) === next.at(-1 - same)) same += 1;
  const from = Math.max(start - CONTEXT_LINES, 0);
  const trailing = Math.min(same, CONTEXT_LINES);
  const lines = [
    ...old.slice(from, start).flatMap((line) => marked(' ', line)),
    ...old.slice(start, old.length - same).flatMap((line) => marked('-', line)),
    ...next.slice(start, next.length - same).flatMap((line) => marked('+', line)),
    ...old.slice(old.length - same, old.length - same + trailing).flatMap((line) => marked(' ', line)),
  ];
  return {
    oldStart: from + 1,
    oldLines: old.length - same + trailing - from,
    newStart: from + 1,
    newLines: next.length - same + trailing - from,
    lines,
  };
}

/** Lines with their ends; a last line without one keeps being without. */
function linesOf(text: string): string[] {
  return text === '' ? [] : text.split(/(?<=\n)/);
}

function marked(mark: string, line: string): string[] {
  return line.endsWith('\n') ? [mark + line.slice(0, -1)] : [mark + line, NO_NEWLINE];
}
