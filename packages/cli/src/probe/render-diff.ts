// Owns how changes to files look on a terminal. Pure.

import type { FileUpdateChange } from '@heddle/wire';
import type { Paint, Style } from '../paint.ts';
import { printable } from '../printable.ts';

const marks = { add: 'A', delete: 'D', update: 'M' } satisfies Record<FileUpdateChange['kind']['type'], string>;

/** A headline and the changed lines, each with its line end. */
export function renderChange(change: FileUpdateChange, paint: Paint): string {
  const { kind, path } = change;
  const target = kind.type === 'update' && kind.move_path !== null ? ` → ${printable(kind.move_path)}` : '';
  const lines = linesOf(change).map((line) => `  ${paintLine(printable(line), paint)}\n`);
  return `${paint('bold', `${marks[kind.type] ?? '?'} ${printable(path)}${target}`)}\n${lines.join('')}`;
}

/** An added or deleted file comes as its text alone, without marks; an update comes as hunks. */
function linesOf({ kind, diff }: FileUpdateChange): string[] {
  // codex adds a sentence to the hunks of a file that was renamed (0.169, measured); the headline says it already.
  const isMoved = kind.type === 'update' && kind.move_path !== null;
  const lines = (isMoved ? diff.replace(/\s*\n\nMoved to: [^\n]*\s*$/, '') : diff).replace(/\n$/, '').split('\n');
  if (diff === '') return [];
  switch (kind.type) {
    case 'add':
      return lines.map((line) => `+${line}`);
    case 'delete':
      return lines.map((line) => `-${line}`);
    case 'update':
      return lines;
  }
}

function paintLine(line: string, paint: Paint): string {
  const style: Style | undefined = line.startsWith('+')
    ? 'green'
    : line.startsWith('-')
      ? 'red'
      : line.startsWith('@@')
        ? 'cyan'
        : undefined;
  return style === undefined ? line : paint(style, line);
}
