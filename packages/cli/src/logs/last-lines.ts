// Owns reading the end of the daemon's log: the last lines of several files, without reading them whole.

import { type FileHandle, open } from 'node:fs/promises';

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

export interface LastLines {
  /** Oldest first, without line ends. */
  lines: Buffer[];
  /** Where whoever follows goes on, so that no line is lost or shown twice; undefined without any file. */
  end: { file: string; offset: number } | undefined;
}

/**
 * The last `count` whole lines. A line that is being written right now comes after `end`.
 * @param files oldest to newest
 */
export async function readLastLines(files: readonly string[], count: number): Promise<LastLines> {
  let lines: Buffer[] = [];
  let end: LastLines['end'];
  for (const file of files.toReversed()) {
    if (end !== undefined && lines.length >= count) break;
    const found = await readFromEnd(file, count - lines.length);
    if (found === undefined) continue; // removed since it was listed
    lines = [...found.lines, ...lines];
    end ??= { file, offset: found.end };
  }
  return { lines, end };
}

async function readFromEnd(file: string, count: number): Promise<{ lines: Buffer[]; end: number } | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { size } = await handle.stat();
    const chunks: Buffer[] = [];
    let start = size;
    let newlines = 0;
    // One newline ends the last whole line, so `count` lines are whole once `count + 1` newlines were seen.
    while (start > 0 && newlines <= count) {
      const length = Math.min(CHUNK_BYTES, start);
      start -= length;
      const chunk = await readAt(handle, start, length);
      for (const byte of chunk) if (byte === NEWLINE) newlines += 1;
      chunks.unshift(chunk);
    }
    return lastOf(Buffer.concat(chunks), start, count);
  } finally {
    await handle.close();
  }
}

function lastOf(tail: Buffer, offset: number, count: number): { lines: Buffer[]; end: number } {
  const endOfLines = tail.lastIndexOf(NEWLINE) + 1;
  const lines: Buffer[] = [];
  let end = endOfLines;
  while (end > 0 && lines.length < count) {
    const start = tail.lastIndexOf(NEWLINE, end - 2) + 1;
    if (start === 0 && offset > 0) break; // it begins before what was read
    lines.unshift(tail.subarray(start, end - 1));
    end = start;
  }
  return { lines, end: offset + endOfLines };
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await handle.read(buffer, read, length - read, position + read);
    if (bytesRead === 0) break; // it was cut in the meantime
    read += bytesRead;
  }
  return buffer.subarray(0, read);
}
