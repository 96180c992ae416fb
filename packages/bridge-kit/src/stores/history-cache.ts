// Owns the memory of the last conversations that were read: a client asks for page after page of one. A transcript that
// has changed is read again; one that is too long to be kept is read each time.

import type { StoredHistory } from '../threads/thread-store.ts';
import { stat } from 'node:fs/promises';

/** Of transcripts; what is made of one takes less. */
const MAX_BYTES = 48 * 1024 * 1024;

interface Kept {
  mtimeMs: number;
  size: number;
  history: Promise<StoredHistory>;
}

export class HistoryCache {
  /** By the path of the transcript, the last used at the end. */
  readonly #kept = new Map<string, Kept>();

  /** @param read is called when the file is not known as it is now */
  async get(path: string, read: () => Promise<StoredHistory>): Promise<StoredHistory> {
    const { mtimeMs, size } = await stat(path);
    const kept = this.#kept.get(path);
    this.#kept.delete(path);
    if (kept?.mtimeMs === mtimeMs && kept.size === size) {
      this.#kept.set(path, kept);
      return kept.history;
    }
    const history = read();
    this.#kept.set(path, { mtimeMs, size, history });
    history.catch(() => this.forget(path)); // whoever asked is told
    this.#trim();
    return history;
  }

  forget(path: string): void {
    this.#kept.delete(path);
  }

  clear(): void {
    this.#kept.clear();
  }

  #trim(): void {
    let bytes = 0;
    for (const [path, { size }] of [...this.#kept].toReversed()) {
      bytes += size;
      if (bytes > MAX_BYTES) this.#kept.delete(path);
    }
  }
}
