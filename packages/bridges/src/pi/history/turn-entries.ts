// Owns which entries of a session make up which turn. What heddle has begun is marked in the session itself; of what was
// said in a terminal, whatever is said after an answer begins a turn.

import { fieldsOf, textOf } from '@heddle/bridge-kit';
import type { TurnId } from '@heddle/wire';
import { GUARD } from '../guard-source.ts';
import { decodeNativeMessage, type NativeMessage } from '../native-messages.ts';
import type { Entry } from './session-file.ts';

export type StoredPart =
  /** `saidText`: what the user has written, where pi has put something else in its place. */
  | { type: 'said'; messageId: string; message: Extract<NativeMessage, { role: 'user' }>; saidText: string | undefined }
  | { type: 'message'; message: Exclude<NativeMessage, { role: 'user' }> }
  | { type: 'compaction'; firstKeptEntryId: string; tokensBefore: number };

export interface TurnEntries {
  id: TurnId;
  /** The entry before the turn's first; `null`: there is none. */
  after: string | null;
  /** All its entries, in the order of the conversation. */
  entries: Entry[];
  parts: StoredPart[];
}

interface Mark {
  turn: TurnId;
  message: string | undefined;
  text: string | undefined;
}

export function turnsOf(branch: readonly Entry[]): TurnEntries[] {
  const turns: TurnEntries[] = [];
  /** A mark belongs to the message right behind it. */
  let marked: { mark: Mark; entry: Entry } | undefined;
  for (const entry of branch) {
    const mark = markOf(entry);
    if (mark !== undefined && mark.message === undefined) {
      turns.push({ id: mark.turn, after: entry.parentId, entries: [entry], parts: [] });
      continue;
    }
    if (mark !== undefined) {
      marked = { mark, entry };
      continue;
    }
    const own = marked?.entry.id === entry.parentId ? marked : undefined;
    marked = undefined;
    const part = partOf(entry, own?.mark);
    if (part?.type === 'said') {
      const id = own?.mark.turn ?? (isGoingOn(turns.at(-1)) ? turns.at(-1)?.id : undefined) ?? entry.id;
      if (turns.at(-1)?.id !== id) turns.push({ id, after: (own?.entry ?? entry).parentId, entries: [], parts: [] });
      if (own !== undefined) turns.at(-1)?.entries.push(own.entry);
    }
    const turn = turns.at(-1);
    turn?.entries.push(entry);
    if (part !== undefined) turn?.parts.push(part);
  }
  return turns;
}

/** Where the conversation stood before it was taken back, if nothing was said since; `undefined`: it was not. */
export function movedFrom(branch: readonly Entry[]): string | undefined {
  const last = branch.findLast(({ type }) => type !== 'session_info');
  if (last?.type !== 'custom' || last.fields['customType'] !== GUARD) return undefined;
  return textOf(fieldsOf(last.fields['data'])['from']);
}

function markOf({ type, fields }: Entry): Mark | undefined {
  if (type !== 'custom' || fields['customType'] !== GUARD) return undefined;
  const data = fieldsOf(fields['data']);
  const turn = textOf(data['turn']);
  return turn === undefined ? undefined : { turn, message: textOf(data['message']), text: textOf(data['text']) };
}

function partOf({ id, type, fields }: Entry, mark: Mark | undefined): StoredPart | undefined {
  if (type === 'compaction') {
    const { firstKeptEntryId, tokensBefore } = fields;
    return { type, firstKeptEntryId: textOf(firstKeptEntryId) ?? '', tokensBefore: typeof tokensBefore === 'number' ? tokensBefore : 0 };
  }
  if (type !== 'message') return undefined;
  const message = decodeNativeMessage(fields['message']);
  return message.role === 'user'
    ? { type: 'said', messageId: mark?.message ?? id, message, saidText: mark?.text }
    : { type: 'message', message };
}

/** Whether pi was in the middle of something: what is said then is no new turn. */
function isGoingOn(turn: TurnEntries | undefined): boolean {
  const last = turn?.parts.at(-1);
  return last?.type === 'message' && last.message.role === 'toolResult';
}
