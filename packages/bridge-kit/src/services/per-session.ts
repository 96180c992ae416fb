// Owns what a service holds for one client's connection: made when it is first needed, ended with the session.

import type { Session } from '../server/session.ts';

/** What is held for one session. */
export interface SessionState {
  /** Ends everything. Called once; never rejects. Nothing may be begun in it afterwards. */
  end(): Promise<void>;
}

export class PerSession<State extends SessionState> {
  readonly #create: (session: Session) => State;
  readonly #states = new Map<Session, State>();
  /** Ends that are under way, for whoever closes everything. */
  readonly #ending = new Set<Promise<void>>();

  constructor(create: (session: Session) => State) {
    this.#create = create;
  }

  of(session: Session): State {
    const known = this.#states.get(session);
    if (known !== undefined) return known;
    const state = this.#create(session);
    this.#states.set(session, state);
    void session.closed.then(() => this.closeSession(session));
    return state;
  }

  /** Resolves when nothing of the session is left. Sessions that close by themselves need no call. */
  async closeSession(session: Session): Promise<void> {
    const state = this.#states.get(session);
    if (state === undefined) return;
    this.#states.delete(session);
    const ending = state.end();
    this.#ending.add(ending);
    await ending;
    this.#ending.delete(ending);
  }

  /** Resolves when nothing of any session is left. */
  async close(): Promise<void> {
    await Promise.all([...this.#states.keys()].map((session) => this.closeSession(session)));
    await Promise.all(this.#ending);
  }
}
