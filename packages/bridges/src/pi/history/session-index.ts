// Owns where pi keeps its sessions, and a memory of what was read of each: a file that has not changed is not read again.

import { entriesOf, foldersIn, inTurns, type StoredThread } from '@heddle/bridge-kit';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readSessionSummary } from './session-summary.ts';

interface Known {
  mtimeMs: number;
  size: number;
  thread: StoredThread | undefined;
}

/** Ids that may stand in a file name; anything else would be a path of somebody's choice. */
const sessionId = /^[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?$/;

export class SessionIndex {
  /** Folders of folders of sessions: one for each folder in which pi was used. */
  readonly #roots: readonly string[];
  /** Folders of sessions, of the user's choice. */
  readonly #flat: () => Promise<readonly string[]>;
  #known = new Map<string, Known>();
  /** Where a session is that runs here, wherever that is. */
  readonly #paths = new Map<string, string>();

  constructor(options: { roots: readonly string[]; flat: () => Promise<readonly string[]> }) {
    this.#roots = options.roots;
    this.#flat = options.flat;
  }

  async list(): Promise<StoredThread[]> {
    const paths = new Set([...(await inTurns(await this.#folders(), sessionsIn)).flat(), ...this.#paths.values()]);
    const known = this.#known;
    const next = new Map<string, Known>();
    await inTurns([...paths], async (path) => {
      const session = await look(path, known.get(path));
      if (session !== undefined) next.set(path, session);
    });
    this.#known = next;
    return newestOfEach([...next.values()].flatMap(({ thread }) => (thread === undefined ? [] : [thread])));
  }

  async find(id: string): Promise<StoredThread | undefined> {
    if (!sessionId.test(id)) return undefined;
    const running = this.#paths.get(id);
    const known = [...this.#known].flatMap(([path, { thread }]) => (thread?.id === id ? [path] : []));
    const likely = await this.#lookAt(id, [...(running === undefined ? [] : [running]), ...known]);
    // To look through all folders takes time where there are many sessions.
    return likely ?? this.#lookAt(id, await this.#pathsNamed(id));
  }

  async #lookAt(id: string, paths: readonly string[]): Promise<StoredThread | undefined> {
    const found = await inTurns([...new Set(paths)], async (path) => {
      const session = await look(path, this.#known.get(path));
      if (session === undefined) this.#known.delete(path);
      else this.#known.set(path, session);
      return session?.thread?.id === id ? [session.thread] : [];
    });
    return newestOfEach(found.flat())[0];
  }

  /** Notes where pi has said that a session is. */
  notePath(id: string, path: string): void {
    this.#paths.set(id, path);
  }

  forget(id: string): void {
    this.#paths.delete(id);
  }

  async #folders(): Promise<string[]> {
    const [nested, flat] = await Promise.all([inTurns(this.#roots, foldersIn), this.#flat()]);
    return [...nested.flat(), ...flat];
  }

  async #pathsNamed(id: string): Promise<string[]> {
    return (await inTurns(await this.#folders(), sessionsIn)).flat().filter((path) => path.endsWith(`_${id}.jsonl`));
  }
}

/** `undefined`: there is no such file, or nobody may read it. */
async function look(path: string, known: Known | undefined): Promise<Known | undefined> {
  try {
    const { mtimeMs, size } = await stat(path);
    if (known?.mtimeMs === mtimeMs && known.size === size) return known;
    return { mtimeMs, size, thread: await readSessionSummary(path, { size, mtimeMs }) };
  } catch {
    return undefined;
  }
}

/** A session that was copied to another folder is in both. */
function newestOfEach(threads: readonly StoredThread[]): StoredThread[] {
  const byId = new Map<string, StoredThread>();
  for (const thread of threads) {
    const other = byId.get(thread.id);
    if (other === undefined || other.updatedAtMs <= thread.updatedAtMs) byId.set(thread.id, thread);
  }
  return [...byId.values()];
}

async function sessionsIn(folder: string): Promise<string[]> {
  return (await entriesOf(folder)).flatMap(({ name }) => (name.endsWith('.jsonl') ? [join(folder, name)] : []));
}
