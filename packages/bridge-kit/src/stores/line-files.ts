// Owns reading parts of agents' files of lines and adding lines to them. It knows nothing of what is in the lines.

import { appendFile, type FileHandle, open } from 'node:fs/promises';

const NEWLINE = 0x0a;

/** Fewer bytes than asked for only where the file ends. */
export async function readPart(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break; // it has become shorter meanwhile
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** Adds each as a line of JSON. An agent that was killed may have left half a line: it stays, on one of its own. */
export async function appendJsonLines(path: string, lines: readonly object[]): Promise<void> {
  const gap = (await endsWithNewline(path)) ? '' : '\n';
  await appendFile(path, gap + lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

async function endsWithNewline(path: string): Promise<boolean> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    return size === 0 || (await readPart(handle, size - 1, 1))[0] === NEWLINE;
  } finally {
    await handle.close();
  }
}
