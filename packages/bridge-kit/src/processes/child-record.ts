// Owns the note that says which process was started, so that the next daemon can end it when this one is killed. One
// small file for each process, from its start until nothing of it is left; what another program wrote is not believed.

import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Log } from '@heddle/rpc';
import { asError } from '@heddle/wire';
import { ProcessFamily } from './process-family.ts';

/** The mark of the process is in the name. */
const NAME_PATTERN = /^child-([0-9a-f]+)\.json$/;

export interface ChildRecord {
  pid: number | undefined;
  /** `RunningProcess.startedAt`. Absent where it can't be had: then the mark alone is trusted. */
  startedAt?: string | undefined;
  /** The id in its environment. */
  mark: string;
  /** For a person who looks. */
  command: string;
  /** Names of files in the same folder that go with the process, such as its socket. */
  files: readonly string[];
}

/** Notes a process in `dir`. */
export async function writeChildRecord(dir: string, record: ChildRecord): Promise<void> {
  const { mark, ...rest } = record;
  await writeFile(recordPath(dir, mark), JSON.stringify(rest), { mode: 0o600 });
}

/** Nothing of the process is left: forgets it and removes its files. */
export async function removeChildRecord(dir: string, record: Pick<ChildRecord, 'mark' | 'files'>): Promise<void> {
  await Promise.all(record.files.map((name) => rm(join(dir, basename(name)), { force: true })));
  await rm(recordPath(dir, record.mark), { force: true });
}

/**
 * Ends what a killed daemon has left behind, with everything that was started in turn. To be called before any process
 * is started, by whoever holds the lock of the only daemon. Never rejects; resolves when nothing of it is left.
 */
export async function endOrphans(options: { runtimeDir: string; log: Log }): Promise<void> {
  const { runtimeDir, log } = options;
  try {
    const marks = (await readdir(runtimeDir)).flatMap((name) => NAME_PATTERN.exec(name)?.[1] ?? []);
    const records = await Promise.all(marks.map((mark) => readRecord(runtimeDir, mark)));
    await Promise.all(records.map((record) => endOrphan(runtimeDir, record, log)));
  } catch (error) {
    log.warn('what a killed daemon left behind could not be ended', { error: asError(error) });
  }
}

async function endOrphan(dir: string, record: ChildRecord, log: Log): Promise<void> {
  const family = new ProcessFamily({ pid: record.pid, startedAt: record.startedAt, mark: record.mark, ownsGroup: false });
  const pids = (await family.look()).map(({ pid }) => pid);
  if (pids.length > 0) {
    log.warn('ending the processes of a daemon that was killed', { command: record.command, pids });
    const left = await family.end();
    if (left.length > 0) throw new Error(`still there: ${left.map(({ pid }) => pid).join(', ')}`); // the record stays
  }
  await removeChildRecord(dir, record);
}

function recordPath(dir: string, mark: string): string {
  return join(dir, `child-${mark}.json`);
}

/** A record that was cut off while it was being written still names its mark. */
async function readRecord(dir: string, mark: string): Promise<ChildRecord> {
  let value: Partial<Record<keyof ChildRecord, unknown>> = {};
  try {
    value = (JSON.parse(await readFile(recordPath(dir, mark), 'utf8')) ?? {}) as typeof value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const { pid, startedAt, command, files } = value;
  return {
    pid: typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 1 ? pid : undefined,
    startedAt: typeof startedAt === 'string' ? startedAt : undefined,
    mark,
    command: typeof command === 'string' ? command : 'unknown',
    files: Array.isArray(files) ? files.filter((name) => typeof name === 'string') : [],
  };
}
