// Owns what heddle writes into pi's sessions, in the form in which pi writes it: a copy of a conversation, and the entries
// by which one is taken back. Nothing that is there is ever changed. The session's pi must not run.

import { appendJsonLines } from '@heddle/bridge-kit';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { GUARD } from '../guard-source.ts';
import { sessionFileName } from './session-folders.ts';
import type { Entry, SessionHeader } from './session-file.ts';

const VERSION = 3;

/** A session with nothing in it. */
export async function writeHeader(folder: string, id: string, cwd: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const now = new Date();
  const path = join(folder, sessionFileName(id, now));
  await writeFile(path, lineOf({ type: 'session', version: VERSION, id, timestamp: now.toISOString(), cwd }), { mode: 0o600 });
  return path;
}

/** Copies a part of a conversation into a new session beside it. */
export async function writeCopy(source: { path: string; header: SessionHeader }, id: string, entries: readonly Entry[]): Promise<string> {
  const now = new Date();
  const path = join(dirname(source.path), sessionFileName(id, now));
  const { cwd } = source.header;
  const header = { type: 'session', version: VERSION, id, timestamp: now.toISOString(), cwd, parentSession: source.path };
  await writeFile(path, [header, ...entries.map(({ fields }) => fields)].map(lineOf).join(''), { mode: 0o600 });
  return path;
}

/**
 * Takes the conversation to an entry: what is said next follows it. pi goes by the last entry of a file.
 * @param leaf where it stood, so that it can be brought back
 */
export async function writeMove(path: string, to: string | null, leaf: string | null): Promise<void> {
  const data = { from: leaf };
  await appendJsonLines(path, [
    { type: 'custom', customType: GUARD, data, id: newEntryId(), parentId: to, timestamp: new Date().toISOString() },
  ]);
}

export async function writeName(path: string, name: string, leaf: string | null): Promise<void> {
  await appendJsonLines(path, [{ type: 'session_info', id: newEntryId(), parentId: leaf, timestamp: new Date().toISOString(), name }]);
}

/** As pi makes its own. */
function newEntryId(): string {
  return randomBytes(4).toString('hex');
}

function lineOf(entry: unknown): string {
  return `${JSON.stringify(entry)}\n`;
}
