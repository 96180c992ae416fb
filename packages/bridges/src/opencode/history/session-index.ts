// Owns what is known of opencode's sessions: by their ids, and by the ids of their threads. It asks for what has changed
// since it was asked last, and from time to time for all, because nobody tells what was deleted in a terminal.

import { listOf } from '@heddle/bridge-kit';
import type { ThreadId } from '@heddle/wire';
import { type NativeSession, readSession } from '../native-session.ts';
import type { AskServer } from '../server/opencode-server.ts';
import { threadIdOf } from '../thread-id.ts';

/** How long a list of all is believed, but for what has changed. */
const BELIEVE_MS = 30_000;
/** More sessions than anybody has; the route wants a number. */
const ALL = '1000000';

export class SessionIndex {
  readonly #ask: AskServer;
  #sessions = new Map<string, NativeSession>();
  readonly #byThread = new Map<ThreadId, string>();
  #listedAtMs: number | undefined;
  #newestMs = 0;
  #listing: Promise<void> | undefined;

  constructor(ask: AskServer) {
    this.#ask = ask;
  }

  /** All sessions, sub-agents' too. */
  async all(): Promise<NativeSession[]> {
    this.#listing ??= this.#list().finally(() => {
      this.#listing = undefined;
    });
    await this.#listing;
    return [...this.#sessions.values()];
  }

  /** The session of a thread, as it is now. */
  async find(threadId: ThreadId): Promise<NativeSession | undefined> {
    if (!this.#byThread.has(threadId)) await this.all();
    const sessionId = this.#byThread.get(threadId);
    return sessionId === undefined ? undefined : this.read(sessionId);
  }

  async read(sessionId: string): Promise<NativeSession | undefined> {
    const session = readSession(await this.#ask((api) => api.find(`/session/${sessionId}`)));
    if (session === undefined) this.drop(sessionId);
    else this.note(session);
    return session;
  }

  /** The session of a thread that was heard of before. */
  sessionIdOf(threadId: ThreadId): string | undefined {
    return this.#byThread.get(threadId);
  }

  /** As it was heard of last. */
  known(sessionId: string): NativeSession | undefined {
    return this.#sessions.get(sessionId);
  }

  note(session: NativeSession): void {
    this.#sessions.set(session.id, session);
    this.#byThread.set(threadIdOf(session.id), session.id);
  }

  drop(sessionId: string): void {
    this.#sessions.delete(sessionId);
    this.#byThread.delete(threadIdOf(sessionId));
  }

  async #list(): Promise<void> {
    const nowMs = performance.now();
    const isKnown = this.#listedAtMs !== undefined && nowMs - this.#listedAtMs < BELIEVE_MS;
    const query = { limit: ALL, ...(isKnown ? { start: String(this.#newestMs) } : {}) };
    const sessions = listOf(await this.#ask((api) => api.get('/experimental/session', { query }))).flatMap(
      (each) => readSession(each) ?? [],
    );
    if (!isKnown) {
      for (const id of this.#sessions.keys()) this.drop(id);
      this.#listedAtMs = nowMs;
    }
    for (const session of sessions) {
      this.note(session);
      this.#newestMs = Math.max(this.#newestMs, session.updatedAtMs);
    }
  }
}
