// Owns the reading of opencode's patches against the text that they are about. opencode shows them with the indentation
// that all their lines share taken off (1.18.33, measured), so a patch alone does not tell the text after it.

interface Hunk {
  /** Index of the first line that it is about. */
  start: number;
  lines: string[];
}

/**
 * The text after a patch.
 * @param before `''` for a file that is not there
 * @param patch a unified diff of one file, with or without its header
 * @returns undefined when the patch is not about that text
 */
export function applyPatch(before: string, patch: string): string | undefined {
  const old = linesOf(before);
  const indent = takenIndent(old, hunksOf(patch));
  if (indent === undefined) return undefined;
  const eol = before.includes('\r\n') ? '\r\n' : '\n';
  const out: string[] = [];
  let at = 0;
  for (const { start, lines } of hunksOf(patch)) {
    if (start < at || start > old.length) return undefined;
    out.push(...old.slice(at, start));
    at = start;
    for (const [index, line] of lines.entries()) {
      const isLast = lines[index + 1]?.startsWith('\\') === true;
      if (line.startsWith('+')) out.push(withIndent(line.slice(1), indent) + (isLast ? '' : eol));
      else if (line.startsWith(' ')) out.push(old[at++] ?? '');
      else if (line.startsWith('-')) at += 1;
    }
  }
  return [...out, ...old.slice(at)].join('');
}

/** The hunks of a patch without its header; '' when it has none. */
export function hunksText(patch: string): string {
  const start = patch.search(/^@@ /m);
  return start < 0 ? '' : `${patch.slice(start).trimEnd()}\n`;
}

function hunksOf(patch: string): Hunk[] {
  const hunks: Hunk[] = [];
  for (const line of patch.split('\n')) {
    const head = /^@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@/.exec(line);
    const from = Number(head?.[1] ?? 0);
    // A range without lines names the line before it.
    if (head !== null) hunks.push({ start: head[2] === '0' ? from : from - 1, lines: [] });
    else if (/^[ +\\-]/.test(line)) hunks.at(-1)?.lines.push(line);
  }
  return hunks;
}

/** What was taken off all lines of a patch, by its lines that the text has; undefined when the text has not all of them. */
function takenIndent(old: readonly string[], hunks: readonly Hunk[]): string | undefined {
  let indent: string | undefined;
  for (const { start, lines } of hunks) {
    let at = start;
    for (const line of lines) {
      if (!line.startsWith(' ') && !line.startsWith('-')) continue;
      const there = old[at++]?.replace(/\r?\n$/, '');
      const text = line.slice(1).replace(/\r$/, '');
      if (there === undefined || !there.endsWith(text) || there.slice(0, there.length - text.length).trim() !== '') return undefined;
      if (text.trim() !== '') indent ??= there.slice(0, there.length - text.length);
    }
  }
  return indent ?? '';
}

function withIndent(text: string, indent: string): string {
  return text.trim() === '' ? text : indent + text;
}

/** Lines with their ends; a last line without one keeps being without. */
function linesOf(text: string): string[] {
  return text === '' ? [] : text.split(/(?<=\n)/);
}
