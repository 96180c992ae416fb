import { execFileSync } from 'node:child_process';
import { appendFile, lstat, mkdir, readdir, readFile, readlink, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { FsChanged } from '@heddle/wire';
import { describe, expect, test } from 'vitest';
import type { DemoClient } from '../bridges/demo-client.ts';
import { connect, scratchFolder, serviceSessions } from './service-client.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** A folder with a file, a folder and links to both and to nothing. */
async function stage() {
  const client = await connect();
  const folder = await scratchFolder();
  const at = (...names: string[]) => path.join(folder, ...names);
  await mkdir(at('dir', 'sub'), { recursive: true });
  await writeFile(at('dir', 'file'), 'hi');
  await writeFile(at('file'), 'top');
  await symlink(at('dir', 'file'), at('link'));
  await symlink(at('dir'), at('dirlink'));
  await symlink(at('nowhere'), at('broken'));
  return { client, at };
}

describe('reading', () => {
  test('a file, whole, whatever its size is said to be', async () => {
    const { client, at } = await stage();
    const read = async (file: string) => Buffer.from((await client.ok('fs/readFile', { path: file })).dataBase64, 'base64');
    expect((await read(at('link'))).toString()).toBe('hi');
    expect((await read(at('dir', '..', 'dir', 'file'))).toString()).toBe('hi');
    const large = Buffer.alloc(16 * 1024 * 1024, 'heddle');
    await writeFile(at('large'), large);
    expect((await read(at('large'))).equals(large)).toBe(true);
    if (process.platform === 'linux') expect((await read('/proc/self/status')).toString()).toMatch(/^Name:/);
  });

  test('refuses what is too large before it is read, and what is no file', async () => {
    const { client, at } = await stage();
    await writeFile(at('huge'), '');
    await truncate(at('huge'), 16 * 1024 * 1024 + 1);
    execFileSync('sh', ['-c', 'mkfifo "$0"', at('pipe')]);
    const refused = (file: string) => client.refused('fs/readFile', { path: file });
    expect(await refused(at('huge'))).toBe('-32600 file is too large to read: limit is 16777216 bytes');
    expect(await refused(at('dir'))).toBe(`-32600 path \`${at('dir')}\` is not a file`);
    expect(await refused(at('pipe'))).toBe(`-32600 path \`${at('pipe')}\` is not a file`);
    expect(await refused(at('broken'))).toBe('-32603 No such file or directory (os error 2)');
    expect(await refused(at('dir', 'file', 'x'))).toBe('-32603 Not a directory (os error 20)');
  });

  test.each(['', 'file', '~/file', 'file:///etc/hosts', './x'])('refuses the path %j', async (file) => {
    const client = await connect();
    expect(await client.refused('fs/readFile', { path: file })).toBe(
      '-32600 Invalid request: AbsolutePathBuf deserialized without a base path',
    );
  });

  test('a folder: links count as what they lead to, those that lead nowhere are left out', async () => {
    const { client, at } = await stage();
    const { entries } = await client.ok('fs/readDirectory', { path: at() });
    expect(entries.toSorted((one, other) => (one.fileName < other.fileName ? -1 : 1))).toEqual([
      { fileName: 'dir', isDirectory: true, isFile: false },
      { fileName: 'dirlink', isDirectory: true, isFile: false },
      { fileName: 'file', isDirectory: false, isFile: true },
      { fileName: 'link', isDirectory: false, isFile: true },
    ]);
    expect(await client.refused('fs/readDirectory', { path: at('link') })).toBe('-32603 Not a directory (os error 20)');
  });

  test('what is at a path', async () => {
    const { client, at } = await stage();
    const metadata = (name: string) => client.ok('fs/getMetadata', { path: at(name) });
    const { mtimeMs } = await lstat(at('dir', 'file'));
    expect(await metadata('link')).toMatchObject({ isDirectory: false, isFile: true, isSymlink: true, modifiedAtMs: Math.trunc(mtimeMs) });
    expect(await metadata('dirlink')).toMatchObject({ isDirectory: true, isFile: false, isSymlink: true });
    expect(await metadata('dir')).toMatchObject({ isDirectory: true, isFile: false, isSymlink: false });
    expect(await client.refused('fs/getMetadata', { path: at('broken') })).toBe('-32603 No such file or directory (os error 2)');
  });
});

describe('writing', () => {
  test('a file, also through a link', async () => {
    const { client, at } = await stage();
    await client.ok('fs/writeFile', { path: at('new'), dataBase64: base64('neu\0') });
    expect(await readFile(at('new'), 'utf8')).toBe('neu\0');
    await client.ok('fs/writeFile', { path: at('link'), dataBase64: '' });
    expect(await readFile(at('dir', 'file'), 'utf8')).toBe('');
    expect((await lstat(at('link'))).isSymbolicLink()).toBe(true);
  });

  test.each([
    ['***', 'Invalid symbol 42, offset 0.'],
    ['aGk', 'Invalid padding'],
    ['aGk=x', 'Invalid symbol 61, offset 3.'],
    ['aGkhä===', 'Invalid symbol 195, offset 4.'],
    ['aGkha', 'Invalid input length: 5'],
  ])('writes nothing of what is no base64: %j', async (dataBase64, why) => {
    const { client, at } = await stage();
    expect(await client.refused('fs/writeFile', { path: at('dir', 'file'), dataBase64 })).toBe(
      `-32600 fs/writeFile requires valid base64 dataBase64: ${why}`,
    );
    expect(await readFile(at('dir', 'file'), 'utf8')).toBe('hi');
  });

  test('needs a folder that is there, and no folder in its way', async () => {
    const { client, at } = await stage();
    const refused = (...names: string[]) => client.refused('fs/writeFile', { path: at(...names), dataBase64: '' });
    expect(await refused('no', 'file')).toBe('-32603 No such file or directory (os error 2)');
    expect(await refused('dir')).toBe('-32603 Is a directory (os error 21)');
  });

  test('a folder with those above it, unless it is not to be so', async () => {
    const { client, at } = await stage();
    const make = (params: object) => client.ok('fs/createDirectory', params);
    await make({ path: at('a', 'b', 'c') });
    await make({ path: at('a', 'b', 'c') });
    expect((await lstat(at('a', 'b', 'c'))).isDirectory()).toBe(true);
    const refused = (params: object) => client.refused('fs/createDirectory', params);
    expect(await refused({ path: at('x', 'y'), recursive: false })).toBe('-32603 No such file or directory (os error 2)');
    expect(await refused({ path: at('a'), recursive: false })).toBe('-32603 File exists (os error 17)');
    expect(await refused({ path: at('link') })).toBe('-32603 File exists (os error 17)');
  });
});

describe('removing', () => {
  test('a folder with all that is in it, a link and not what it leads to, and nothing', async () => {
    const { client, at } = await stage();
    for (const name of ['dirlink', 'broken', 'file', 'not-there']) await client.ok('fs/remove', { path: at(name) });
    expect(await readFile(at('dir', 'file'), 'utf8')).toBe('hi');
    await client.ok('fs/remove', { path: at('dir') });
    expect(await readdir(at())).toEqual(['link']);
  });

  test('refuses what it was told not to do, and the root', async () => {
    const { client, at } = await stage();
    const refused = (params: object) => client.refused('fs/remove', params);
    expect(await refused({ path: at('dir'), recursive: false })).toBe('-32603 Directory not empty (os error 39)');
    expect(await refused({ path: at('not-there'), force: false })).toBe('-32603 No such file or directory (os error 2)');
    expect(await refused({ path: at('dir'), recursive: 'no' })).toBe('-32600 Invalid request: `recursive` must be true or false');
    expect(await refused({ path: '/..' })).toBe('-32600 fs/remove does not remove the root of a file system');
    await client.ok('fs/remove', { path: at('dir', 'sub'), recursive: false });
    expect(await readdir(at('dir'))).toEqual(['file']);
  });
});

describe('copying', () => {
  test('a file, a link as a link, a folder into one that is there', async () => {
    const { client, at } = await stage();
    const copy = (from: string, to: string, more: object = {}) =>
      client.ok('fs/copy', { sourcePath: at(from), destinationPath: at(to), ...more });
    await copy('dir/file', 'copy');
    await copy('link', 'linkcopy');
    await symlink('file', at('dir', 'inner'));
    await copy('dir', 'dircopy', { recursive: true });
    await writeFile(at('dir', 'file'), 'changed');
    await writeFile(at('dircopy', 'own'), 'kept');
    await copy('dir', 'dircopy', { recursive: true });
    expect(await readFile(at('copy'), 'utf8')).toBe('hi');
    expect(await readlink(at('linkcopy'))).toBe(at('dir', 'file'));
    expect(await readlink(at('dircopy', 'inner'))).toBe('file');
    expect((await readdir(at('dircopy'))).toSorted()).toEqual(['file', 'inner', 'own', 'sub']);
    expect(await readFile(at('dircopy', 'file'), 'utf8')).toBe('changed');
  });

  test.each([
    ['dir', 'elsewhere', {}, '-32600 fs/copy requires recursive: true when sourcePath is a directory'],
    ['dir', 'dir', { recursive: true }, '-32600 fs/copy cannot copy a directory to itself or one of its descendants'],
    ['dir', 'dirlink/sub/x', { recursive: true }, '-32600 fs/copy cannot copy a directory to itself or one of its descendants'],
    ['dir', 'file', { recursive: true }, '-32603 File exists (os error 17)'],
    ['link', 'dir/file', {}, '-32603 File exists (os error 17)'],
    ['dir/file', 'dir/sub', {}, '-32603 Is a directory (os error 21)'],
    ['dir/file', 'no/where', {}, '-32603 No such file or directory (os error 2)'],
    ['no', 'where', {}, '-32603 No such file or directory (os error 2)'],
    ['/dev/null', 'null', {}, '-32600 fs/copy only supports regular files, directories, and symlinks'],
  ])('refuses %s to %s %j', async (from, to, more, refusal) => {
    const { client, at } = await stage();
    const sourcePath = path.resolve(at(), from);
    expect(await client.refused('fs/copy', { sourcePath, destinationPath: at(to), ...more })).toBe(refusal);
  });
});

describe('watching', () => {
  const changes = (client: DemoClient) => client.all('fs/changed').map(({ params }) => params as unknown as FsChanged);
  /** The paths that the next notice of a watch names. */
  async function next(client: DemoClient, watchId: string, since: number): Promise<string[]> {
    const message = await client.waitFor(
      ({ method, params }) => method === 'fs/changed' && (params as unknown as FsChanged).watchId === watchId,
      since,
    );
    return (message.params as unknown as FsChanged).changedPaths;
  }
  const during = async (client: DemoClient, watchId: string, change: () => Promise<unknown>) => {
    const since = client.received.length;
    await change();
    return next(client, watchId, since);
  };

  test('a file, as long as something has its name', async () => {
    const { client, at } = await stage();
    const file = at('dir', 'file');
    expect(await client.ok('fs/watch', { watchId: 'w', path: file })).toEqual({ path: file });
    expect(await during(client, 'w', () => appendFile(file, 'more'))).toEqual([file]);
    await writeFile(at('dir', 'other'), 'replacement');
    expect(await during(client, 'w', () => rename(at('dir', 'other'), file))).toEqual([file]);
    expect(await during(client, 'w', () => appendFile(file, 'more'))).toEqual([file]);
    expect(await during(client, 'w', () => rm(file))).toEqual([file]);
    expect(await during(client, 'w', () => writeFile(file, 'again'))).toEqual([file]);
    expect(await during(client, 'w', () => appendFile(file, 'more'))).toEqual([file]);
    await writeFile(at('dir', 'neighbour'), 'not told');
    expect(await during(client, 'w', () => appendFile(file, 'more'))).toEqual([file]);
    expect(changes(client).every(({ changedPaths }) => changedPaths.join() === file)).toBe(true);
  });

  test('a file behind a link, under the name of the link, also when it is replaced', async () => {
    const { client, at } = await stage();
    await client.ok('fs/watch', { watchId: 'w', path: at('link') });
    await writeFile(at('other'), 'replacement');
    expect(await during(client, 'w', () => rename(at('other'), at('dir', 'file')))).toEqual([at('link')]);
    expect(await during(client, 'w', () => appendFile(at('dir', 'file'), 'more'))).toEqual([at('link')]);
  });

  test('a file that is not there yet', async () => {
    const { client, at } = await stage();
    await client.ok('fs/watch', { watchId: 'w', path: at('later') });
    expect(await during(client, 'w', () => writeFile(at('later'), 'now'))).toEqual([at('later')]);
    expect(await during(client, 'w', () => appendFile(at('later'), 'more'))).toEqual([at('later')]);
  });

  test('a file in a folder that is not there yet, goes, and comes back', async () => {
    const { client, at } = await stage();
    const file = at('new', 'folder', 'file');
    await client.ok('fs/watch', { watchId: 'w', path: file });
    for (let round = 0; round < 2; round += 1) {
      expect(await during(client, 'w', () => mkdir(at('new', 'folder'), { recursive: true }))).toEqual([file]);
      expect(await during(client, 'w', () => writeFile(file, 'now'))).toEqual([file]);
      expect(await during(client, 'w', () => rm(at('new'), { recursive: true }))).toEqual([file]);
    }
  });

  test('a folder behind a link, under the name of the link', async () => {
    const { client, at } = await stage();
    await client.ok('fs/watch', { watchId: 'w', path: at('dirlink') });
    expect(await during(client, 'w', () => appendFile(at('dir', 'file'), 'more'))).toEqual([at('dirlink', 'file')]);
    expect(await during(client, 'w', () => writeFile(at('dir', 'new'), ''))).toEqual([at('dirlink', 'new')]);
  });

  test('a folder with what lies in it, not deeper, many changes in one notice', async () => {
    const { client, at } = await stage();
    await client.ok('fs/watch', { watchId: 'w', path: at('dir') });
    await writeFile(at('dir', 'sub', 'deep'), 'not told');
    const change = () => Promise.all([writeFile(at('dir', 'a'), ''), writeFile(at('dir', 'b'), ''), rm(at('dir', 'file'))]);
    expect(await during(client, 'w', change)).toEqual([at('dir', 'a'), at('dir', 'b'), at('dir', 'file')]);
  });

  test('ends when it is told to, and with the session', async () => {
    const sessions = serviceSessions();
    const [ada, bob] = [await sessions.connect(), await sessions.connect()];
    const folder = await scratchFolder();
    await ada.ok('fs/watch', { watchId: 'gone', path: folder });
    await ada.ok('fs/watch', { watchId: 'stays', path: folder });
    await bob.ok('fs/watch', { watchId: 'gone', path: folder });
    expect(await ada.refused('fs/watch', { watchId: 'gone', path: folder })).toBe('-32600 watchId already exists: gone');
    for (let round = 0; round < 2; round += 1) await ada.ok('fs/unwatch', { watchId: 'gone' });
    const told = next(ada, 'stays', 0);
    expect(await during(bob, 'gone', () => writeFile(path.join(folder, 'file'), ''))).toEqual([path.join(folder, 'file')]);
    await told;
    expect(changes(ada).map(({ watchId }) => watchId)).toEqual(['stays']);
    await ada.ok('fs/watch', { watchId: 'gone', path: folder });
  });

  test('is bounded', async () => {
    const { client, at } = await stage();
    for (let index = 0; index < 64; index += 1) await client.ok('fs/watch', { watchId: `w${index}`, path: at('dir', 'file') });
    expect(await client.refused('fs/watch', { watchId: 'w64', path: at() })).toBe(
      '-32600 fs/watch: 64 paths are watched already; end one with fs/unwatch',
    );
    await client.ok('fs/unwatch', { watchId: 'w0' });
    await Promise.all(Array.from({ length: 4097 }, (_, index) => writeFile(at('dir', 'sub', `${index}`), '')));
    expect(await client.refused('fs/watch', { watchId: 'w0', path: at('dir', 'sub') })).toBe(
      '-32600 directory is too large to watch: limit is 4096 entries',
    );
    expect(await client.refused('fs/watch', { watchId: 'w0', path: 'dir' })).toMatch(/AbsolutePathBuf/);
  });
});
