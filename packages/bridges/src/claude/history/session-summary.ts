// Owns what a list shows of a session, read from the first and the last bytes of its transcript only.

import { type Fields, fieldsOf, readPart, type StoredThread, textOf } from '@heddle/bridge-kit';
import { open } from 'node:fs/promises';
import { promptText, turnBegin } from './prompts.ts';
import { type Entry, entryOf, linesBackwards, linesOf, type Whose } from './transcript.ts';

const HEAD_BYTES = 8 * 1024;
/** A first message with pictures is long; beyond this it is done without. */
const MAX_HEAD_BYTES = 1024 * 1024;
const TAIL_BYTES = 16 * 1024;
/** What a list shows of the first message. */
const MAX_PREVIEW_LENGTH = 1_000;

interface Facts {
  begin: Entry | undefined;
  cwd: string | undefined;
  preview: string | undefined;
  lastPrompt: string | undefined;
  customTitle: string | undefined;
  title: string | undefined;
  model: string | undefined;
  forkedFrom: string | undefined;
  gitBranch: string | undefined;
  lastTimeMs: number;
}

/** `undefined`: nothing was said in it. @throws when the file can not be read */
export async function readSessionSummary(
  id: string,
  path: string,
  file: { size: number; mtimeMs: number },
  whose: Whose = 'session',
): Promise<StoredThread | undefined> {
  const handle = await open(path, 'r');
  try {
    const facts: Facts = { ...nothingKnown };
    let headBytes = Math.min(HEAD_BYTES, file.size);
    let head = await readPart(handle, 0, headBytes);
    while (!readHead(facts, head, whose) && headBytes < Math.min(file.size, MAX_HEAD_BYTES)) {
      headBytes = Math.min(headBytes * 8, file.size, MAX_HEAD_BYTES);
      head = await readPart(handle, 0, headBytes);
    }
    const tailStart = Math.max(headBytes, file.size - TAIL_BYTES);
    readTail(facts, tailStart < file.size ? await readPart(handle, tailStart, file.size - tailStart) : head, whose);
    return summaryOf(id, path, file, facts);
  } finally {
    await handle.close();
  }
}

const nothingKnown: Facts = {
  begin: undefined,
  cwd: undefined,
  preview: undefined,
  lastPrompt: undefined,
  customTitle: undefined,
  title: undefined,
  model: undefined,
  forkedFrom: undefined,
  gitBranch: undefined,
  lastTimeMs: 0,
};

/** @returns whether the first message was found */
function readHead(facts: Facts, head: Buffer, whose: Whose): boolean {
  for (const line of linesOf(head)) {
    const titles = titlesIn(line);
    for (const name of titleNames) facts[name] = titles[name] ?? facts[name];
    const entry = entryOf(line, whose);
    if (entry === undefined) continue;
    facts.begin ??= entry;
    facts.cwd ??= textOf(line['cwd']);
    facts.forkedFrom ??= textOf(fieldsOf(line['forkedFrom'])['sessionId']);
    facts.gitBranch ??= textOf(line['gitBranch']);
    const begin = turnBegin(entry);
    if (begin?.kind !== 'prompt') continue;
    facts.preview = promptText(begin.prompt.content).slice(0, MAX_PREVIEW_LENGTH);
    return true;
  }
  return false;
}

/**
 * From the end, as far as something is still looked for: lines are long, and most of a list's time goes into them. The
 * first line of a tail is mostly half a line, and no JSON then.
 */
function readTail(facts: Facts, tail: Buffer, whose: Whose): void {
  const last: Facts = { ...nothingKnown };
  const present = titleNames.filter((name) => titleMarks[name].some((mark) => tail.includes(mark)));
  for (const line of linesBackwards(tail)) {
    const titles = titlesIn(line);
    for (const name of present) last[name] ??= titles[name];
    const entry = entryOf(line, whose);
    last.lastTimeMs = Math.max(last.lastTimeMs, entry?.timeMs ?? 0);
    const model = entry === undefined ? undefined : textOf(fieldsOf(line['message'])['model']);
    if (model !== '<synthetic>') last.model ??= model;
    if (last.model !== undefined && last.lastTimeMs > 0 && present.every((name) => last[name] !== undefined)) break;
  }
  facts.lastTimeMs = last.lastTimeMs;
  facts.model = last.model ?? facts.model;
  for (const name of present) facts[name] = last[name] ?? facts[name];
}

type TitleName = 'customTitle' | 'title' | 'lastPrompt';
/** What is in a line that may have one. */
const titleMarks: Readonly<Record<TitleName, readonly string[]>> = {
  customTitle: ['"customTitle":'],
  title: ['"aiTitle":', '"type":"summary"'],
  lastPrompt: ['"lastPrompt":'],
};
const titleNames = Object.keys(titleMarks) as TitleName[];

/** claude writes titles again near the end, so that they are found there. */
function titlesIn(line: Fields): Record<TitleName, string | undefined> {
  return {
    customTitle: textOf(line['customTitle']),
    title: textOf(line['type'] === 'summary' ? line['summary'] : line['aiTitle']),
    lastPrompt: textOf(line['lastPrompt']),
  };
}

function summaryOf(id: string, path: string, file: { mtimeMs: number }, facts: Facts): StoredThread | undefined {
  const { begin, cwd } = facts;
  if (begin === undefined || cwd === undefined) return undefined;
  const mtimeMs = Math.round(file.mtimeMs);
  return {
    id,
    cwd,
    createdAtMs: begin.timeMs || mtimeMs,
    updatedAtMs: facts.lastTimeMs || mtimeMs,
    preview: facts.preview ?? facts.lastPrompt ?? '',
    name: facts.customTitle ?? facts.title ?? null,
    model: facts.model ?? null,
    path,
    forkedFromId: facts.forkedFrom === id ? null : (facts.forkedFrom ?? null),
    gitBranch: facts.gitBranch === undefined || facts.gitBranch === '' || facts.gitBranch === 'HEAD' ? null : facts.gitBranch,
  };
}
