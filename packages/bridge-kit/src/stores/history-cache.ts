// Owns the memory of the last conversations that were read: a client asks for page after page of one. One that has changed
// since is read again; one that is too long to be kept is read each time.

import { stat } from 'node:fs/promises';
import type { StoredHistory } from '../threads/thread-store.ts';

/** Roughly bytes of what the agent's store has, over all that is remembered. */
const MAX_WEIGHT = 48 * 1024 * 1024;

interface Kept {
  mark: string;
  /** 0 until it is known. */
  weight: number;
  history: Promise<StoredHistory>;
}

export class HistoryCache {
  /** The last used at the end. */
  readonly #kept = new Map<string, Kept>();

  /**
   * Who asks while it is being read gets the same.
   * @param key one for each conversation
   * @param mark different whenever the conversation may be
   * @param read is called when it is not known under that mark
   * @param weight roughly bytes; absent: that of the history itself
   */
  get(key: string, mark: string, read: () => Promise<StoredHistory>, weight?: number): Promise<StoredHistory> {
    const before = this.#kept.get(key);
    this.#kept.delete(key);
    const kept = before?.mark === mark ? before : this.#read(key, mark, read, weight);
    this.#kept.set(key, kept);
    this.#trim();
    return kept.history;
  }

  /** The same for a conversation that is one file, by its path. @throws when the file is not there */
  async ofFile(path: string, read: () => Promise<StoredHistory>): Promise<StoredHistory> {
    const { mtimeMs, size } = await stat(path);
    return this.get(path, `${mtimeMs} ${size}`, read, size);
  }

  forget(key: string): void {
    this.#kept.delete(key);
  }

  clear(): void {
    this.#kept.clear();
  }

  #read(key: string, mark: string, read: () => Promise<StoredHistory>, weight: number | undefined): Kept {
    const kept: Kept = { mark, weight: weight ?? 0, history: read() };
    kept.history.then(
      (history) => {
        if (weight !== undefined) return;
        kept.weight = JSON.stringify(history).length;
        this.#trim();
      },
      () => {
        if (this.#kept.get(key) === kept) this.#kept.delete(key); // whoever asked is told
      },
    );
    return kept;
  }

  #trim(): void {
    let weight = 0;
    for (const [key, kept] of [...this.#kept].toReversed()) {
      weight += kept.weight;
      if (weight > MAX_WEIGHT) this.#kept.delete(key);
    }
  }
}
