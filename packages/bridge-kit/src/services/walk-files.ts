// Owns walking a folder that is no repository: what lies on top comes first, `.gitignore` files hold for what lies
// below them, links are named and not followed.

import type { Dir, Dirent } from 'node:fs';
import { opendir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import type { FoundPath } from './list-files.ts';

const MAX_IGNORE_FILE_BYTES = 256 * 1024;

interface Folder {
  /** Relative to the root, with a slash at its end; '' is the root. */
  path: string;
  /** The rules that hold in it, the outermost first. */
  rules: readonly { base: string; rules: Ignore }[];
}

/** Ends early when its reader stops. What can't be read is passed over. @param root absolute. */
export async function* walkFiles(root: string): AsyncGenerator<Omit<FoundPath, 'root'>> {
  const waiting: Folder[] = [{ path: '', rules: [] }];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const rules = await withOwnRules(root, next);
    const folder = await opendir(join(root, next.path)).catch(() => undefined);
    if (folder === undefined) continue;
    for await (const entry of entriesOf(folder)) {
      if (entry.name === '.git') continue;
      const path = `${next.path}${entry.name}`;
      const isDirectory = entry.isDirectory() || (entry.isSymbolicLink() && (await leadsToFolder(join(root, path))));
      if (isIgnored(path, isDirectory, rules)) continue;
      if (isDirectory || entry.isFile() || entry.isSymbolicLink()) yield { path, isDirectory };
      if (entry.isDirectory()) waiting.push({ path: `${path}/`, rules });
    }
  }
}

async function* entriesOf(folder: Dir): AsyncGenerator<Dirent> {
  try {
    yield* folder;
  } catch {
    // The folder has gone while it was read: what it had is no file any more.
  }
}

async function withOwnRules(root: string, { path, rules }: Folder): Promise<Folder['rules']> {
  const file = join(root, path, '.gitignore');
  const stats = await stat(file).catch(() => undefined);
  if (stats?.isFile() !== true || stats.size > MAX_IGNORE_FILE_BYTES) return rules;
  const text = await readFile(file, 'utf8').catch(() => '');
  return [...rules, { base: path, rules: ignore({ allowRelativePaths: true }).add(text) }];
}

/** The innermost file that says something about a path decides. */
function isIgnored(path: string, isDirectory: boolean, all: Folder['rules']): boolean {
  for (const { base, rules } of all.toReversed()) {
    const verdict = rules.test(`${path.slice(base.length)}${isDirectory ? '/' : ''}`);
    if (verdict.ignored || verdict.unignored) return verdict.ignored;
  }
  return false;
}

async function leadsToFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
