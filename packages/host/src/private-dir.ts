// Owns folders that nobody but this user may enter. It refuses a folder that somebody else made or can enter,
// and never changes the mode of one that was there before.

import { lstat, mkdir, stat } from 'node:fs/promises';
import { asError, HeddleError } from '@heddle/wire';

/**
 * Makes the folder, and missing ones above it, with mode 0700; one that exists is checked: it must be a folder of
 * this user with no access for others. On Windows the profile's own access lists do this, so only its kind is checked.
 * @param path absolute
 * @throws HeddleError `state_unreadable` when the folder can't be made or can't be trusted.
 */
export async function ensurePrivateDir(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (caught) {
    const cause = asError(caught);
    throw new HeddleError('state_unreadable', `can't make the folder ${path}: ${cause.message}`, {
      cause,
      hint: 'Make it yourself with mode 0700, or set HEDDLE_HOME to a folder that you can write to.',
    });
  }
  const uid = process.getuid?.();
  if (uid === undefined) return;
  // A link is followed only when this user made it: in a shared place its owner could turn it elsewhere later.
  const link = await lstat(path);
  const folder = link.isSymbolicLink() ? await stat(path) : link;
  for (const { uid: owner } of [link, folder]) {
    if (owner === uid) continue;
    throw new HeddleError('state_unreadable', `the folder ${path} belongs to another user (uid ${owner}, you are ${uid})`, {
      hint: 'If it should be yours, remove it or change its owner. Otherwise set HEDDLE_HOME to a folder of your own.',
    });
  }
  if ((folder.mode & 0o077) !== 0) {
    throw new HeddleError('state_unreadable', `the folder ${path} is open to other users (${octal(folder.mode)})`, {
      hint: `Look whether anything in it is not yours, then run: chmod 700 '${path}'`,
    });
  }
}

/** `mode 0755`, as `chmod` and `ls` users read it. */
export function octal(mode: number): string {
  return `mode 0${(mode & 0o777).toString(8).padStart(3, '0')}`;
}
