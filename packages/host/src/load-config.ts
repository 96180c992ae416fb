// Owns host.toml as a file: it is made when missing, and kept to its owner.

import { randomBytes } from 'node:crypto';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, dirname } from 'node:path';
import { asError, HeddleError } from '@heddle/wire';
import { type HostConfig, parseConfig } from './config.ts';
import { configText } from './config-text.ts';
import { octal } from './private-dir.ts';
import { createPrivateFile } from './private-file.ts';

/**
 * Reads and checks host.toml. A missing one is made first, with a fresh token and a TCP port that is free now.
 * One that others could read is closed to them, and `warnings` says so; one that is wrong is left as it is.
 * @throws HeddleError `config_invalid` when it can't be made or read, or is wrong.
 */
export async function loadConfig(file: string): Promise<HostConfig> {
  const handle = await openOrCreate(file);
  try {
    const config = parseConfig(decode(await handle.readFile(), file), file);
    return { ...config, warnings: [...(await closeToOthers(handle, file)), ...(await checkFolder(dirname(file)))] };
  } finally {
    await handle.close();
  }
}

/** @returns 64 hex digits */
export function mintToken(): string {
  return randomBytes(32).toString('hex');
}

/**
 * The text of host.toml, without a byte order mark.
 * @throws HeddleError `config_invalid` when the file can't be read or is not UTF-8.
 */
export async function readConfigText(file: string): Promise<string> {
  const handle = await openConfig(file);
  if (handle === undefined) throw new HeddleError('config_invalid', `${file} is not there`, { hint: 'Run: heddle' });
  try {
    return decode(await handle.readFile(), file);
  } finally {
    await handle.close();
  }
}

async function openOrCreate(file: string): Promise<FileHandle> {
  const existing = await openConfig(file);
  if (existing !== undefined) return existing;
  try {
    await createPrivateFile(file, configText({ token: mintToken(), port: await freePort() }));
  } catch (caught) {
    const cause = asError(caught);
    throw new HeddleError('config_invalid', `can't make ${file}: ${cause.message}`, {
      cause,
      hint: `Look who may write to ${dirname(file)}, or set HEDDLE_HOME to a folder of your own.`,
    });
  }
  const created = await openConfig(file); // perhaps one that another process made in the meantime
  if (created === undefined) throw new HeddleError('config_invalid', `${file} was removed as soon as it was made`);
  return created;
}

/** @returns undefined when there is no such file */
async function openConfig(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, 'r');
  } catch (caught) {
    const cause = asError(caught);
    if ('code' in cause && cause.code === 'ENOENT') return undefined;
    throw new HeddleError('config_invalid', `can't read ${file}: ${cause.message}`, {
      cause,
      hint: 'It must be a file that belongs to you, with mode 0600.',
    });
  }
}

async function closeToOthers(handle: FileHandle, file: string): Promise<string[]> {
  if (process.platform === 'win32') return []; // modes mean nothing there; the profile folder is the user's own
  const { mode } = await handle.stat();
  if ((mode & 0o077) === 0) return [];
  try {
    await handle.chmod(0o600);
  } catch (caught) {
    const cause = asError(caught);
    throw new HeddleError('config_invalid', `${file} holds a secret, but other users can open it (${octal(mode)})`, {
      cause,
      hint: `Make it yours and run: chmod 600 '${file}'`,
    });
  }
  return [`${file} was open to other users (${octal(mode)}); it is not any more. If somebody may have read it, run: heddle rotate`];
}

async function checkFolder(dir: string): Promise<string[]> {
  if (process.platform === 'win32') return [];
  const { mode } = await stat(dir);
  const isSticky = (mode & 0o1000) !== 0;
  if ((mode & 0o022) === 0 || isSticky) return [];
  return [`other users can replace the files in ${dir} (${octal(mode)}). Run: chmod go-w '${dir}'`];
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new HeddleError('config_invalid', `${file} is not UTF-8 text`, {
      cause,
      hint: `Save ${basename(file)} as UTF-8 in your editor.`,
    });
  }
}

/** A port that nothing listens on at this moment; asking the system for port 0 is the only way to know. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '0.0.0.0', port: 0, exclusive: true }, resolve);
  });
  const address = server.address();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return address.port;
}
