// Owns the turns of a thread as clients read them: what the agent's store has, overlaid by what ran here.

import type { StoredTurn } from './thread-store.ts';
import type { TurnRecord } from './turn-record.ts';

/** A turn and its place; the place of a turn stays the same while turns are added. */
export interface PlacedTurn {
  turn: TurnRecord;
  place: number;
}

/** Turns of a thread that is nowhere but here. */
export function turnsInMemory(turns: readonly TurnRecord[]): PlacedTurn[] {
  return turns.map((turn) => ({ turn, place: turn.ordinal }));
}

/**
 * The order is the store's. A turn that ran here is shown as it was here; one that the store does not have stands
 * where its time puts it, and the one that runs is the last.
 */
export function mergeTurns(stored: readonly StoredTurn[], live: readonly TurnRecord[]): PlacedTurn[] {
  const liveById = new Map(live.map((turn) => [turn.id, turn]));
  const merged: TurnRecord[] = stored.map((turn) => {
    const here = liveById.get(turn.id);
    // A sub-agent in the background is not followed beyond its parent's turn, and goes on.
    const wentOn = here?.status === 'interrupted' && turn.status !== 'interrupted';
    return here === undefined || wentOn ? recordOf(turn) : here;
  });
  const storedIds = new Set(stored.map((turn) => turn.id));
  for (const turn of live) {
    if (storedIds.has(turn.id)) continue;
    const before = merged.findLastIndex((other) => other.startedAtMs <= turn.startedAtMs);
    merged.splice(turn.status === 'inProgress' ? merged.length : before + 1, 0, turn);
  }
  return merged.map((turn, place) => ({ turn, place }));
}

function recordOf(turn: StoredTurn): TurnRecord {
  return { ...turn, ordinal: 0 };
}
