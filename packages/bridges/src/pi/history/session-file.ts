// Owns the reading of pi's session files: JSON lines, a header and then entries that form a tree, of which the last one is
// where the conversation stands. A line that is no JSON is left out: the last one may be half written.
// Source: pi 0.73.1 and 0.87.1, format version 3, measured; the first format by its documentation.

import { type Fields, fieldsOf, textOf } from '@heddle/bridge-kit';
import { readFile } from 'node:fs/promises';

export interface Entry {
  id: string;
  parentId: string | null;
  type: string;
  fields: Fields;
  /** 0 when it has none. */
  timeMs: number;
}

export interface SessionHeader {
  id: string;
  /** Absolute. */
  cwd: string;
  timeMs: number;
  /** Absolute path of the session that this one was made from. */
  parentSession: string | null;
}

export interface Session {
  header: SessionHeader;
  /** From the first to the last of the conversation as it stands. */
  branch: Entry[];
}

/** @throws when the file can not be read, or is no session */
export async function readSession(path: string): Promise<Session> {
  const bytes = await readFile(path);
  const byId = new Map<string, Entry>();
  let header: SessionHeader | undefined;
  let leaf: Entry | undefined;
  for (const line of linesOf(bytes)) {
    header ??= headerOf(line);
    const entry = entryOf(line, leaf);
    if (entry === undefined) continue;
    byId.set(entry.id, entry); // 0.73 may write what a session begins with twice
    leaf = entry;
  }
  if (header === undefined) throw new Error(`${path} is no session of pi's`);
  return { header, branch: branchTo(leaf, byId) };
}

export function headerOf(line: Fields): SessionHeader | undefined {
  const id = textOf(line['id']);
  const cwd = textOf(line['cwd']);
  if (line['type'] !== 'session' || id === undefined || cwd === undefined) return undefined;
  return { id, cwd, timeMs: timeOf(line), parentSession: textOf(line['parentSession']) ?? null };
}

/** The objects in a piece of a file. */
function* linesOf(bytes: Buffer): Generator<Fields> {
  let start = 0;
  while (start < bytes.length) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline === -1 ? bytes.length : newline;
    const line = end > start ? parsedLine(bytes.toString('utf8', start, end)) : undefined;
    if (line !== undefined) yield line;
    start = end + 1;
  }
}

export function parsedLine(text: string): Fields | undefined {
  try {
    return fieldsOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export function timeOf(line: Fields): number {
  const time = Date.parse(textOf(line['timestamp']) ?? '');
  return Number.isNaN(time) ? 0 : time;
}

/** @param before the entry before it in the file: sessions of the first format have neither ids nor a tree */
function entryOf(line: Fields, before: Entry | undefined): Entry | undefined {
  const type = textOf(line['type']);
  if (type === undefined || type === 'session') return undefined;
  const id = textOf(line['id']);
  const timeMs = timeOf(line);
  if (id !== undefined) return { id, parentId: textOf(line['parentId']) ?? null, type, fields: line, timeMs };
  const number = Number(/^line-(\d+)$/.exec(before?.id ?? '')?.[1] ?? 0) + 1;
  return { id: `line-${number}`, parentId: before?.id ?? null, type, fields: line, timeMs };
}

function branchTo(leaf: Entry | undefined, byId: ReadonlyMap<string, Entry>): Entry[] {
  const branch: Entry[] = [];
  const seen = new Set<Entry>(); // a file that somebody has broken may lead in a circle
  for (let entry = leaf; entry !== undefined && !seen.has(entry); entry = byId.get(entry.parentId ?? '')) {
    seen.add(entry);
    branch.push(entry);
  }
  return branch.toReversed();
}
