// Owns what sessions began with, for lists. heddle notes it where a session began here, and elsewhere a title stands for
// it; what has neither is read, the newest first and so many at a time, and remembered.

import type { NativeSession } from '../native-session.ts';
import { isMadeUpTitle } from '../native-session.ts';
import type { StoredMessage } from './turns-of-session.ts';

/** A list waits for no more than these. */
const MAX_READ = 50;
const MAX_AT_ONCE = 8;
const MAX_KNOWN = 5_000;
/** In characters. */
const MAX_PREVIEW = 300;

export class SessionPreviews {
  readonly #read: (session: NativeSession) => Promise<readonly StoredMessage[]>;
  readonly #known = new Map<string, string>();

  constructor(read: (session: NativeSession) => Promise<readonly StoredMessage[]>) {
    this.#read = read;
  }

  of({ id, note }: NativeSession): string | undefined {
    return note.preview ?? this.#known.get(id);
  }

  /** Reads what is to be known of these sessions. */
  async look(sessions: readonly NativeSession[]): Promise<void> {
    const unknown = sessions.filter((session) => isMadeUpTitle(session.title) && this.of(session) === undefined);
    const newest = unknown.toSorted((left, right) => right.updatedAtMs - left.updatedAtMs).slice(0, MAX_READ);
    const readNext = async (): Promise<void> => {
      for (let session = newest.shift(); session !== undefined; session = newest.shift()) await this.#look(session);
    };
    await Promise.all(Array.from({ length: MAX_AT_ONCE }, readNext));
  }

  async #look(session: NativeSession): Promise<void> {
    const messages = await this.#read(session);
    const parts = messages.find(({ message }) => message.role === 'user')?.parts ?? [];
    const text = parts.find((part) => part.type === 'text' && !part.isSynthetic);
    if (text?.type !== 'text') return;
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(session.id, text.text.slice(0, MAX_PREVIEW));
  }
}
