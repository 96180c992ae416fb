// Owns what a thread says of the repository it works in: commit, branch and origin, asked for afresh every few seconds.

import type { GitInfo } from '@heddle/wire';
import type { Git } from './git.ts';

const FRESH_MS = 5_000;
const MAX_FOLDERS = 256;

export class GitInfos {
  readonly #git: Git;
  readonly #known = new Map<string, { info: Promise<GitInfo | null>; askedAtMs: number }>();

  constructor(git: Git) {
    this.#git = git;
  }

  /** `null` where no repository is, or no git. Never rejects. @param cwd absolute. */
  of(cwd: string): Promise<GitInfo | null> {
    const known = this.#known.get(cwd);
    if (known !== undefined && Date.now() - known.askedAtMs < FRESH_MS) return known.info;
    this.#known.delete(cwd); // so that it goes to the end: the oldest is the first
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size >= MAX_FOLDERS) this.#known.delete(oldest);
    const info = this.#ask(cwd);
    this.#known.set(cwd, { info, askedAtMs: Date.now() });
    return info;
  }

  async #ask(cwd: string): Promise<GitInfo | null> {
    const [sha, branch, originUrl] = await Promise.all([
      this.#git.ask(cwd, 'rev-parse', '--verify', '--quiet', 'HEAD'),
      this.#git.ask(cwd, 'symbolic-ref', '--short', '--quiet', 'HEAD'),
      this.#git.ask(cwd, 'config', '--get', 'remote.origin.url'),
    ]);
    if (sha === undefined && branch === undefined) return null;
    return { sha: sha ?? null, branch: branch ?? null, originUrl: originUrl === undefined ? null : withoutSecrets(originUrl) };
  }
}

/** A token may stand in an address: as the password, or over HTTP as the user. */
export function withoutSecrets(url: string): string {
  return url.replace(/^(https?:\/\/)[^/]*@/i, '$1').replace(/^([a-z][a-z+.-]*:\/\/[^/:@]*):[^/]*@/i, '$1@');
}
