// Owns where claude keeps its sessions, and a memory of what was read of each: a file that has not changed is not read
// again. Sessions of sub-agents lie deeper and are not among them.

import { entriesOf, foldersIn, inTurns, type StoredThread } from '@heddle/bridge-kit';
import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isSessionId } from './session-id.ts';
import { readSessionSummary } from './session-summary.ts';

const transcriptName = /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.jsonl$/i;

interface Known {
  mtimeMs: number;
  size: number;
  thread: StoredThread | undefined;
}

export class SessionIndex {
  readonly #projects: string;
  #known = new Map<string, Known>();

  /** @param configDir claude's, absolute. */
  constructor(configDir: string) {
    this.#projects = join(configDir, 'projects');
  }

  async list(): Promise<StoredThread[]> {
    const paths = (await inTurns(await foldersIn(this.#projects), transcriptsIn)).flat();
    const known = this.#known;
    const next = new Map<string, Known>();
    await inTurns(paths, async ({ id, path }) => {
      const session = await this.#look(id, path, known.get(path));
      if (session !== undefined) next.set(path, session);
    });
    this.#known = next;
    return newestOfEach([...next.values()].flatMap(({ thread }) => (thread === undefined ? [] : [thread])));
  }

  async find(id: string): Promise<StoredThread | undefined> {
    if (!isSessionId(id)) return undefined;
    const found = await inTurns(await foldersIn(this.#projects), async (folder) => {
      const path = join(folder, `${id}.jsonl`);
      const session = await this.#look(id, path, this.#known.get(path));
      if (session === undefined) this.#known.delete(path);
      else this.#known.set(path, session);
      return session?.thread === undefined ? [] : [session.thread];
    });
    return newestOfEach(found.flat())[0];
  }

  /** `undefined`: there is no such file, or nobody may read it. */
  async #look(id: string, path: string, known: Known | undefined): Promise<Known | undefined> {
    const stats = await statIfThere(path);
    if (stats === undefined) return undefined;
    const { mtimeMs, size } = stats;
    if (known?.mtimeMs === mtimeMs && known.size === size) return known;
    try {
      return { mtimeMs, size, thread: await readSessionSummary(id, path, stats) };
    } catch {
      return undefined; // removed, or not ours to read: it is no session that could be opened
    }
  }
}

/** A session that was moved to another folder is in both. */
function newestOfEach(threads: readonly StoredThread[]): StoredThread[] {
  const byId = new Map<string, StoredThread>();
  for (const thread of threads) {
    const other = byId.get(thread.id);
    if (other === undefined || other.updatedAtMs <= thread.updatedAtMs) byId.set(thread.id, thread);
  }
  return [...byId.values()];
}

async function transcriptsIn(folder: string): Promise<{ id: string; path: string }[]> {
  return (await entriesOf(folder)).flatMap(({ name }) => {
    const id = transcriptName.exec(name)?.[1];
    return id === undefined ? [] : [{ id, path: join(folder, name) }];
  });
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  return stat(path).catch(() => undefined);
}
