// Owns the memory of the last sessions that were read: a client asks for page after page of one, and opencode takes a
// second to tell a long one. What was read is taken for true as long as nothing about its session has changed.

import type { StoredHistory } from '@heddle/bridge-kit';

/** Roughly bytes, of all that is remembered. */
const MAX_WEIGHT = 48 * 1024 * 1024;

interface Kept {
  mark: string;
  weight: number;
  history: StoredHistory;
}

export class HistoryCache {
  /** By session, the last used at the end. */
  readonly #kept = new Map<string, Kept>();

  /**
   * @param mark different whenever the history may be
   * @param read is called when the session is not known under that mark
   */
  async get(sessionId: string, mark: string, read: () => Promise<StoredHistory>): Promise<StoredHistory> {
    const kept = this.#kept.get(sessionId);
    this.#kept.delete(sessionId);
    if (kept?.mark === mark) {
      this.#kept.set(sessionId, kept);
      return kept.history;
    }
    const history = await read();
    this.#kept.set(sessionId, { mark, history, weight: JSON.stringify(history).length });
    this.#trim();
    return history;
  }

  forget(sessionId: string): void {
    this.#kept.delete(sessionId);
  }

  #trim(): void {
    let weight = 0;
    for (const [sessionId, kept] of [...this.#kept].toReversed()) {
      weight += kept.weight;
      if (weight > MAX_WEIGHT) this.#kept.delete(sessionId);
    }
  }
}
