// Owns whether a path really lies in a folder, with its links followed: an agent that may write in a folder may not write
// through a link that leads out of it.

import { readlink, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';

/** As many as systems follow. */
const MAX_LINKS = 40;

/** @param path absolute; it need not be there. @param folders absolute */
export async function isInsideAny(path: string, folders: readonly string[]): Promise<boolean> {
  const real = await realPathOf(path);
  const roots = await Promise.all(folders.map((folder) => realPathOf(folder)));
  return roots.some((root) => real === root || real.startsWith(root.endsWith(sep) ? root : root + sep));
}

/** With all links followed, also of a file that is not there yet: to write to a link makes what it points at. */
async function realPathOf(path: string, depth = 0): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const target = depth < MAX_LINKS ? await readlink(path).catch(() => undefined) : undefined;
    if (target !== undefined) return realPathOf(resolve(dirname(path), target), depth + 1);
    const parent = dirname(path);
    return parent === path ? path : join(await realPathOf(parent, depth), basename(path));
  }
}
