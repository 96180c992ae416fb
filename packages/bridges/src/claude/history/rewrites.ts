// Owns what heddle writes into claude's store: a session's copy, and the note that somebody has gone back in one. Both
// have the form that claude 2.1.197 gives them itself; what was written before is never changed.

import { appendJsonLines } from '@heddle/bridge-kit';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writtenAgain } from './rewritten.ts';
import type { Entry } from './transcript.ts';

/**
 * Writes the copy of a session beside it. claude resumes it under its new id, from the same working folder.
 * @param leafUuid the entry with which it ends
 * @returns its path
 * @throws when there is a session of that id
 */
export async function writeCopy(
  source: { id: string; path: string },
  newId: string,
  entries: readonly Entry[],
  leafUuid: string | null,
): Promise<string> {
  const lines: object[] = entries.map(({ uuid, fields }) => ({
    ...fields,
    uuid,
    sessionId: newId,
    forkedFrom: { sessionId: source.id, messageUuid: uuid },
  }));
  if (entries.length > 0 && entries.at(-1)?.uuid !== leafUuid) lines.push(rewindNote(newId, leafUuid));
  const path = join(dirname(source.path), `${newId}.jsonl`);
  await writeFile(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''), { mode: 0o600, flag: 'wx' });
  return path;
}

/**
 * Goes back in a session: what comes after the leaf is no part of the conversation any more. No claude may have it
 * loaded: it would not notice.
 * @param leafUuid the last entry that is kept; `null`: nothing is
 */
export async function writeRewind(source: { id: string; path: string }, leafUuid: string | null): Promise<void> {
  await appendJsonLines(source.path, [rewindNote(source.id, leafUuid)]);
}

/**
 * Goes back in a session to before a compaction. claude reads a session from its last compaction on, so a note alone
 * would not reach what lies before (2.1.197, tried): what is kept is written once more, behind it.
 * @param kept the conversation up to and with the leaf
 */
export async function writeRewindOverCompaction(
  source: { id: string; path: string },
  kept: readonly Entry[],
  leafUuid: string,
): Promise<void> {
  const { lines, newIds } = writtenAgain(source.id, kept);
  await appendJsonLines(source.path, [...lines, rewindNote(source.id, newIds.get(leafUuid) ?? null)]);
}

function rewindNote(sessionId: string, leafUuid: string | null): object {
  return { type: 'last-prompt', leafUuid, explicit: true, rewound: true, sessionId };
}
