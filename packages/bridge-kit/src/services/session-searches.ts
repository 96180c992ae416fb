// Owns the searches of one session that another may end: by their tokens, and as the last query of a search session.

import { refusal } from '../server/params.ts';
import type { Session } from '../server/session.ts';
import type { FoundPath } from './list-files.ts';
import { rankFiles } from './rank-files.ts';

/** Each holds the list of its files. */
const MAX_SESSIONS = 4;
const MAX_TOKENS = 64;

interface SearchSession {
  files: Promise<FoundPath[]>;
  /** Ends the search for its last query. */
  current: AbortController;
}

export class SessionSearches {
  readonly #session: Session;
  readonly #byToken = new Map<string, AbortController>();
  readonly #sessions = new Map<string, SearchSession>();

  constructor(session: Session) {
    this.#session = session;
  }

  /** A search that ends when the next one with the same token begins. */
  begin(token: string | undefined): AbortSignal {
    const search = new AbortController();
    if (token !== undefined) {
      this.#byToken.get(token)?.abort();
      this.#byToken.delete(token);
      this.#byToken.set(token, search);
      for (const oldest of this.#byToken.keys()) if (this.#byToken.size > MAX_TOKENS) this.#byToken.delete(oldest);
    }
    return search.signal;
  }

  start(sessionId: string, files: Promise<FoundPath[]>): void {
    if (!this.#sessions.has(sessionId) && this.#sessions.size >= MAX_SESSIONS) {
      throw refusal(`${MAX_SESSIONS} fuzzy file search sessions are open already; end one with fuzzyFileSearch/sessionStop`);
    }
    this.stop(sessionId);
    this.#sessions.set(sessionId, { files, current: new AbortController() });
  }

  assertStarted(sessionId: string): void {
    if (!this.#sessions.has(sessionId)) throw refusal(`fuzzy file search session not found: ${sessionId}`);
  }

  /** Tells what fits the query, unless another one comes first. */
  async update(sessionId: string, query: string): Promise<void> {
    const search = this.#sessions.get(sessionId);
    if (search === undefined) return;
    search.current.abort();
    search.current = new AbortController();
    const { signal } = search.current;
    const files = await rankFiles(query, await search.files, signal);
    if (signal.aborted) return;
    this.#session.notify('fuzzyFileSearch/sessionUpdated', { sessionId, query, files });
    this.#session.notify('fuzzyFileSearch/sessionCompleted', { sessionId });
  }

  stop(sessionId: string): void {
    this.#sessions.get(sessionId)?.current.abort();
    this.#sessions.delete(sessionId);
  }

  end(): Promise<void> {
    for (const sessionId of this.#sessions.keys()) this.stop(sessionId);
    for (const search of this.#byToken.values()) search.abort();
    return Promise.resolve();
  }
}
