// Owns the watching of one path: a folder with what lies directly in it, or a file by its name, whatever has that name.
// It need not be there yet, and may go and come back.

import { lstat, opendir, realpath, stat } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import { refusal } from '../server/params.ts';

/** The system watches each file of a folder, and has a bounded number of watches for all programs together. */
const MAX_FOLDER_ENTRIES = 4_096;
/** As long as codex 0.169 waits (measured). */
const BUNDLE_MS = 200;
/** Beyond this the watched path alone is told: everything is to be read again. */
const MAX_CHANGED_PATHS = 1_000;

export interface WatchListener {
  onChanged: (paths: string[]) => void;
  /** After it was ready. */
  onError: (error: unknown) => void;
}

/** What has to be looked at so that nothing of a path is missed. */
interface Place {
  folders: ReadonlySet<string>;
  /** What counts in them; absent: everything. */
  names: ReadonlySet<string> | undefined;
  /** Where the path leads, if it is a link. */
  target: string;
}

export class PathWatch {
  /** Resolves when every later change will be told; rejects when it can't be watched. */
  readonly ready: Promise<void>;
  readonly #path: string;
  readonly #listener: WatchListener;
  #watcher: FSWatcher | undefined;
  #place: Place | undefined;
  #restarting: Promise<void> | undefined;
  #isOutdated = false;
  #changed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** @param path absolute. */
  constructor(path: string, listener: WatchListener) {
    this.#path = path;
    this.#listener = listener;
    this.ready = this.#start();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#restarting;
    await this.#watcher?.close();
  }

  async #start(): Promise<void> {
    for (let place = await findPlace(this.#path); !this.#isClosed; ) {
      await this.#watch(place);
      // What came or went before the watcher was ready was told to nobody.
      const now = await findPlace(this.#path);
      if (isSame(now, place)) return;
      await this.#watcher?.close();
      place = now;
    }
  }

  async #watch(place: Place): Promise<void> {
    const { folders, names } = place;
    this.#place = place;
    const ignored = names === undefined ? [] : [(path: string) => !folders.has(path) && !names.has(path)];
    const watcher = watch([...folders], { ignoreInitial: true, depth: 0, atomic: false, ignored });
    this.#watcher = watcher;
    watcher.on('all', (event, path) => this.#onEvent(event, path, place));
    await new Promise<void>((resolve, reject) => {
      watcher.once('ready', resolve);
      watcher.once('error', reject);
    });
    watcher.on('error', this.#listener.onError);
  }

  #onEvent(event: string, path: string, { folders, names, target }: Place): void {
    const isPlace = folders.has(path);
    const isPath = path === this.#path || path === target;
    if (isPath) this.#note(this.#path);
    else if (!isPlace && names === undefined) this.#note(path.startsWith(target + sep) ? this.#path + path.slice(target.length) : path);
    // A folder above the path has gone or come, or the path has become a folder: there is another place to look at.
    if (isPlace ? event === 'unlinkDir' : event === 'addDir' && names !== undefined) this.#restart();
  }

  #restart(): void {
    this.#isOutdated = true;
    this.#restarting ??= this.#moveOn()
      .catch(this.#listener.onError)
      .finally(() => {
        this.#restarting = undefined;
      });
  }

  async #moveOn(): Promise<void> {
    while (this.#isOutdated && !this.#isClosed) {
      this.#isOutdated = false;
      await this.#watcher?.close();
      await this.#start();
    }
    this.#note(this.#path); // whatever has changed meanwhile was not seen
  }

  #note(path: string): void {
    if (this.#isClosed) return;
    this.#changed.add(path);
    this.#timer ??= setTimeout(() => {
      const changed = this.#changed.size > MAX_CHANGED_PATHS ? [this.#path] : [...this.#changed].toSorted();
      this.#changed = new Set();
      this.#timer = undefined;
      this.#listener.onChanged(changed);
      this.#verify().catch(this.#listener.onError);
    }, BUNDLE_MS);
  }

  /** On a busy computer the end of a folder may be told to nobody: what is looked at has to fit what is there. */
  async #verify(): Promise<void> {
    const place = this.#place;
    if (place === undefined || this.#restarting !== undefined || this.#isClosed) return;
    const now = await findPlace(this.#path);
    if (this.#place === place && this.#restarting === undefined && !isSame(now, place)) this.#restart();
  }
}

/** @throws RpcError for a folder with too much in it. */
async function findPlace(path: string): Promise<Place> {
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isDirectory() === true) {
    await assertWatchable(path);
    return { folders: new Set([path]), names: undefined, target: path };
  }
  if (stats !== undefined) {
    // A file behind a link may be replaced without the link's knowing: both are looked at.
    const target = (await lstat(path)).isSymbolicLink() ? await realpath(path) : path;
    return { folders: new Set([dirname(path), dirname(target)]), names: new Set([path, target]), target };
  }
  for (let below = path; ; below = dirname(below)) {
    const folder = dirname(below);
    const isThere = await stat(folder).catch(() => undefined);
    if (isThere !== undefined || folder === below) return { folders: new Set([folder]), names: new Set([below]), target: path };
  }
}

function isSame(one: Place, other: Place): boolean {
  const said = ({ folders, names }: Place) => JSON.stringify([[...folders], names === undefined ? null : [...names]]);
  return said(one) === said(other);
}

async function assertWatchable(path: string): Promise<void> {
  const folder = await opendir(path);
  let entries = 0;
  try {
    while ((await folder.read()) !== null) {
      entries += 1;
      if (entries > MAX_FOLDER_ENTRIES) throw refusal(`directory is too large to watch: limit is ${MAX_FOLDER_ENTRIES} entries`);
    }
  } finally {
    await folder.close();
  }
}
