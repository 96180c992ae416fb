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
/** In characters of JSON; with what is around them a line stays below a mebibyte, unless one entry alone is longer. */
const MAX_PAGE_WEIGHT = 768 * 1024;
const cursorPattern = /^(after|from):(\d+):(.+)$/s;

/**
 * One page in the asked direction. `nextCursor` goes on behind the last entry; `backwardsCursor` is for the opposite
 * direction and begins with this page's first entry again.
 * @param weigh how long a value is as JSON: a page that would be too long for one message ends earlier.
 * @throws RpcError `invalid cursor: …` for a cursor that was not made here.
 */
export function pageOf<T>(entries: readonly Ranked<T>[], request: PageRequest, weigh?: (value: T) => number): Required<Page<T>> {
  const sign = request.direction === 'asc' ? 1 : -1;
  const order = (left: Place, right: Place) => sign * compare(left, right);
  const isIn = request.cursor === undefined ? () => true : fromCursor(request.cursor, order);
  const rest = entries.filter(isIn);
  const limit = Math.min(Math.max(request.limit ?? DEFAULT_PAGE, 1), MAX_PAGE);
  const page = withinWeight(firstOf(rest, limit, order), weigh);
  const [first, last] = [page[0], page.at(-1)];
  return {
    data: page.map((entry) => entry.value),
    nextCursor: last !== undefined && rest.length > page.length ? `after:${last.rank}:${last.id}` : null,
    backwardsCursor: first === undefined ? null : `from:${first.rank}:${first.id}`,
  };
}

type Place = Pick<Ranked<unknown>, 'rank' | 'id'>;

function fromCursor(cursor: string, order: (left: Place, right: Place) => number): (entry: Place) => boolean {
  const [, kind, rank, id] = cursorPattern.exec(cursor) ?? [];
  if (rank === undefined || id === undefined) throw refusal(`invalid cursor: ${cursor}`);
  const anchor = { rank: Number(rank), id };
  return kind === 'from' ? (entry) => order(entry, anchor) >= 0 : (entry) => order(entry, anchor) > 0;
}

/** The first ones, at least one, that together are not too heavy for one message. */
function withinWeight<T>(page: Ranked<T>[], weigh: ((value: T) => number) | undefined): Ranked<T>[] {
  if (weigh === undefined) return page;
  let weight = 0;
  const end = page.findIndex((entry, index) => (weight += weigh(entry.value)) > MAX_PAGE_WEIGHT && index > 0);
  return end < 0 ? page : page.slice(0, end);
}

/** The first `count` in order, without putting all in order: a list may have ten thousand entries, and many pages. */
function firstOf<T extends Place>(entries: readonly T[], count: number, order: (left: Place, right: Place) => number): T[] {
  const first: T[] = [];
  for (const entry of entries) {
    const last = first.at(-1);
    if (first.length === count && last !== undefined && order(entry, last) >= 0) continue;
    let [low, high] = [0, first.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (order(first[middle] as T, entry) <= 0) low = middle + 1;
      else high = middle;
    }
    first.splice(low, 0, entry);
    if (first.length > count) first.pop();
  }
  return first;
}

function compare(left: Place, right: Place): number {
  if (left.rank !== right.rank) return left.rank - right.rank;
  return left.id < right.id ? -1 : Number(left.id > right.id);
}
