// Owns `fs/watch`: what changes at a path is told to the session that asked, in bundles, until it says that it is
// enough or ends. A folder is watched with what lies directly in it, not deeper, as in codex 0.169.

import type { Log } from '@heddle/rpc';
import type { HandlersOf } from '../server/call.ts';
import { refusal } from '../server/params.ts';
import type { Session } from '../server/session.ts';
import { absolutePath } from './absolute-path.ts';
import { refusalOf } from './os-error.ts';
import { PathWatch } from './path-watch.ts';
import { PerSession } from './per-session.ts';

const MAX_WATCHES = 64;

export class FileWatches {
  readonly handlers: HandlersOf<'fs/watch' | 'fs/unwatch'>;
  readonly #watches: PerSession<SessionWatches>;

  constructor(log: Log) {
    this.#watches = new PerSession((session) => new SessionWatches(session, log));
    this.handlers = {
      'fs/watch': async (call) => {
        const watchId = call.params.text('watchId');
        const path = absolutePath(call.params, 'path');
        await this.#watches.of(call.session).add(watchId, path);
        call.reply({ path });
      },
      'fs/unwatch': async (call) => {
        await this.#watches.of(call.session).remove(call.params.text('watchId'));
        call.reply({});
      },
    };
  }

  closeSession(session: Session): Promise<void> {
    return this.#watches.closeSession(session);
  }

  close(): Promise<void> {
    return this.#watches.close();
  }
}

class SessionWatches {
  readonly #session: Session;
  readonly #log: Log;
  readonly #watches = new Map<string, PathWatch>();
  #isEnded = false;

  constructor(session: Session, log: Log) {
    this.#session = session;
    this.#log = log;
  }

  async add(watchId: string, path: string): Promise<void> {
    if (this.#isEnded) throw refusal('the session has ended');
    if (this.#watches.has(watchId)) throw refusal(`watchId already exists: ${watchId}`);
    if (this.#watches.size >= MAX_WATCHES) throw refusal(`fs/watch: ${MAX_WATCHES} paths are watched already; end one with fs/unwatch`);
    const watching = new PathWatch(path, {
      onChanged: (changedPaths) => this.#session.notify('fs/changed', { watchId, changedPaths }),
      onError: (error) => this.#log.warn('watching a path has failed', { path, error: String(error) }),
    });
    this.#watches.set(watchId, watching);
    try {
      await watching.ready;
    } catch (error) {
      await this.remove(watchId);
      throw refusalOf(error);
    }
  }

  async remove(watchId: string): Promise<void> {
    const watching = this.#watches.get(watchId);
    this.#watches.delete(watchId);
    await watching?.close();
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    await Promise.all([...this.#watches.keys()].map((watchId) => this.remove(watchId)));
  }
}
