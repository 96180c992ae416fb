// Owns what is remembered of a thread that is in memory, and the bound on its history.

import type { GitInfo, ThreadId } from '@heddle/wire';
import type { ThreadUsage } from './thread-usage.ts';
import { itemWeight, type TurnRecord } from './turn-record.ts';

/** Whose turn a thread is part of, and as what. */
export interface SubAgentOrigin {
  parentThreadId: ThreadId;
  /** 1 for a sub-agent of the user's own thread. */
  depth: number;
  nickname: string | null;
  role: string | null;
}

export interface ThreadRecord {
  readonly id: ThreadId;
  readonly forkedFromId: ThreadId | null;
  readonly subAgent: SubAgentOrigin | undefined;
  readonly isEphemeral: boolean;
  /** Name of the client that started it; undefined for one that was begun without heddle. */
  readonly originator: string | undefined;
  readonly createdAtMs: number;
  updatedAtMs: number;
  /** When the last turn began. */
  recencyAtMs: number;
  preview: string;
  path: string | null;
  gitInfo: GitInfo | null;
  /** Turns that ran since the thread was loaded; of an agent without a store, all. */
  turns: TurnRecord[];
  usage: ThreadUsage | undefined;
}

/** How much of a thread's turns is kept in memory; the oldest ended turns are dropped first. */
export interface HistoryBounds {
  maxTurns: number;
  /** Roughly bytes. */
  maxWeight: number;
}

/** Of a thread that is nowhere else. */
export const wholeHistory: HistoryBounds = { maxTurns: 200, maxWeight: 8 * 1024 * 1024 };
/** Of a thread whose older turns are in the agent's store. */
export const recentHistory: HistoryBounds = { maxTurns: 20, maxWeight: 8 * 1024 * 1024 };

/** Drops the oldest turns that are over the bounds. The last turn always stays. */
export function trimHistory(record: ThreadRecord, bounds: HistoryBounds): void {
  let weight = historyWeight(record);
  let first = 0;
  while (first < record.turns.length - 1 && (record.turns.length - first > bounds.maxTurns || weight > bounds.maxWeight)) {
    weight -= turnWeight(record.turns[first]);
    first += 1;
  }
  record.turns = record.turns.slice(first);
}

/** Roughly bytes. */
export function historyWeight(record: ThreadRecord): number {
  return record.turns.reduce((sum, turn) => sum + turnWeight(turn), 0);
}

function turnWeight(turn: TurnRecord | undefined): number {
  return turn?.items.reduce((sum, item) => sum + itemWeight(item), 0) ?? 0;
}
