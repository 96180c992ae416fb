// Owns pi's own history as the hub wants it: sessions, and the turns in them. It reads pi's files when it is asked, and
// starts no process.

import { HistoryCache, refusal, type StoredHistory, type StoredThread, type ThreadStore } from '@heddle/bridge-kit';
import { HeddleError, type ThreadId, type TurnId } from '@heddle/wire';
import { rm, stat } from 'node:fs/promises';
import type { InstalledPi } from './agent-processes.ts';
import { writeCopy, writeHeader, writeMove, writeName } from './history/rewrites.ts';
import { type Entry, readSession, type Session } from './history/session-file.ts';
import { chosenFolders, folderForNew, type PiFolders, sessionRoot } from './history/session-folders.ts';
import { SessionIndex } from './history/session-index.ts';
import { historyOf } from './history/stored-turns.ts';
import { movedFrom, type TurnEntries, turnsOf } from './history/turn-entries.ts';
import type { PiSession } from './process-arguments.ts';

export class PiStore implements ThreadStore {
  readonly #folders: PiFolders;
  readonly #index: SessionIndex;
  readonly #histories = new HistoryCache();
  /** Sessions' files as pi has left them when it was asked last, by thread. */
  readonly #written = new Map<ThreadId, string>();
  /** Files that were made so that a pi begins its session under an id, by thread. */
  readonly #headers = new Map<ThreadId, string>();

  constructor(folders: PiFolders) {
    this.#folders = folders;
    this.#index = new SessionIndex({ roots: [sessionRoot(folders)], flat: () => chosenFolders(folders) });
  }

  list(): Promise<StoredThread[]> {
    return this.#index.list();
  }

  find(id: ThreadId): Promise<StoredThread | undefined> {
    return this.#index.find(id);
  }

  async read(id: ThreadId): Promise<StoredHistory> {
    const path = (await this.find(id))?.path ?? undefined;
    if (path === undefined) return { turns: [], usage: undefined };
    return this.#histories.ofFile(path, async () => {
      const { header, branch } = await readSession(path);
      return historyOf(turnsOf(branch), header.cwd);
    });
  }

  async remove(id: ThreadId): Promise<void> {
    for (let thread = await this.find(id); thread !== undefined; thread = await this.find(id)) {
      if (thread.path === null) break;
      this.#histories.forget(thread.path);
      await rm(thread.path, { force: true });
    }
    this.#index.forget(id);
    this.#written.delete(id);
  }

  /**
   * With which session a thread's pi is to be started. One that can't be told an id is given a file that has nothing but
   * it, which is removed when pi has read it: pi writes its sessions only once there is an answer in them, and whole then.
   */
  async sessionToStart(id: ThreadId, cwd: string, { takesSessionId }: InstalledPi): Promise<PiSession> {
    const path = (await this.find(id))?.path ?? undefined;
    if (path !== undefined) return { kind: 'file', path };
    if (takesSessionId) return { kind: 'new', id };
    const header = await writeHeader(await folderForNew(this.#folders, cwd), id, cwd);
    this.#headers.set(id, header);
    return { kind: 'file', path: header };
  }

  /** pi has begun with a session. @param path where it says that it keeps it */
  async noteStarted(id: ThreadId, path: string | undefined): Promise<void> {
    const header = this.#headers.get(id);
    this.#headers.delete(id);
    if (header !== undefined) await rm(header, { force: true });
    if (path !== undefined) this.#index.notePath(id, path);
    await this.noteWritten(id);
  }

  /** pi has come to an end with what it was doing: what its file is like now is its work. */
  async noteWritten(id: ThreadId): Promise<void> {
    this.#written.set(id, await this.#stamp(id));
  }

  /** Whether somebody else has written into a session since. */
  async hasChanged(id: ThreadId): Promise<boolean> {
    return this.#written.get(id) !== (await this.#stamp(id));
  }

  /** The thread's pi must not run. A session in which nothing was said has no name. */
  async rename(id: ThreadId, name: string): Promise<void> {
    const found = await this.#open(id);
    if (found !== undefined && hasIds(found.session)) await writeName(found.path, name, found.session.branch.at(-1)?.id ?? null);
  }

  /**
   * Takes a turn and all later ones out of the conversation. The thread's pi must not run.
   * @throws HeddleError `bad_request` when there is no such turn
   */
  async rewind(id: ThreadId, beforeTurnId: TurnId): Promise<void> {
    const { path, session } = await this.#require(id);
    const turn = turnIn(session, beforeTurnId);
    await writeMove(path, turn.after, session.branch.at(-1)?.id ?? null);
  }

  /**
   * Brings back what was taken out last, unless something was said since. The thread's pi must not run.
   * @throws RpcError when there is nothing to bring back
   */
  async bringBack(id: ThreadId): Promise<void> {
    const { path, session } = await this.#require(id);
    const from = movedFrom(session.branch);
    if (from === undefined) throw refusal('there is nothing to bring back');
    await writeMove(path, from, null);
  }

  /**
   * Copies a session, or its part before a turn, into a new one.
   * @returns false when no turn is left to copy: then nothing is written, and the new session begins like any other
   * @throws HeddleError `bad_request` when there is no such turn
   */
  async fork(id: ThreadId, newId: ThreadId, beforeTurnId: TurnId | undefined): Promise<boolean> {
    const { path, session } = await this.#require(id);
    const entries = beforeTurnId === undefined ? session.branch : entriesBefore(session, turnIn(session, beforeTurnId));
    if (turnsOf(entries).length === 0) return false;
    const copy = await writeCopy({ path, header: session.header }, newId, entries);
    this.#index.notePath(newId, copy);
    return true;
  }

  async #stamp(id: ThreadId): Promise<string> {
    const path = (await this.find(id))?.path ?? undefined;
    const stats = path === undefined ? undefined : await stat(path).catch(() => undefined);
    return stats === undefined ? '' : `${stats.mtimeMs} ${stats.size}`;
  }

  async #require(id: ThreadId): Promise<{ path: string; session: Session }> {
    const found = await this.#open(id);
    if (found === undefined) throw new HeddleError('bad_request', `pi has no session ${id}`);
    if (hasIds(found.session)) return found;
    throw new HeddleError('bad_request', `session ${id} has the form of a very old pi`, {
      hint: 'Say something in it: pi then writes it anew.',
    });
  }

  async #open(id: ThreadId): Promise<{ path: string; session: Session } | undefined> {
    const path = (await this.find(id))?.path ?? undefined;
    return path === undefined ? undefined : { path, session: await readSession(path) };
  }
}

/** Whether entries can be written behind what is there. */
function hasIds({ branch }: Session): boolean {
  return branch.every(({ fields }) => fields['id'] !== undefined);
}

function turnIn({ branch }: Session, turnId: TurnId): TurnEntries {
  const turn = turnsOf(branch).find(({ id }) => id === turnId);
  if (turn === undefined) throw new HeddleError('bad_request', `pi's session has no turn ${turnId}`);
  return turn;
}

function entriesBefore({ branch }: Session, { after }: TurnEntries): Entry[] {
  return branch.slice(0, branch.findIndex(({ id }) => id === after) + 1);
}
