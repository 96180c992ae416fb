// Owns the single-instance lock: of all processes that want to listen on a path exactly one does, and what a
// crashed one left behind stands in nobody's way. It knows nothing of what is said on the socket.
//
// A Unix socket file outlives its process, and a file that refuses connections may also be one whose owner has
// called bind() and not yet listen(). So nobody binds the path itself: each starter listens on a name of its own
// first and then link()s it to the path, which is atomic and fails when the path is taken. What stands at the path
// is therefore either alive or dead for ever, never "not yet".
// A dead file may be removed only by the one who holds the right to remove it: a second name, derived from the
// path and the dead file's inode, taken in the very same way. Without that right two starters that both saw the
// dead file would race: the slower unlink() would take away the quicker one's living socket.

import { createHash, randomBytes } from 'node:crypto';
import { link, lstat, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { ensurePrivateDir } from '@heddle/host';
import { asError, HeddleError } from '@heddle/wire';

export interface ExclusiveListener {
  /** Gives the path up and stops listening; connections that are open stay open. */
  release(): Promise<void>;
}

/**
 * Makes `server` listen on a Unix socket (mode 0600, in a folder of mode 0700) or a Windows named pipe.
 * @throws HeddleError `daemon_running` when somebody else listens there or is about to; `state_unreadable` when
 *   the folder is not this user's alone, the path is something else than a socket, or the system refuses.
 */
export async function listenExclusively(server: Server, path: string): Promise<ExclusiveListener> {
  // A pipe of Windows is exclusive by itself and vanishes with its process.
  if (process.platform === 'win32') return listenOnPipe(server, path);
  await ensurePrivateDir(dirname(path));
  const own = sibling(path, randomBytes(8));
  await listen(server, own);
  try {
    const { ino } = await lstat(own, { bigint: true });
    if (!(await takeName(own, path))) {
      throw new HeddleError('daemon_running', `a heddle daemon is running already, it listens on ${path}`);
    }
    await unlink(own);
    return { release: () => release(server, path, ino) };
  } catch (error) {
    await unlinkIfThere(own);
    await closeServer(server);
    throw explain(error, path);
  }
}

async function listenOnPipe(server: Server, path: string): Promise<ExclusiveListener> {
  try {
    await listen(server, path);
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE') throw explain(error, path);
    throw new HeddleError('daemon_running', `a heddle daemon is running already, it listens on ${path}`, { cause: error });
  }
  return { release: () => closeServer(server) };
}

/** While we listen nobody else removes the name, so between the look and the unlink it stays ours. */
async function release(server: Server, path: string, ino: bigint): Promise<void> {
  const now = await lstatIfThere(path);
  if (now?.ino === ino) await unlinkIfThere(path);
  await closeServer(server);
}

/**
 * Links `own`, a socket that listens, to `path`.
 * @returns false when somebody alive has the name, or is clearing it away right now and will have it next.
 */
async function takeName(own: string, path: string): Promise<boolean> {
  for (;;) {
    if (await linkIfFree(own, path)) return true;
    const found = await inspect(path);
    if (found.is === 'alive') return false;
    if (found.is === 'dead' && !(await removeDead(own, path, found.ino))) return false;
  }
}

async function removeDead(own: string, path: string, ino: bigint): Promise<boolean> {
  const right = sibling(path, `${path}:${ino}`);
  if (!(await takeName(own, right))) return false;
  try {
    const found = await inspect(path); // again: since we last looked, the former holder of the right may have cleared it
    if (found.is === 'dead' && found.ino === ino) await unlink(path);
  } finally {
    await unlink(right);
  }
  return true;
}

type Found = { is: 'gone' } | { is: 'alive' } | { is: 'dead'; ino: bigint };

async function inspect(path: string): Promise<Found> {
  for (;;) {
    const before = await lstatIfThere(path);
    if (before === undefined) return { is: 'gone' };
    if (!before.isSocket()) {
      throw new HeddleError('state_unreadable', `${path} is not a socket`, { hint: 'Move that file away, then start again.' });
    }
    const answer = await tryConnect(path);
    if (answer !== 'dead') return { is: answer };
    const after = await lstatIfThere(path);
    if (after?.ino === before.ino) return { is: 'dead', ino: before.ino };
  }
}

function tryConnect(path: string): Promise<'alive' | 'dead' | 'gone'> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve('alive');
    });
    socket.on('error', (error) => {
      const code = codeOf(error);
      if (code === 'ECONNREFUSED') resolve('dead');
      else if (code === 'ENOENT') resolve('gone');
      // A full backlog (EAGAIN on Linux), or an end in the middle of the connect: somebody was there to do that.
      else if (code === 'EAGAIN' || code === 'ECONNRESET' || code === 'EPIPE') resolve('alive');
      else reject(error);
    });
  });
}

/** A short name in the same folder: a socket's whole path has at most 104 (macOS) or 108 bytes. */
function sibling(path: string, seed: string | Buffer): string {
  const name = typeof seed === 'string' ? createHash('sha256').update(seed).digest() : seed;
  return join(dirname(path), `.${name.toString('base64url').slice(0, 9)}`);
}

async function linkIfFree(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function lstatIfThere(path: string) {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/** bind() happens inside the call of `listen`, so the mask holds for the new file alone. */
function listen(server: Server, path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  const before = process.umask(0o177);
  try {
    server.listen(path, resolve);
  } finally {
    process.umask(before);
  }
  return promise.finally(() => server.off('error', reject));
}

function closeServer(server: Server): Promise<void> {
  // The callback waits for every open connection; those have another owner. The path is free as soon as this returns.
  server.close();
  return Promise.resolve();
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function explain(error: unknown, path: string): Error {
  if (error instanceof HeddleError) return error;
  return new HeddleError('state_unreadable', `can't listen on the control socket ${path}: ${asError(error).message}`, { cause: error });
}
