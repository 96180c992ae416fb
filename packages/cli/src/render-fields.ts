// Owns the two-column layout of `status` and of the banner: a name, then one value a line.

import type { Paint } from './paint.ts';

/** Rows without a value are left out. */
export function renderFields(rows: readonly (readonly [name: string, values: readonly string[]])[], paint: Paint): string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.flatMap(([name, values]) =>
    values.map((value, at) => `  ${at === 0 ? paint('dim', name) + ' '.repeat(width - name.length) : ' '.repeat(width)}  ${value}`),
  );
}
