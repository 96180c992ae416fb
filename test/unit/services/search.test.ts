import { execFileSync } from 'node:child_process';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { FuzzyFileMatch, FuzzySessionUpdated } from '@heddle/wire';
import { describe, expect, test } from 'vitest';
import { Git } from '../../../packages/bridge-kit/src/services/git.ts';
import { listFiles } from '../../../packages/bridge-kit/src/services/list-files.ts';
import { rankFiles } from '../../../packages/bridge-kit/src/services/rank-files.ts';
import type { DemoClient } from '../bridges/demo-client.ts';
import { connect, scratchFolder, serviceSessions } from './service-client.ts';

const git = (cwd: string, ...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', '-c', 'protocol.file.allow=always', ...args], { cwd, stdio: 'ignore' });

/** Files by their paths, with their contents. */
async function fill(folder: string, files: Record<string, string>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.join(folder, path.dirname(name)), { recursive: true });
    await writeFile(path.join(folder, name), content);
  }
}

const files = {
  'src/main.ts': '',
  'src/domain.ts': '',
  'src/main/other.ts': '',
  'README.md': '',
  '.hidden/main.ts': '',
  '.gitignore': 'ignored/\n*.log\n!kept.log\n/top.txt\n',
  'ignored/main.ts': '',
  'sub/.gitignore': '*.tmp\n!*.log\n',
  'sub/main.tmp': '',
  'sub/main.log': '',
  'main.log': '',
  'kept.log': '',
  'top.txt': '',
  'sub/top.txt': '',
};
const visible = ['.gitignore', '.hidden/main.ts', 'README.md', 'kept.log', 'src/domain.ts', 'src/main.ts', 'src/main/other.ts']
  .concat(['sub/.gitignore', 'sub/main.log', 'sub/top.txt'])
  .toSorted();

const list = async (root: string, env = process.env) => {
  const listing = await listFiles(root, new Git(() => env));
  const names = (isDirectory: boolean) => listing.files.flatMap((file) => (file.isDirectory === isDirectory ? [file.path] : [])).toSorted();
  return { ...listing, names: names(false), folders: names(true) };
};
const search = (client: DemoClient, params: object): Promise<FuzzyFileMatch[]> =>
  client.ok('fuzzyFileSearch', params).then((result) => result.files);

describe('the files of a folder', () => {
  test.each(['a repository', 'no repository', 'a repository without git'])('are those that are not ignored, in %s', async (kind) => {
    const root = await scratchFolder();
    await fill(root, files);
    if (kind !== 'no repository') git(root, 'init', '-q');
    const env = kind === 'a repository without git' ? { PATH: '/nowhere' } : process.env;
    expect(await list(root, env)).toMatchObject({ names: visible, folders: ['.hidden', 'src', 'src/main', 'sub'], isCut: false });
  });

  test('are those of a part of a repository, by its rules', async () => {
    const root = await scratchFolder();
    await fill(root, files);
    git(root, 'init', '-q');
    expect((await list(path.join(root, 'sub'))).names).toEqual(['.gitignore', 'main.log', 'top.txt']);
  });

  test('are there, tracked or not, deleted ones are not, with the repositories inside', async () => {
    const root = await scratchFolder();
    await fill(root, { tracked: '', deleted: '', 'a "b" ü\n': '', 'inner/file': '', 'inner/.gitignore': 'ignored\n', 'inner/ignored': '' });
    git(path.join(root, 'inner'), 'init', '-q');
    await fill(root, { 'module/file': '' });
    git(path.join(root, 'module'), 'init', '-q');
    git(path.join(root, 'module'), 'add', '.');
    git(path.join(root, 'module'), 'commit', '-qm', 'one');
    git(root, 'init', '-q');
    git(root, 'add', 'tracked', 'deleted', 'module');
    await rm(path.join(root, 'deleted'));
    expect(await list(root)).toMatchObject({
      names: ['a "b" ü\n', 'inner/.gitignore', 'inner/file', 'module/file', 'tracked'],
      folders: ['inner', 'module'],
    });
  });

  test('are there although the repository around the folder ignores it', async () => {
    const root = await scratchFolder();
    await fill(root, { '.gitignore': 'vendor\n', 'vendor/lib/file': '' });
    git(root, 'init', '-q');
    expect((await list(path.join(root, 'vendor'))).names).toEqual(['lib/file']);
  });

  test('are not those behind a link, which is named itself', async () => {
    const root = await scratchFolder();
    await fill(root, { 'dir/file': '' });
    await symlink(root, path.join(root, 'dir', 'loop'));
    await symlink('file', path.join(root, 'dir', 'link'));
    expect(await list(root)).toMatchObject({ names: ['dir/file', 'dir/link'], folders: ['dir', 'dir/loop'] });
  });

  test('are none where no folder is', async () => {
    const root = await scratchFolder();
    expect((await list(path.join(root, 'none'))).files).toEqual([]);
  });
});

