// Owns the reading of the difference that pi prints for an edit (0.73 tells no other): lines with their numbers, of which
// those that stay the same are left out in between. Source: pi 0.73.1, measured.

interface Line {
  mark: ' ' | '-' | '+';
  /** In the old text; of an added line, in the new one. */
  number: number;
  text: string;
}

/** As hunks of a unified diff. `undefined`: it is something else. */
export function hunksOfPrintedDiff(printed: string): string | undefined {
  const hunks: Line[][] = [[]];
  for (const printedLine of printed.split('\n')) {
    if (/^ +\.\.\.$/.test(printedLine)) {
      hunks.push([]);
      continue;
    }
    const line = lineOf(printedLine);
    if (line === undefined) return undefined;
    hunks.at(-1)?.push(line);
  }
  let added = 0; // how much longer the new text has become before a hunk
  return hunks
    .filter((lines) => lines.some(({ mark }) => mark !== ' '))
    .map((lines) => {
      const text = hunkOf(lines, added);
      added += lines.filter(({ mark }) => mark === '+').length - lines.filter(({ mark }) => mark === '-').length;
      return text;
    })
    .join('');
}

function lineOf(printed: string): Line | undefined {
  const [, mark, digits, text] = /^([ +-]) *(\d+) (.*)$/s.exec(printed) ?? [];
  if (mark === undefined || digits === undefined || text === undefined) return undefined;
  return { mark: mark as Line['mark'], number: Number(digits), text };
}

function hunkOf(lines: readonly Line[], added: number): string {
  const oldLines = lines.filter(({ mark }) => mark !== '+');
  const newLines = lines.filter(({ mark }) => mark !== '-');
  const firstAdded = lines.find(({ mark }) => mark === '+')?.number ?? 1;
  // An empty range names the line before it.
  const oldStart = oldLines[0]?.number ?? Math.max(firstAdded - added - 1, 0);
  const newStart = newLines.length === 0 ? Math.max(oldStart + added - 1, 0) : oldLines.length === 0 ? firstAdded : oldStart + added;
  const body = lines.map(({ mark, text }) => `${mark}${text}\n`).join('');
  return `@@ -${range(oldStart, oldLines.length)} +${range(newStart, newLines.length)} @@\n${body}`;
}

function range(start: number, count: number): string {
  return count === 1 ? `${start}` : `${start},${count}`;
}
