// Owns copying a file, a link or a folder, as codex 0.169 does it: a link stays a link, a folder goes into one that is
// there already, and never into itself.

import { copyFile, cp, lstat, readlink, realpath, symlink } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { refusal } from '../server/params.ts';

/**
 * @param from absolute, as `to`.
 * @throws RpcError for what can't be copied; Error of the system.
 */
export async function copyPath(from: string, to: string, isRecursive: boolean): Promise<void> {
  const stats = await lstat(from);
  if (stats.isSymbolicLink()) return symlink(await readlink(from), to);
  if (stats.isFile()) return copyFile(from, to);
  if (!stats.isDirectory()) throw refusal('fs/copy only supports regular files, directories, and symlinks');
  if (!isRecursive) throw refusal('fs/copy requires recursive: true when sourcePath is a directory');
  const [source, target] = [await realpath(from), await realpathOfNew(to)];
  if (target === source || target.startsWith(source.endsWith(sep) ? source : source + sep)) {
    throw refusal('fs/copy cannot copy a directory to itself or one of its descendants');
  }
  const isInTheWay = await lstat(to).then(
    (there) => !there.isDirectory(),
    () => false,
  );
  if (isInTheWay) throw Object.assign(new Error(`${to} is no folder`), { code: 'EEXIST' });
  await cp(from, to, { recursive: true, verbatimSymlinks: true });
}

/** Where a path will be once it is there: what exists of it may be reached through links. */
async function realpathOfNew(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error;
    return `${await realpathOfNew(dirname(path))}${path.slice(dirname(path).length)}`;
  }
}
