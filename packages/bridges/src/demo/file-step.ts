// Owns the demo's file change: read what is there, show the true difference, ask, and then really write it.

import { type RunningTurn, updateHunks, uuidV7 } from '@heddle/bridge-kit';
import { lstat, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandStatus, FileChangeItem, FileUpdateChange } from '@heddle/wire';
import { type Refusal, refusals } from './command-step.ts';

/** The one file that the demo writes. */
const FILE_NAME = 'demo-notes.txt';
/** A file that somebody made larger than this is left alone. */
const MAX_FILE_BYTES = 256 * 1024;
const counterLine = /^Turns that wrote here: (\d+)$/m;

export type FileOutcome = { name: string } & ({ kind: 'added' | 'changed' } | { kind: Refusal } | { kind: 'failed'; why: string });

/**
 * Adds the file, or changes one line of it. Asks, whatever the client's policy is, unless changes to it were accepted
 * for the session.
 * @throws the turn's abort reason when it is cut short.
 */
export async function performFileChange(turn: RunningTurn): Promise<FileOutcome> {
  const path = join(turn.cwd, FILE_NAME);
  const name = FILE_NAME;
  let before: string | undefined;
  try {
    before = await readIfThere(path);
  } catch (error) {
    return { kind: 'failed', name, why: messageOf(error) }; // as in codex: a change that does not apply is no item
  }
  const after = nextContent(before);
  const itemId = uuidV7();
  const item: FileChangeItem = { type: 'fileChange', id: itemId, changes: [changeOf(path, before, after)], status: 'inProgress' };
  const end = (status: CommandStatus) => turn.apply({ type: 'itemCompleted', itemId, changes: { status } });
  turn.signal.throwIfAborted();
  const subject = `file ${path}`;
  if (turn.isRemembered(subject)) turn.apply({ type: 'itemStarted', item });
  else {
    const params = { threadId: turn.threadId, turnId: turn.id, itemId, startedAtMs: Date.now(), reason: null, grantRoot: null };
    const decision = await turn.ask('item/fileChange/requestApproval', params, subject, item);
    if (decision !== 'accept' && decision !== 'acceptForSession') return { name, kind: refusals[decision] };
  }
  try {
    // The question may have waited for days: what was shown must still be what is done.
    if ((await readIfThere(path)) !== before) throw new Error('it was changed while the question waited');
    await writeWhole(path, after);
  } catch (error) {
    end('failed');
    return { kind: 'failed', name, why: messageOf(error) };
  }
  end('completed');
  turn.apply({ type: 'fileChanged', path, before: before ?? null, after });
  return { kind: before === undefined ? 'added' : 'changed', name };
}

function changeOf(path: string, before: string | undefined, after: string): FileUpdateChange {
  if (before === undefined) return { path, kind: { type: 'add' }, diff: after };
  return { path, kind: { type: 'update', move_path: null }, diff: updateHunks(before, after) };
}

function nextContent(before: string | undefined): string {
  if (before === undefined) {
    return 'Notes of the demo agent\n\nThis file lives in a private folder of one thread.\nTurns that wrote here: 1\nIt goes when the thread is deleted.\n';
  }
  const turns = counterLine.exec(before)?.[1];
  if (turns !== undefined) return before.replace(counterLine, `Turns that wrote here: ${Number(turns) + 1}`);
  const gap = before === '' || before.endsWith('\n') ? '' : '\n'; // somebody rewrote the file: a line goes to its end
  return `${before}${gap}Turns that wrote here: 1\n`;
}

/** A link is not followed: the demo writes in its own folder only. */
async function readIfThere(path: string): Promise<string | undefined> {
  const stats = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (stats === undefined) return undefined;
  if (!stats.isFile()) throw new Error('it is not a plain file');
  if (stats.size > MAX_FILE_BYTES) throw new Error(`it has ${stats.size} bytes, more than the demo reads`);
  return readFile(path, 'utf8');
}

/** All or nothing: a reader sees the old file or the new one. */
async function writeWhole(path: string, content: string): Promise<void> {
  const temporary = `${path}.${uuidV7()}`;
  await writeFile(temporary, content, { mode: 0o600, flag: 'wx' });
  await rename(temporary, path);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
