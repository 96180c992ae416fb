// Owns the look at a file that an agent proposes to change, so that its true difference can be shown beforehand.

import { readFile, stat } from 'node:fs/promises';

/** A file that is larger is changed without its difference being shown. */
const MAX_DIFFED_BYTES = 1024 * 1024;

/** The text of a file. `null` when there is none; `undefined` when it can't be shown: too large, no file, not readable. */
export async function readFileText(path: string): Promise<string | null | undefined> {
  try {
    const stats = await stat(path);
    return !stats.isFile() || stats.size > MAX_DIFFED_BYTES ? undefined : await readFile(path, 'utf8');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? null : undefined;
  }
}
