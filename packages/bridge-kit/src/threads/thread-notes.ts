// Owns what heddle knows of threads that their agent can't keep: names, archive flags, who began them. One small JSON
// file per agent (0600), written whole and atomically, some time after a change and at the end. Without a file: memory.

import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Log } from '@heddle/rpc';
import { HeddleError, type ThreadId } from '@heddle/wire';

const WRITE_DELAY_MS = 500;
const VERSION = 1;

export interface ThreadNote {
  name?: string;
  isArchived?: true;
  isEphemeral?: true;
  /** Name of the client that began it here. */
  originator?: string;
  forkedFromId?: ThreadId;
}

export interface ThreadNotesOptions {
  /** Absolute; absent: nothing outlives the process. */
  path?: string | undefined;
  log: Log;
}

export class ThreadNotes {
  readonly #path: string | undefined;
  readonly #log: Log;
  readonly #notes: Map<ThreadId, ThreadNote>;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isDirty = false;

  /** @throws HeddleError `config_invalid` for a file that is there and can't be read: to go on would overwrite it. */
  constructor(options: ThreadNotesOptions) {
    this.#path = options.path;
    this.#log = options.log;
    this.#notes = options.path === undefined ? new Map() : readNotes(options.path);
  }

  of(id: ThreadId): ThreadNote | undefined {
    return this.#notes.get(id);
  }

  /** Merges; a member that is given as `undefined` goes. */
  change(id: ThreadId, changes: { [Member in keyof ThreadNote]: ThreadNote[Member] | undefined }): void {
    const kept = Object.entries({ ...this.#notes.get(id), ...changes }).filter(([, value]) => value !== undefined);
    if (kept.length === 0) this.#notes.delete(id);
    else this.#notes.set(id, Object.fromEntries(kept) as ThreadNote);
    this.#changed();
  }

  drop(id: ThreadId): void {
    if (this.#notes.delete(id)) this.#changed();
  }

  /** Resolves when the file says what is known. Never rejects: a failure is logged, the next change tries again. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isDirty) {
      this.#isDirty = false;
      this.#writing = this.#writing.then(() => this.#write());
    }
    await this.#writing;
  }

  #changed(): void {
    if (this.#path === undefined) return;
    this.#isDirty = true;
    this.#timer ??= setTimeout(() => void this.flush(), WRITE_DELAY_MS).unref();
  }

  async #write(): Promise<void> {
    const path = this.#path as string;
    const text = JSON.stringify({ version: VERSION, threads: Object.fromEntries(this.#notes) });
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFile(`${path}.new`, text, { mode: 0o600, flush: true });
      await rename(`${path}.new`, path);
    } catch (error) {
      this.#isDirty = true;
      this.#log.error('the names and archive flags of threads could not be written', { path, error: String(error) });
    }
  }
}

function readNotes(path: string): Map<ThreadId, ThreadNote> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw new HeddleError('config_invalid', `can't read ${path}: ${String(cause)}`, { cause });
  }
  try {
    const { threads } = JSON.parse(text) as { threads: Record<ThreadId, ThreadNote> };
    return new Map(Object.entries(threads));
  } catch (cause) {
    throw new HeddleError('config_invalid', `${path} is not what heddle wrote: ${String(cause)}`, {
      cause,
      hint: 'Move the file away; the names and archive flags in it are then forgotten.',
    });
  }
}
