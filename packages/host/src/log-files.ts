// Owns the names of the log files, one a day, and writing to today's. It refuses nothing: a line that can't be
// written is counted, and the count is written as soon as there is room again.
//
// pino-roll was looked at (4.0.0) and not taken: it changes files by a timer set up to a day ahead, which a laptop's
// sleep delays and which then writes one day's lines into another day's file; it removes old files by count, and
// only when it changes files, never at start; and it emits a full disk as an `error` event that ends the process.

import { chmodSync, closeSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { asError } from '@heddle/wire';

const KEPT_DAYS = 14;
const DAY_MS = 24 * 60 * 60 * 1000;
const NAME = /^heddle\.(\d{4}-\d{2}-\d{2})\.log$/;

/** Paths of the log files in a folder, oldest to newest; none when there is no such folder. */
export async function logFiles(dir: string): Promise<string[]> {
  try {
    return namesOldestFirst(await readdir(dir)).map((name) => join(dir, name));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

function namesOldestFirst(names: string[]): string[] {
  return names.filter((name) => NAME.test(name)).toSorted();
}

export interface DailyFileOptions {
  /** A private folder that exists. */
  dir: string;
  now: () => Date;
  /** Called with the first failure of each row of failures. */
  onFailure: (error: Error) => void;
}

/**
 * Appends lines to the file of the day (UTC, as in the lines' times). Each line is in the file when `write` returns,
 * so the last words before a crash are there; a line costs a few microseconds.
 */
export class DailyFile {
  readonly #options: DailyFileOptions;
  #day = '';
  #fd: number | undefined;
  #lostLines = 0;
  #isClosed = false;

  /** @throws the file system's error when today's file can't be opened or old ones not removed */
  constructor(options: DailyFileOptions) {
    this.#options = options;
    this.#openFor(dayOf(options.now()));
  }

  /** @param line with its line end. After `close` it goes nowhere. */
  write(line: string): void {
    if (this.#isClosed) return;
    try {
      const now = this.#options.now();
      if (this.#fd === undefined || dayOf(now) !== this.#day) this.#openFor(dayOf(now));
      // The line end comes first, because the failed write may have left a part of its line.
      const note = { level: 'warn', time: now.toISOString(), scope: 'log', msg: 'log lines could not be written', lines: this.#lostLines };
      this.#append(this.#lostLines === 0 ? line : `\n${JSON.stringify(note)}\n${line}`);
      this.#lostLines = 0;
    } catch (error) {
      this.#lostLines += 1;
      if (this.#lostLines === 1) this.#options.onFailure(asError(error));
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#closeFile();
  }

  #append(text: string): void {
    const bytes = Buffer.from(text);
    let written = 0;
    while (written < bytes.byteLength) written += writeSync(this.#fd as number, bytes, written);
  }

  #openFor(day: string): void {
    this.#closeFile();
    const path = join(this.#options.dir, `heddle.${day}.log`);
    this.#fd = openSync(path, 'a', 0o600);
    this.#day = day;
    chmodSync(path, 0o600); // it may have been there, with another mode
    const oldestKept = dayOf(new Date(Date.parse(day) - KEPT_DAYS * DAY_MS));
    for (const name of namesOldestFirst(readdirSync(this.#options.dir))) {
      if ((NAME.exec(name)?.[1] ?? day) < oldestKept) rmSync(join(this.#options.dir, name), { force: true });
    }
  }

  #closeFile(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) closeSync(fd);
  }
}

function dayOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}
