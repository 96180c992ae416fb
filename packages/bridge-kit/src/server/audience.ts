// Owns the set of open sessions, for what every client of the agent is told.

import type { ServerNotificationMethod, ServerNotificationParams } from '@heddle/wire';
import type { CloseReason } from '@heddle/rpc';
import type { Session } from './session.ts';

export class Audience {
  readonly #sessions = new Set<Session>();

  /** A session leaves by itself when it closes; `onLeave` runs then. */
  add(session: Session, onLeave: () => void): void {
    this.#sessions.add(session);
    void session.closed.then(() => {
      this.#sessions.delete(session);
      onLeave();
    });
  }

  /** To every session that has initialized. */
  broadcast<M extends ServerNotificationMethod>(method: M, params: ServerNotificationParams<M>): void {
    for (const session of this.#sessions) session.notify(method, params);
  }

  closeAll(reason: CloseReason): void {
    for (const session of this.#sessions) session.close(reason);
  }
}
