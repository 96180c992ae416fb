// Owns writing a small secret file whole: mode 0600 from its first byte, never half there, never by two at once.

import { randomBytes } from 'node:crypto';
import { link, mkdir, open, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Makes a file that must not be there yet, and missing folders above it (0700). Of several processes that try at
 * once exactly one makes it; readers see the whole text or no file.
 * @returns false when the file was there already; it is left as it is.
 * @throws the file system's error
 */
export async function createPrivateFile(file: string, text: string): Promise<boolean> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = await writeBeside(file, text);
  try {
    await link(temporary, file); // unlike rename, link never replaces
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/**
 * Replaces the text of a file that exists. A symbolic link stays one: what it points at is replaced.
 * @throws the file system's error; the old text is then still whole.
 */
export async function replacePrivateFile(file: string, text: string): Promise<void> {
  const target = await realpath(file);
  const temporary = await writeBeside(target, text);
  try {
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function writeBeside(file: string, text: string): Promise<string> {
  const temporary = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}.tmp`);
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync(); // or a power cut after the rename may leave an empty file
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  return temporary;
}
