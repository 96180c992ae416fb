// Owns following the daemon's log as it grows, from one day's file into the next. It looks four times a second:
// file watchers miss changes on network file systems and differ between systems.

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { splitLines } from '@heddle/rpc';

const LOOK_EVERY_MS = 250;
/** A line longer than this is no log line of ours. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

export interface FollowOptions {
  /** Paths of the log files, oldest to newest, asked again and again. */
  files: () => Promise<string[]>;
  /** Where to begin; at the first file that appears when undefined. */
  from: { file: string; offset: number } | undefined;
  signal?: AbortSignal;
}

/** Lines as they are written, without line ends. Ends when the signal is aborted. */
export async function* followLog({ files, from, signal }: FollowOptions): AsyncGenerator<Uint8Array> {
  let at = from;
  while (signal?.aborted !== true) {
    const current = at;
    // The list comes before the read: when it names a newer file, the older one was complete before that read.
    const list = await files();
    if (current !== undefined) {
      for await (const line of newLines(current)) yield line;
    }
    const next = current === undefined ? list[0] : list.find((file) => file > current.file);
    if (next !== undefined) {
      at = { file: next, offset: 0 };
      continue;
    }
    try {
      await wait(LOOK_EVERY_MS, undefined, signal === undefined ? {} : { signal });
    } catch {
      return; // aborted
    }
  }
}

/** Reads whole lines from `at.offset` on and moves it behind the last of them. */
async function* newLines(at: { file: string; offset: number }): AsyncGenerator<Uint8Array> {
  const size = await sizeOf(at.file);
  if (size < at.offset) at.offset = 0; // somebody emptied the file
  if (size === at.offset) return;
  const source = createReadStream(at.file, { start: at.offset, end: size - 1 });
  let consumed = at.offset;
  async function* counted() {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      const lastNewline = chunk.lastIndexOf(0x0a);
      if (lastNewline >= 0) at.offset = consumed + lastNewline + 1;
      consumed += chunk.byteLength;
      yield chunk;
    }
  }
  yield* splitLines(counted(), MAX_LINE_BYTES);
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0; // removed, as old ones are
    throw error;
  }
}
