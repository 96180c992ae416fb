// Owns what is remembered of a turn, and its form on the wire.

import { type ThreadItem, type Turn, type TurnError, type TurnId, type TurnStatus } from '@heddle/wire';

/** One turn. While it runs its items grow; after its end nothing in it changes, so forks may share it. */
export interface TurnRecord {
  readonly id: TurnId;
  /** Counts up within the thread and is never used again, so it orders turns even after old ones were dropped. */
  readonly ordinal: number;
  readonly items: ThreadItem[];
  status: TurnStatus;
  error: TurnError | null;
  readonly startedAtMs: number;
  completedAtMs: number | null;
}

/** A turn that begins now. */
export function newTurnRecord(id: TurnId, ordinal: number): TurnRecord {
  return { id, ordinal, items: [], status: 'inProgress', error: null, startedAtMs: Date.now(), completedAtMs: null };
}

/** How much of a turn's items an answer carries. */
export type ItemsView = Turn['itemsView'];
export const itemsViews: readonly ItemsView[] = ['notLoaded', 'summary', 'full'];

/** A turn as `thread/read`, `thread/turns/list` and the turn notices carry it. */
export function turnView(turn: TurnRecord, itemsView: ItemsView): Turn {
  return {
    id: turn.id,
    rootTurnId: turn.id,
    items: itemsIn(turn, itemsView),
    itemsView,
    status: turn.status,
    error: turn.error,
    startedAt: Math.floor(turn.startedAtMs / 1000),
    completedAt: turn.completedAtMs === null ? null : Math.floor(turn.completedAtMs / 1000),
    durationMs: turn.completedAtMs === null ? null : turn.completedAtMs - turn.startedAtMs,
  };
}

/** A turn as the answer to `turn/start` has it: codex sends no time there (0.169, measured). */
export function acceptedTurnView(turn: TurnRecord): Turn {
  return { ...turnView(turn, 'notLoaded'), startedAt: null };
}

/** A turn as `turn/completed` has it: with its last agent message when it ended well, else without items. */
export function completedTurnView(turn: TurnRecord): Turn {
  const answer = turn.status === 'completed' ? finalMessage(turn) : undefined;
  return answer === undefined ? turnView(turn, 'notLoaded') : { ...turnView(turn, 'notLoaded'), items: [answer], itemsView: 'summary' };
}

function itemsIn(turn: TurnRecord, itemsView: ItemsView): ThreadItem[] {
  switch (itemsView) {
    case 'full':
      return turn.items;
    case 'summary': {
      const question = turn.items.find((item) => item.type === 'userMessage');
      return [question, finalMessage(turn)].filter((item) => item !== undefined);
    }
    case 'notLoaded':
      return [];
  }
}

function finalMessage(turn: TurnRecord): ThreadItem | undefined {
  return turn.items.findLast((item) => item.type === 'agentMessage');
}

/** Roughly the memory that an item costs: the characters of its JSON, and something for being an object at all. */
export function itemWeight(item: ThreadItem): number {
  return JSON.stringify(item).length + 256;
}
