// Owns `gitDiffToRemote`: everything in a folder's repository that the remote does not have yet, as one git diff.
// The repository is not touched: files that git does not know are noted in a copy of its index.

import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import type { GitDiffToRemoteResult } from '@heddle/wire';
import { refusal } from '../server/params.ts';
import type { Git } from './git.ts';

const MAX_DIFF_BYTES = 8 * 1024 * 1024;
const DIFF_TIMEOUT_MS = 30_000;

/**
 * @throws RpcError in codex's words, with the reason behind them.
 */
export async function gitDiffToRemote(git: Git, cwd: string): Promise<GitDiffToRemoteResult> {
  const refused = (why: string) => refusal(`failed to compute git diff to remote for cwd: ${JSON.stringify(cwd)}: ${why}`);
  if (!isAbsolute(cwd)) throw refused('the path is not absolute');
  const top = await git.ask(cwd, 'rev-parse', '--show-toplevel');
  if (top === undefined) throw refused('there is no git repository, or no git');
  const sha = await findRemoteCommit(git, top);
  if (sha === undefined) throw refused('no commit of it is known to be on a remote');
  const index = await git.ask(top, 'rev-parse', '--git-path', 'index');
  const folder = await mkdtemp(join(tmpdir(), 'heddle-index-'));
  try {
    const variables = { GIT_INDEX_FILE: join(folder, 'index') };
    // A repository in which nothing was ever added has no index.
    if (index !== undefined) await copyFile(resolve(top, index), variables.GIT_INDEX_FILE).catch(() => {});
    await git.call({ cwd: top, args: ['add', '--intent-to-add', '--ignore-errors', '--', '.'], variables, timeoutMs: DIFF_TIMEOUT_MS });
    const args = ['diff', '--no-ext-diff', '--no-textconv', '--binary', sha];
    const diff = await git.call({ cwd: top, args, variables, maxBytes: MAX_DIFF_BYTES, timeoutMs: DIFF_TIMEOUT_MS });
    if (diff.isCut) throw refused(`it has more than ${MAX_DIFF_BYTES} bytes, or takes too long`);
    if (diff.exitCode !== 0) throw refused(`git ended with exit code ${diff.exitCode}`);
    return { sha, diff: diff.stdout.toString('utf8') };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The last commit of this branch that a remote has: of its upstream, else of the remote's branch of its name, else of its main one. */
async function findRemoteCommit(git: Git, top: string): Promise<string | undefined> {
  const [branch, remotes] = await Promise.all([git.ask(top, 'symbolic-ref', '--short', '--quiet', 'HEAD'), git.ask(top, 'remote')]);
  const names = (remotes ?? '').split('\n').filter((name) => name !== '');
  const ordered = names.toSorted((left, right) => Number(right === 'origin') - Number(left === 'origin'));
  const branches = [...(branch === undefined ? [] : [branch]), 'HEAD', 'main', 'master'];
  const candidates = ['@{upstream}', ...ordered.flatMap((remote) => branches.map((name) => `refs/remotes/${remote}/${name}`))];
  for (const candidate of candidates) {
    const sha = await git.ask(top, 'merge-base', 'HEAD', candidate);
    if (sha !== undefined && sha !== '') return sha;
  }
  return undefined;
}
