// Owns paging: which part of an ordered list one request gets, and the cursors that lead to its neighbours.
// A cursor names an entry, not a position, so pages stay right while entries come and go.

import type { Page, SortDirection } from '@heddle/wire';
import { refusal } from './params.ts';

/** An entry with what it is ordered by; the id decides between equals. */
export interface Ranked<T> {
  value: T;
  rank: number;
  id: string;
}

export interface PageRequest {
  cursor: string | undefined;
  /** 0 acts as 1, as in codex. */
  limit: number | undefined;
  direction: SortDirection;
}

const DEFAULT_PAGE = 25;
const MAX_PAGE = 100;
const cursorPattern = /^(after|from):(\d+):(.+)$/s;

/**
 * One page in the asked direction. `nextCursor` goes on behind the last entry; `backwardsCursor` is for the opposite
 * direction and begins with this page's first entry again.
 * @throws RpcError `invalid cursor: …` for a cursor that was not made here.
 */
export function pageOf<T>(entries: readonly Ranked<T>[], request: PageRequest): Required<Page<T>> {
  const sign = request.direction === 'asc' ? 1 : -1;
  const sorted = entries.toSorted((left, right) => sign * compare(left, right));
  const rest = request.cursor === undefined ? sorted : sorted.slice(startOf(sorted, request.cursor, sign));
  const page = rest.slice(0, Math.min(Math.max(request.limit ?? DEFAULT_PAGE, 1), MAX_PAGE));
  const [first, last] = [page[0], page.at(-1)];
  return {
    data: page.map((entry) => entry.value),
    nextCursor: last !== undefined && rest.length > page.length ? `after:${last.rank}:${last.id}` : null,
    backwardsCursor: first === undefined ? null : `from:${first.rank}:${first.id}`,
  };
}

function startOf(sorted: readonly Ranked<unknown>[], cursor: string, sign: number): number {
  const [, kind, rank, id] = cursorPattern.exec(cursor) ?? [];
  if (rank === undefined || id === undefined) throw refusal(`invalid cursor: ${cursor}`);
  const anchor = { rank: Number(rank), id };
  const start = sorted.findIndex((entry) => {
    const order = sign * compare(entry, anchor);
    return kind === 'from' ? order >= 0 : order > 0;
  });
  return start < 0 ? sorted.length : start;
}

function compare(left: { rank: number; id: string }, right: { rank: number; id: string }): number {
  if (left.rank !== right.rank) return left.rank - right.rank;
  return left.id < right.id ? -1 : Number(left.id > right.id);
}
