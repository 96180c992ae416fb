// Owns which files a folder has for a person who looks for one: those that git does not ignore. git is asked where
// there is a repository; elsewhere the folder is walked, with the `.gitignore` files that lie in it.

import { join } from 'node:path';
import type { Git } from './git.ts';
import { walkFiles } from './walk-files.ts';

const MAX_FILES = 100_000;
const MAX_LIST_BYTES = 32 * 1024 * 1024;
const TIME_MS = 3_000;
const SUBMODULE_MODE = '160000';

export interface FoundPath {
  /** As it was asked for. */
  root: string;
  /** Relative to the root, with slashes. */
  path: string;
  isDirectory: boolean;
}

export interface FileListing {
  files: FoundPath[];
  /** There are more files than are looked at, or it took too long. */
  isCut: boolean;
}

/** @param root absolute; a folder that is not there has no files. Never rejects. */
export async function listFiles(root: string, git: Git): Promise<FileListing> {
  const listing = new Listing(root, git, Date.now() + TIME_MS);
  await listing.add(root, '');
  return listing.result();
}

class Listing {
  readonly #root: string;
  readonly #git: Git;
  readonly #deadlineMs: number;
  readonly #files: FoundPath[] = [];
  readonly #folders = new Set<string>();
  #isCut = false;

  constructor(root: string, git: Git, deadlineMs: number) {
    this.#root = root;
    this.#git = git;
    this.#deadlineMs = deadlineMs;
  }

  /** Everything below a folder, which stands at `prefix` below the root. */
  async add(folder: string, prefix: string): Promise<void> {
    if (this.#isOver()) return;
    // A folder of which git has nothing to say may be one that the repository around it ignores.
    if (await this.#addFromGit(folder, prefix)) return;
    for await (const { path, isDirectory } of walkFiles(folder)) {
      if (this.#isOver()) return;
      if (isDirectory) this.#addFolder(`${prefix}${path}`);
      else this.#addFile(`${prefix}${path}`);
    }
  }

  result(): FileListing {
    const folders = [...this.#folders].map((path) => ({ root: this.#root, path, isDirectory: true }));
    return { files: [...this.#files, ...folders], isCut: this.#isCut };
  }

  /** @returns false when git has nothing to say. */
  async #addFromGit(folder: string, prefix: string): Promise<boolean> {
    const [tracked, untracked, deleted] = await Promise.all([
      this.#ask(folder, '--stage'),
      this.#ask(folder, '--others', '--exclude-standard'),
      this.#ask(folder, '--deleted'),
    ]);
    if (tracked === undefined || untracked === undefined || tracked.length + untracked.length === 0) return false;
    const gone = new Set(deleted);
    const inner: string[] = [];
    for (const entry of tracked) {
      const path = entry.slice(entry.indexOf('\t') + 1);
      if (gone.has(path)) continue;
      if (entry.startsWith(SUBMODULE_MODE)) inner.push(path);
      else this.#addFile(`${prefix}${path}`);
    }
    for (const path of untracked) {
      if (path.endsWith('/')) inner.push(path.slice(0, -1));
      else this.#addFile(`${prefix}${path}`);
    }
    for (const path of inner) {
      this.#addFolder(`${prefix}${path}`);
      await this.add(join(folder, path), `${prefix}${path}/`); // a repository of its own
    }
    return true;
  }

  async #ask(cwd: string, ...options: string[]): Promise<string[] | undefined> {
    const timeoutMs = Math.max(this.#deadlineMs - Date.now(), 1);
    const call = { cwd, args: ['ls-files', '-z', ...options], maxBytes: MAX_LIST_BYTES, timeoutMs };
    const answer = await this.#git.call(call).catch(() => undefined); // no git, or no such folder
    if (answer === undefined || (answer.exitCode !== 0 && !answer.isCut)) return undefined;
    this.#isCut ||= answer.isCut;
    return answer.stdout.toString('utf8').split('\0').slice(0, -1);
  }

  #addFile(path: string): void {
    if (this.#files.length >= MAX_FILES) {
      this.#isCut = true;
      return;
    }
    this.#files.push({ root: this.#root, path, isDirectory: false });
    this.#addFolder(path.slice(0, Math.max(path.lastIndexOf('/'), 0)));
  }

  #addFolder(path: string): void {
    for (let folder = path; folder !== '' && !this.#folders.has(folder); folder = folder.slice(0, Math.max(folder.lastIndexOf('/'), 0))) {
      this.#folders.add(folder);
    }
  }

  #isOver(): boolean {
    if (this.#files.length >= MAX_FILES || Date.now() > this.#deadlineMs) this.#isCut = true;
    return this.#isCut;
  }
}
