// Owns the reading of claude's transcripts: JSON lines, one entry each. A line that is no JSON is left out: the last
// one may be half written. Source: claude 2.1.197, measured.

import { type Fields, fieldsOf, textOf } from '@heddle/bridge-kit';
import { readFile } from 'node:fs/promises';
import { asFirstWritten } from './rewritten.ts';

/** An entry of the conversation; entries form a tree. */
export interface Entry {
  /** As it is in the file. */
  uuid: string;
  /** Under which it was written first: another one for what stands in the file a second time, see rewritten.ts. */
  firstUuid: string;
  /** The entry that it follows. */
  parentUuid: string | null;
  type: 'user' | 'assistant' | 'attachment' | 'system';
  fields: Fields;
  /** 0 when it has none. */
  timeMs: number;
  /** Whether it was said while claude worked, and had to wait. */
  hasWaited: boolean;
}

/** Whose conversation it is. */
export type Whose = 'session' | 'subAgent';

export interface Transcript {
  /** In the order of the file, each once; those of sub-agents are not among them. */
  entries: Entry[];
  /** Where somebody has gone back to, when nothing was said since; `null`: to the begin. */
  rewoundTo: string | null | undefined;
}

const entryTypes: ReadonlySet<unknown> = new Set<Entry['type']>(['user', 'assistant', 'attachment', 'system']);

/** @param whose a sub-agent's conversation is in a file of its own; lines of another kind are left out */
export async function readTranscript(path: string, whose: Whose = 'session'): Promise<Transcript> {
  return transcriptOf(linesOf(await readFile(path)), whose);
}

function transcriptOf(lines: Iterable<Fields>, whose: Whose): Transcript {
  const entries = new Map<string, Entry>();
  const queue = new MessageQueue();
  let rewoundTo: Transcript['rewoundTo'];
  for (const line of lines) {
    if (line['type'] === 'queue-operation') queue.note(line['operation']);
    if (line['type'] === 'last-prompt' && line['explicit'] === true) {
      rewoundTo = textOf(line['leafUuid']) ?? null;
      continue;
    }
    const entry = entryOf(line, whose);
    if (entry === undefined) continue;
    rewoundTo = undefined;
    entry.hasWaited = queue.hasWaited(entry.type);
    if (!entries.has(entry.uuid)) entries.set(entry.uuid, entry); // compaction writes what it keeps a second time
  }
  return { entries: [...entries.values()], rewoundTo };
}

/** What claude notes of the messages that wait for their turn: it does not say which, but it takes them in order. */
class MessageQueue {
  /** Of each message, whether claude has said something since it came. */
  #waiting: boolean[] = [];
  #taken = false;

  note(operation: unknown): void {
    if (operation === 'enqueue') this.#waiting.push(false);
    else if (operation === 'dequeue') this.#taken = this.#waiting.shift() ?? false;
    else if (operation === 'remove')
      this.#waiting.shift(); // taken in at once, see `steeredPrompt`
    else this.#waiting = [];
  }

  hasWaited(next: Entry['type']): boolean {
    if (next === 'assistant') {
      this.#waiting.fill(true);
      this.#taken = false;
    }
    return this.#taken;
  }
}

/** The objects in a piece of a transcript. */
export function* linesOf(bytes: Buffer): Generator<Fields> {
  let start = 0;
  while (start < bytes.length) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline === -1 ? bytes.length : newline;
    const line = end > start ? parsed(bytes.toString('utf8', start, end)) : undefined;
    if (line !== undefined) yield line;
    start = end + 1;
  }
}

/** The same, the last one first. */
export function* linesBackwards(bytes: Buffer): Generator<Fields> {
  let end = bytes.length;
  while (end > 0) {
    const start = bytes.lastIndexOf(0x0a, end - 1) + 1;
    const line = end > start ? parsed(bytes.toString('utf8', start, end)) : undefined;
    if (line !== undefined) yield line;
    end = start - 1;
  }
}

/** The entry of the conversation that a line holds; `undefined`: it holds something else, or another's. */
export function entryOf(line: Fields, whose: Whose = 'session'): Entry | undefined {
  const uuid = textOf(line['uuid']);
  const isWanted = (line['isSidechain'] === true) === (whose === 'subAgent');
  if (uuid === undefined || !entryTypes.has(line['type']) || !isWanted) return undefined;
  const parentUuid = textOf(line['parentUuid']) ?? textOf(line['logicalParentUuid']) ?? null; // the second over a compaction
  const fields = asFirstWritten(line);
  const firstUuid = textOf(fields['uuid']) ?? uuid;
  return { uuid, firstUuid, parentUuid, type: line['type'] as Entry['type'], fields, timeMs: timeOf(line), hasWaited: false };
}

function timeOf(line: Fields): number {
  const time = Date.parse(textOf(line['timestamp']) ?? '');
  return Number.isNaN(time) ? 0 : time;
}

function parsed(text: string): Fields | undefined {
  try {
    return fieldsOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}
