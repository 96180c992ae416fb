// Owns which entries of a transcript make up the conversation as it stands: turns form a tree, since people go back and
// say something else. Only the turns on the way to its newest leaf count. The tree of single entries is no use here:
// calls of tools side by side, and errors, are side branches of it.

import type { TurnBegin } from './prompts.ts';
import { promptText, turnBegin } from './prompts.ts';
import type { Entry, Transcript } from './transcript.ts';

export interface TurnEntries {
  begin: TurnBegin;
  /** The first is what began the turn, or the mark of a compaction that it asked for. */
  entries: Entry[];
  /** The entry that the turn follows. */
  after: string | null;
  previous: TurnEntries | undefined;
}

export interface Conversation {
  /** Oldest first, with all their entries in the order of the file. */
  turns: TurnEntries[];
  /** Entries that belong to no turn: what came before the first. */
  preamble: Entry[];
}

export function conversationOf({ entries, rewoundTo }: Transcript): Conversation {
  const preamble: Entry[] = [];
  const turnOf = new Map<string, TurnEntries | undefined>();
  let newest: TurnEntries | undefined;
  let compaction: Entry | undefined;
  const parentTurn = ({ parentUuid }: Entry, isBegin: boolean) => {
    if (parentUuid === null) return isBegin ? undefined : newest; // only what a person says may begin from nothing
    return turnOf.has(parentUuid) ? turnOf.get(parentUuid) : newest;
  };
  for (const entry of entries) {
    if (isManualCompaction(entry)) {
      compaction = entry; // belongs to the command that asked for it, which is written after it
      turnOf.set(entry.uuid, newest);
      continue;
    }
    const begin = entry.hasWaited && newest !== undefined && turnBegin(entry)?.kind === 'prompt' ? undefined : turnBegin(entry);
    const parent = parentTurn(entry, begin !== undefined);
    if (begin === undefined) (parent?.entries ?? preamble).push(entry);
    else {
      const asksForIt = compaction !== undefined && begin.kind === 'prompt' && promptText(begin.prompt.content).startsWith('/compact');
      newest = {
        begin,
        entries: asksForIt && compaction !== undefined ? [compaction, entry] : [entry],
        after: entry.parentUuid,
        previous: parent,
      };
      if (asksForIt) compaction = undefined;
    }
    turnOf.set(entry.uuid, begin === undefined ? parent : newest);
    if (begin === undefined) newest = parent ?? newest;
  }
  const leaf = rewoundTo === undefined ? newest : rewoundTo === null ? undefined : turnOf.get(rewoundTo);
  const turns: TurnEntries[] = [];
  for (let turn = leaf; turn !== undefined; turn = turn.previous) turns.push(turn);
  return { turns: turns.toReversed(), preamble };
}

/** Whether claude has forgotten there what was before, but for a summary. */
export function isCompaction({ type, fields }: Entry): boolean {
  return type === 'system' && fields['subtype'] === 'compact_boundary';
}

function isManualCompaction(entry: Entry): boolean {
  if (!isCompaction(entry)) return false;
  const metadata = entry.fields['compactMetadata'];
  return typeof metadata === 'object' && metadata !== null && 'trigger' in metadata && metadata.trigger === 'manual';
}
