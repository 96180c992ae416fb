// Owns the wait for what claude has said but not written yet: its transcript is some 100 ms behind (measured, 2.1.197),
// and nothing tells when it has caught up. So the end of the file is looked at until it has the entry, for a bounded time.

import type { StoredThread } from '@heddle/bridge-kit';
import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const LOOK_EVERY_MS = 15;
/** A claude that has not written by then was killed, or keeps no history. */
const GIVE_UP_MS = 1_000;
/** Entries may follow, but none that is long. */
const TAIL_BYTES = 256 * 1024;

/** @returns the session as it is then; `undefined`: there still is none */
export async function whenWritten(uuid: string, find: () => Promise<StoredThread | undefined>): Promise<StoredThread | undefined> {
  const deadline = performance.now() + GIVE_UP_MS;
  for (;;) {
    const thread = await find();
    const hasEntry = thread !== undefined && thread.path !== null && (await endHas(thread.path, uuid));
    if (hasEntry || performance.now() > deadline) return thread;
    await delay(LOOK_EVERY_MS);
  }
}

async function endHas(path: string, uuid: string): Promise<boolean> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, TAIL_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.subarray(0, bytesRead).includes(`"uuid":"${uuid}"`);
  } finally {
    await handle.close();
  }
}