describe('fuzzyFileSearch', () => {
  test("finds by letters in their order, a file's own name before its folders", async () => {
    const root = await scratchFolder();
    await fill(root, files);
    const found = await search(await connect(), { query: 'main', roots: [root] });
    expect(found.map((file) => file.path)).toEqual([
      'src/main',
      'src/main.ts',
      '.hidden/main.ts',
      'sub/main.log',
      'src/domain.ts',
      'src/main/other.ts',
    ]);
    expect(found[0]).toMatchObject({ root, match_type: 'directory', file_name: 'main', indices: [4, 5, 6, 7] });
    expect(found[4]).toMatchObject({ root, match_type: 'file', file_name: 'domain.ts', indices: [6, 7, 8, 9] });
    const scores = found.map(({ score }) => score);
    expect(scores.every((score) => Number.isInteger(score) && score >= 0)).toBe(true);
    expect(scores.toSorted((one, other) => other - one)).toEqual(scores);
  });

  test('takes words, slashes and either case', async () => {
    const root = await scratchFolder();
    await fill(root, files);
    const client = await connect();
    const first = async (query: string) => (await search(client, { query, roots: [root] }))[0]?.path;
    expect(await first('oth src')).toBe('src/main/other.ts');
    expect(await first('src/dom')).toBe('src/domain.ts');
    expect(await first('readme')).toBe('README.md');
    expect(await first('MAIN.TS')).toBe('src/main.ts');
    expect(await first('')).toBeUndefined();
    expect(await first('nothing like it')).toBeUndefined();
  });

  test('in several folders, of which one need not be there, and answers 50 at most', async () => {
    const root = await scratchFolder();
    await fill(root, Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`a/file${index}`, ''])));
    await fill(root, { 'b/file': '' });
    const found = await search(await connect(), { query: 'file', roots: [path.join(root, 'a'), path.join(root, 'b'), '/no/such'] });
    expect(found).toHaveLength(50);
    expect(found[0]).toMatchObject({ root: path.join(root, 'b'), path: 'file' });
  });

  test('counts characters, not code units', async () => {
    const paths = [{ root: '/', path: '𝒳𝒳/a𝒳b.ts', isDirectory: false }];
    const [found] = await rankFiles('ab', paths, new AbortController().signal);
    expect(found?.indices).toEqual([3, 5]);
  });

  test('ends when a later one with its token begins', async () => {
    const root = await scratchFolder();
    await fill(root, files);
    const client = await connect();
    const [first, other, last] = await Promise.all([
      search(client, { query: 'main', roots: [root], cancellationToken: 't' }),
      search(client, { query: 'main', roots: [root], cancellationToken: 'u' }),
      search(client, { query: 'readme', roots: [root], cancellationToken: 't' }),
    ]);
    expect([first.length, other.length, last.map((file) => file.path)]).toEqual([0, 6, ['README.md']]);
  });

  test.each([
    [{ roots: [] }, '-32600 Invalid request: missing field `query`'],
    [{ query: 'a' }, '-32600 Invalid request: missing field `roots`'],
    [{ query: 'a', roots: '/' }, '-32600 Invalid request: `roots` must be a list of strings'],
    [{ query: 'a', roots: ['.'] }, '-32600 Invalid request: `roots` must be absolute paths, "." is not'],
    [{ query: 'a', roots: Array.from({ length: 17 }, () => '/') }, '-32600 Invalid request: `roots` has more than 16 folders'],
  ])('%j is refused', async (params, refusal) => {
    expect(await (await connect()).refused('fuzzyFileSearch', params)).toBe(refusal);
  });
});

describe('a search session', () => {
  const updates = (client: DemoClient) =>
    client.all('fuzzyFileSearch/sessionUpdated').map(({ params }) => params as unknown as FuzzySessionUpdated);
  const completed = (client: DemoClient, times: number) =>
    client.waitFor(() => client.all('fuzzyFileSearch/sessionCompleted').length === times);

  test('tells what fits each query, over the files of its beginning', async () => {
    const root = await scratchFolder();
    await fill(root, files);
    const client = await connect();
    await client.ok('fuzzyFileSearch/sessionStart', { sessionId: 's', roots: [root] });
    await client.ok('fuzzyFileSearch/sessionUpdate', { sessionId: 's', query: 'readme' });
    await completed(client, 1);
    await client.ok('fuzzyFileSearch/sessionUpdate', { sessionId: 's', query: 'domain' });
    await completed(client, 2);
    expect(updates(client).map(({ query, files: found }) => [query, found.map((file) => file.path)])).toEqual([
      ['readme', ['README.md']],
      ['domain', ['src/domain.ts']],
    ]);
    await client.ok('fuzzyFileSearch/sessionStop', { sessionId: 's' });
    expect(await client.refused('fuzzyFileSearch/sessionUpdate', { sessionId: 's', query: 'x' })).toBe(
      '-32600 fuzzy file search session not found: s',
    );
  });

  test('tells nothing of a query that another has overtaken', async () => {
    const root = await scratchFolder();
    await fill(root, files);
    const client = await connect();
    await client.ok('fuzzyFileSearch/sessionStart', { sessionId: 's', roots: [root] });
    await Promise.all(['r', 're', 'readme'].map((query) => client.ok('fuzzyFileSearch/sessionUpdate', { sessionId: 's', query })));
    await completed(client, 1);
    expect(updates(client).map(({ query }) => query)).toEqual(['readme']);
  });

  test('needs a name, a folder, and the capability for what is experimental', async () => {
    const client = await connect();
    const start = (params: object) => client.refused('fuzzyFileSearch/sessionStart', params);
    expect(await start({ sessionId: '', roots: ['/'] })).toBe('-32600 sessionId must not be empty');
    expect(await start({ sessionId: 's', roots: [] })).toBe(
      '-32603 failed to start fuzzy file search session: at least one search directory is required',
    );
    const folder = await scratchFolder();
    for (const sessionId of ['a', 'b', 'c', 'd', 'd']) await client.ok('fuzzyFileSearch/sessionStart', { sessionId, roots: [folder] });
    expect(await start({ sessionId: 'e', roots: [folder] })).toMatch(/4 fuzzy file search sessions are open already/);
    const plain = await serviceSessions().connect({});
    expect(await plain.refused('fuzzyFileSearch/sessionStart', { sessionId: 's', roots: [folder] })).toBe(
      '-32600 fuzzyFileSearch/sessionStart requires experimentalApi capability',
    );
    expect(await search(plain, { query: 'x', roots: [folder] })).toEqual([]);
  });
});
