// Owns the private folder in which the demo acts for one thread: made empty, 0700, under the system's temporary folder.

import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log } from '@heddle/rpc';

/** @returns its path without symbolic links, so that it is what `pwd` says in it. */
export async function makePrivateFolder(): Promise<string> {
  return realpath(await mkdtemp(join(tmpdir(), 'heddle-demo-')));
}

/** Removes a folder with all that is in it. Never rejects: what can't be removed is said in the log. */
export async function removePrivateFolder(path: string, log: Log): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  } catch (error) {
    log.warn('a private folder of the demo agent could not be removed', { path, error: String(error) });
  }
}
