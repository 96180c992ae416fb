// Owns `fs/…` but for watching: the files of this machine, as far as its user may. Paths are absolute, links are
// followed as the system follows them.

import type { BigIntStats, Dirent, Stats } from 'node:fs';
import { lstat, mkdir, opendir, rm, rmdir, stat, unlink, writeFile } from 'node:fs/promises';
import { join, parse } from 'node:path';
import type { FsReadDirectoryResult } from '@heddle/wire';
import type { Call, HandlersOf } from '../server/call.ts';
import { refusal } from '../server/params.ts';
import { absolutePath } from './absolute-path.ts';
import { copyPath } from './copy-path.ts';
import { decodeBase64 } from './decode-base64.ts';
import { refusalOf } from './os-error.ts';
import { optionalFlag } from './raw-field.ts';
import { readBounded } from './read-bounded.ts';

/** In base64 this is 22 MB of message. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;
const MAX_ENTRIES = 20_000;

type FileMethod = 'fs/readFile' | 'fs/writeFile' | 'fs/readDirectory' | 'fs/getMetadata' | 'fs/createDirectory' | 'fs/remove' | 'fs/copy';

export const fileRequests: HandlersOf<FileMethod> = {
  'fs/readFile': (call) =>
    answer(call, async () => ({ dataBase64: (await readBounded(absolutePath(call.params, 'path'), MAX_FILE_BYTES)).toString('base64') })),

  'fs/writeFile': (call) =>
    answer(call, async () => {
      const path = absolutePath(call.params, 'path');
      await writeFile(path, decodeContent(call.params.text('dataBase64')));
      return {};
    }),

  'fs/readDirectory': (call) => answer(call, async () => ({ entries: await readEntries(absolutePath(call.params, 'path')) })),

  'fs/getMetadata': (call) =>
    answer(call, async () => {
      const path = absolutePath(call.params, 'path');
      const [own, target] = [await lstat(path), await stat(path)];
      return {
        isDirectory: target.isDirectory(),
        isFile: target.isFile(),
        isSymlink: own.isSymbolicLink(),
        createdAtMs: Math.trunc(target.birthtimeMs),
        modifiedAtMs: Math.trunc(target.mtimeMs),
      };
    }),

  'fs/createDirectory': (call) =>
    answer(call, async () => {
      await mkdir(absolutePath(call.params, 'path'), { recursive: optionalFlag(call.params, 'recursive') ?? true });
      return {};
    }),

  'fs/remove': (call) =>
    answer(call, async () => {
      const { params } = call;
      await removePath(absolutePath(params, 'path'), optionalFlag(params, 'recursive') ?? true, optionalFlag(params, 'force') ?? true);
      return {};
    }),

  'fs/copy': (call) =>
    answer(call, async () => {
      const { params } = call;
      await copyPath(absolutePath(params, 'sourcePath'), absolutePath(params, 'destinationPath'), params.flag('recursive'));
      return {};
    }),
};

/** A failure of the system becomes a refusal in its words. */
async function answer<Result>(call: Call<Result>, work: () => Promise<Result>): Promise<void> {
  try {
    call.reply(await work());
  } catch (error) {
    throw refusalOf(error);
  }
}

function decodeContent(text: string): Uint8Array {
  try {
    return decodeBase64(text);
  } catch (error) {
    throw refusal(`fs/writeFile requires valid base64 dataBase64: ${(error as Error).message}`);
  }
}

async function readEntries(path: string): Promise<FsReadDirectoryResult['entries']> {
  const entries: FsReadDirectoryResult['entries'] = [];
  for await (const entry of await opendir(path)) {
    if (entries.length === MAX_ENTRIES) throw refusal(`directory is too large to list: limit is ${MAX_ENTRIES} entries`);
    const kind = await kindOf(entry, path);
    if (kind !== undefined) entries.push({ fileName: entry.name, isDirectory: kind.isDirectory(), isFile: kind.isFile() });
  }
  return entries;
}

/** Links count as what they lead to; `undefined` for one that leads nowhere. */
async function kindOf(entry: Dirent, folder: string): Promise<Dirent | Stats | BigIntStats | undefined> {
  if (!entry.isSymbolicLink()) return entry;
  return stat(join(folder, entry.name)).catch(() => undefined);
}

async function removePath(path: string, isRecursive: boolean, isForced: boolean): Promise<void> {
  if (parse(path).root === path) throw refusal('fs/remove does not remove the root of a file system');
  const stats = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (isForced && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (stats === undefined) return;
  if (!stats.isDirectory()) await unlink(path);
  else if (isRecursive) await rm(path, { recursive: true, force: isForced });
  else await rmdir(path);
}
