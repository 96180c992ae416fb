// Owns reading a whole file into memory without taking more than was agreed, whatever its size is said to be.

import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { refusal } from '../server/params.ts';

const FIRST_READ_BYTES = 64 * 1024;

/**
 * @param path absolute.
 * @throws RpcError for what is no plain file, or has more than `maxBytes`; Error of the system.
 */
export async function readBounded(path: string, maxBytes: number): Promise<Buffer> {
  const { size } = await assertPlainFile(path);
  if (size > maxBytes) throw tooLarge(maxBytes);
  // Between the question and the opening it may have become a pipe, which would be waited for.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const chunks: Buffer[] = [];
    let bytes = 0;
    // Files of /proc say that they are empty, and a log grows: only reading tells.
    for (let wanted = Math.max(size + 1, FIRST_READ_BYTES); ; wanted = FIRST_READ_BYTES) {
      const chunk = Buffer.alloc(Math.min(wanted, maxBytes + 1 - bytes));
      const { bytesRead } = await file.read(chunk);
      if (bytesRead === 0) return Buffer.concat(chunks, bytes);
      chunks.push(chunk.subarray(0, bytesRead));
      bytes += bytesRead;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
    }
  } finally {
    await file.close();
  }
}

async function assertPlainFile(path: string): Promise<{ size: number }> {
  const stats = await stat(path);
  if (!stats.isFile()) throw refusal(`path \`${path}\` is not a file`);
  return stats;
}

function tooLarge(maxBytes: number): Error {
  return refusal(`file is too large to read: limit is ${maxBytes} bytes`);
}
