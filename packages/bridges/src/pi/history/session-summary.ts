// Owns what a list shows of a session. Names may stand anywhere in a file, so that one of usual size is read whole, but
// only the few lines that tell something are parsed; of a larger one the begin and the end are read.

import { readPart, type StoredThread } from '@heddle/bridge-kit';
import { type Fields, fieldsOf, textOf } from '@heddle/bridge-kit';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { GUARD } from '../guard-source.ts';
import { decodeBlocks, textOfBlocks } from '../native-messages.ts';
import { headerOf, parsedLine, timeOf } from './session-file.ts';

const WHOLE_BYTES = 1024 * 1024;
const PART_BYTES = 256 * 1024;
/** What a list shows of the first message. */
const MAX_PREVIEW_LENGTH = 1_000;

// pi writes no spaces between the tokens of its JSON, and within a text quotes have a backslash before them.
const USER = '"role":"user"';
const ASSISTANT = '"role":"assistant"';
const MODEL = '"type":"model_change"';
const NAME = '"type":"session_info"';

/** `undefined`: nothing was said in it, or it is no session. @throws when the file can not be read */
export async function readSessionSummary(path: string, file: { size: number; mtimeMs: number }): Promise<StoredThread | undefined> {
  const handle = await open(path, 'r');
  try {
    const isWhole = file.size <= WHOLE_BYTES;
    const head = await readPart(handle, 0, isWhole ? file.size : PART_BYTES);
    const tail = isWhole ? head : await readPart(handle, file.size - PART_BYTES, PART_BYTES);
    return summaryOf(path, file, head, tail);
  } finally {
    await handle.close();
  }
}

function summaryOf(path: string, file: { mtimeMs: number }, head: Buffer, tail: Buffer): StoredThread | undefined {
  const header = headerOf(lineAt(head, 0) ?? {});
  const saidAt = head.indexOf(USER);
  const said = lineAt(head, saidAt) ?? lineAt(head, head.indexOf(ASSISTANT)); // an extension may begin a session
  if (header === undefined || said === undefined) return undefined;
  const mtimeMs = Math.round(file.mtimeMs);
  const named = lastLine(tail, NAME) ?? lastLine(head, NAME);
  return {
    id: header.id,
    cwd: header.cwd,
    createdAtMs: header.timeMs || mtimeMs,
    updatedAtMs: timeOf(lineAt(tail, tail.length - 2) ?? {}) || mtimeMs,
    preview: (saidInstead(head, saidAt) ?? previewOf(fieldsOf(said['message']))).slice(0, MAX_PREVIEW_LENGTH),
    name: textOf(named?.['name'])?.trim() || null,
    model: modelIn(tail) ?? modelIn(head) ?? null,
    path,
    forkedFromId: header.parentSession === null ? null : idInName(header.parentSession),
    gitBranch: null,
  };
}

function previewOf({ role, content }: Fields): string {
  return role === 'user' ? textOfBlocks(decodeBlocks(content)) : '';
}

/** What the user has written where pi has put something else in its place: heddle's entry before the message has it. */
function saidInstead(bytes: Buffer, saidAt: number): string | undefined {
  const start = saidAt < 0 ? -1 : bytes.lastIndexOf(0x0a, saidAt);
  const mark = start <= 0 ? undefined : lineAt(bytes, start - 1);
  return mark?.['customType'] === GUARD ? textOf(fieldsOf(mark['data'])['text']) : undefined;
}

/** The id that pi puts into a session's file name. */
function idInName(path: string): string | null {
  return /_([^_]+)\.jsonl$/.exec(basename(path))?.[1] ?? null;
}

function modelIn(bytes: Buffer): string | undefined {
  const answer = bytes.lastIndexOf(ASSISTANT);
  // Only what comes after the last answer could say something else.
  const change = answer < 0 ? bytes.lastIndexOf(MODEL) : bytes.indexOf(MODEL, answer);
  const line = lineAt(bytes, change < 0 ? answer : change);
  if (line === undefined) return undefined;
  const { provider, model, modelId } = change < 0 ? fieldsOf(line['message']) : line;
  const id = textOf(model) ?? textOf(modelId);
  return id === undefined || textOf(provider) === undefined ? undefined : `${String(provider)}/${id}`;
}

/** Forwards: a search from the end takes several times as long where there is nothing to find (measured). */
function lastLine(bytes: Buffer, mark: string): Fields | undefined {
  let last = -1;
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) last = at;
  return lineAt(bytes, last);
}

/** The object in the line around a byte. */
function lineAt(bytes: Buffer, at: number): Fields | undefined {
  if (at < 0) return undefined;
  const start = at === 0 ? 0 : bytes.lastIndexOf(0x0a, at - 1) + 1;
  const newline = bytes.indexOf(0x0a, at);
  return parsedLine(bytes.toString('utf8', start, newline === -1 ? bytes.length : newline));
}
