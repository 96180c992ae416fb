import { execFileSync } from 'node:child_process';
import { appendFile, chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { Git } from '../../../packages/bridge-kit/src/services/git.ts';
import { GitInfos, withoutSecrets } from '../../../packages/bridge-kit/src/services/git-info.ts';
import { demoBridge, DemoClient } from '../bridges/demo-client.ts';
import { scratchFolder } from './service-client.ts';

const git = (cwd: string, ...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();

/** A repository on its branch `main` with one commit, and an empty one beside it as its remote. */
async function repository() {
  const folder = await scratchFolder();
  const repo = path.join(folder, 'repo');
  await mkdir(repo);
  git(folder, 'init', '-q', '--bare', 'origin.git');
  git(repo, 'init', '-q', '-b', 'main');
  await writeFile(path.join(repo, 'file'), '1\n');
  git(repo, 'add', '.');
  git(repo, 'commit', '-qm', 'one');
  git(repo, 'remote', 'add', 'origin', '../origin.git');
  return { repo, sha: git(repo, 'rev-parse', 'HEAD'), push: () => git(repo, 'push', '-q', '-u', 'origin', 'main') };
}

describe('gitDiffToRemote', () => {
  // codex's JSON schema does not know this method, so the session is not compared with it.
  const ask = async (cwd: string, env = process.env) => {
    const bridge = demoBridge(env);
    try {
      return await (await DemoClient.connect(bridge)).request('gitDiffToRemote', { cwd });
    } finally {
      await bridge.close();
    }
  };
  const refusal = async (cwd: string) => {
    const { error } = await ask(cwd);
    return `${error?.code} ${error?.message}`;
  };

  test('is everything that the remote does not have: commits, changes and new files', async () => {
    const { repo, sha, push } = await repository();
    push();
    await appendFile(path.join(repo, 'file'), '2\n');
    git(repo, 'commit', '-qam', 'two');
    await appendFile(path.join(repo, 'file'), '3\n');
    await writeFile(path.join(repo, '.gitignore'), 'ignored\n');
    await writeFile(path.join(repo, 'ignored'), 'not told\n');
    await mkdir(path.join(repo, 'sub'));
    await writeFile(path.join(repo, 'sub', 'new ü'), 'n');
    const before = [await readFile(path.join(repo, '.git', 'index')), git(repo, 'status', '--porcelain')];
    const expected =
      'diff --git a/.gitignore b/.gitignore\nnew file mode 100644\nindex 0000000..ea10ec8\n--- /dev/null\n+++ b/.gitignore\n@@ -0,0 +1 @@\n+ignored\n' +
      'diff --git a/file b/file\nindex d00491f..01e79c3 100644\n--- a/file\n+++ b/file\n@@ -1 +1,3 @@\n 1\n+2\n+3\n' +
      'diff --git a/sub/new ü b/sub/new ü\nnew file mode 100644\nindex 0000000..ef073cc\n--- /dev/null\n+++ b/sub/new ü\t\n@@ -0,0 +1 @@\n+n\n\\ No newline at end of file\n';
    for (const cwd of [repo, path.join(repo, 'sub')]) expect((await ask(cwd)).result).toEqual({ sha, diff: expected });
    expect([await readFile(path.join(repo, '.git', 'index')), git(repo, 'status', '--porcelain')]).toEqual(before);
  });

  test('is counted from where a branch without a remote one left the main one', async () => {
    const { repo, sha, push } = await repository();
    push();
    git(repo, 'checkout', '-q', '-b', 'feature');
    await appendFile(path.join(repo, 'file'), '2\n');
    git(repo, 'commit', '-qam', 'two');
    expect((await ask(repo)).result).toMatchObject({ sha, diff: expect.stringContaining('+2\n') });
  });

  test('is empty when the remote has everything', async () => {
    const { repo, sha, push } = await repository();
    push();
    expect((await ask(repo)).result).toEqual({ sha, diff: '' });
  });

  test('is refused where there is none', async () => {
    const { repo } = await repository();
    const folder = await scratchFolder();
    const text = (cwd: string, why: string) => `-32600 failed to compute git diff to remote for cwd: ${JSON.stringify(cwd)}: ${why}`;
    expect(await refusal(repo)).toBe(text(repo, 'no commit of it is known to be on a remote'));
    expect(await refusal(folder)).toBe(text(folder, 'there is no git repository, or no git'));
    expect(await refusal('/no/such')).toBe(text('/no/such', 'there is no git repository, or no git'));
    expect(await refusal('.')).toBe(text('.', 'the path is not absolute'));
  });

  test('is refused when it is too long for a message', async () => {
    const { repo, push } = await repository();
    push();
    await writeFile(path.join(repo, 'large'), 'x\n'.repeat(5 * 1024 * 1024));
    expect(await refusal(repo)).toMatch(/: it has more than 8388608 bytes, or takes too long$/);
  });
});

describe('what a thread says of its repository', () => {
  const infoOf = (cwd: string, env: NodeJS.ProcessEnv = process.env) => new GitInfos(new Git(() => env)).of(cwd);

  test('is its commit, branch and origin', async () => {
    const { repo, sha } = await repository();
    await mkdir(path.join(repo, 'sub'));
    expect(await infoOf(path.join(repo, 'sub'))).toEqual({ sha, branch: 'main', originUrl: '../origin.git' });
    git(repo, 'checkout', '-q', '--detach');
    git(repo, 'remote', 'remove', 'origin');
    expect(await infoOf(repo)).toEqual({ sha, branch: null, originUrl: null });
  });

  test('is a branch without a commit in a new repository, and nothing where there is none', async () => {
    const folder = await scratchFolder();
    expect(await infoOf(folder)).toBeNull();
    expect(await infoOf('/no/such')).toBeNull();
    git(folder, 'init', '-q', '-b', 'first');
    expect(await infoOf(folder)).toEqual({ sha: null, branch: 'first', originUrl: null });
    expect(await infoOf(folder, { PATH: '/nowhere' })).toBeNull();
  });

  test("is the folder's, wherever the daemon was started from", async () => {
    const [one, other] = [await repository(), await repository()];
    git(other.repo, 'checkout', '-q', '-b', 'elsewhere');
    expect(await infoOf(one.repo, { ...process.env, GIT_DIR: path.join(other.repo, '.git') })).toMatchObject({ branch: 'main' });
  });

  test('is asked for once by all who ask in the same seconds', async () => {
    const { repo } = await repository();
    let calls = 0;
    const infos = new GitInfos(
      new Git(() => {
        calls += 1;
        return process.env;
      }),
    );
    const [first, second] = await Promise.all([infos.of(repo), infos.of(repo)]);
    expect(second).toBe(first);
    expect(calls).toBe(3);
  });

  test.each([
    ['https://ada:token@example.org/a/b.git', 'https://example.org/a/b.git'],
    ['https://token@example.org/a@b.git', 'https://example.org/a@b.git'],
    ['https://ada:to@ken@example.org/a', 'https://example.org/a'],
    ['ssh://git@example.org:22/a.git', 'ssh://git@example.org:22/a.git'],
    ['ssh://git:token@example.org/a.git', 'ssh://git@example.org/a.git'],
    ['git@example.org:a/b.git', 'git@example.org:a/b.git'],
    ['/srv/a.git', '/srv/a.git'],
  ])('has no secret of the origin %s', (url, expected) => {
    expect(withoutSecrets(url)).toBe(expected);
  });
});

describe('git', () => {
  /** A program of that name that is not git. */
  async function pretend(script: string) {
    const folder = await scratchFolder();
    await writeFile(path.join(folder, 'git'), `#!/bin/sh\n${script}\n`);
    await chmod(path.join(folder, 'git'), 0o755);
    return { folder, git: new Git(() => ({ PATH: `${folder}:${process.env['PATH']}` })) };
  }

  test('is cut when it says too much, and when it takes too long', async () => {
    const flood = await pretend('yes');
    expect(await flood.git.call({ cwd: flood.folder, args: [], maxBytes: 10 })).toMatchObject({
      isCut: true,
      stdout: Buffer.from('y\n'.repeat(5)),
    });
    const slow = await pretend('echo begun; sleep 60');
    expect(await slow.git.call({ cwd: slow.folder, args: [], timeoutMs: 200 })).toMatchObject({
      isCut: true,
      stdout: Buffer.from('begun\n'),
    });
    expect(await slow.git.ask(path.join(slow.folder, 'none'))).toBeUndefined();
  });

  test('runs four times at once at most, and each call has its turn', async () => {
    const { folder, git: counted } = await pretend('touch "$0.$$"; ls "$(dirname "$0")" | grep -c "git\\\\." ; sleep 0.05; rm "$0.$$"');
    const answers = await Promise.all(Array.from({ length: 12 }, () => counted.ask(folder)));
    expect(answers).toHaveLength(12);
    expect(Math.max(...answers.map(Number))).toBeLessThanOrEqual(4);
    expect(await readdir(folder)).toEqual(['git']);
  });
});
