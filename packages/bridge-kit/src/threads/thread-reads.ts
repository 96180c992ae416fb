// Owns the requests that only look: a thread, its turns, its items. They neither load nor subscribe.

import type { Page, ThreadItemEntry, Turn } from '@heddle/wire';
import type { HandlersOf } from '../server/call.ts';
import { pageOf } from '../server/page.ts';
import { type Params, refusal } from '../server/params.ts';
import type { PlacedTurn } from './history.ts';
import type { FoundThread, ThreadCatalog } from './thread-catalog.ts';
import { listThreads } from './thread-list.ts';
import { itemsViews, type ItemsView, itemWeight, type TurnRecord, turnView } from './turn-record.ts';

/** Orders items by their turn first; far more than a turn can hold. */
const ITEM_RANKS_PER_TURN = 1_000_000;

export function threadReads(
  catalog: ThreadCatalog,
): HandlersOf<'thread/list' | 'thread/read' | 'thread/turns/list' | 'thread/items/list' | 'thread/goal/get'> {
  const known = async (params: Params): Promise<FoundThread> => {
    const id = params.text('threadId');
    const found = await catalog.find(id);
    if (found === undefined) throw refusal(`thread not loaded: ${id}`);
    return found;
  };

  return {
    async 'thread/list'(call) {
      call.reply(await listThreads(catalog, call.params));
    },

    async 'thread/read'(call) {
      const found = await known(call.params);
      const includesTurns = call.params.flag('includeTurns');
      if (includesTurns && catalog.facts(found).isEphemeral) throw refusal('ephemeral threads do not support includeTurns');
      const turns = includesTurns ? fullTurns((await catalog.turns(found)).turns) : [];
      call.reply({ thread: catalog.view(found, turns) });
    },

    async 'thread/turns/list'(call) {
      const { turns } = await catalog.turns(await known(call.params));
      // codex falls back to `summary`; phones that leave the view out need the items (facts: litter).
      call.reply(turnsPage(turns, call.params, 'full'));
    },

    async 'thread/items/list'(call) {
      const { params } = call;
      const { turns } = await catalog.turns(await known(params));
      const wantedTurn = params.optionalText('turnId');
      const wanted = turns.filter(({ turn }) => wantedTurn === undefined || turn.id === wantedTurn);
      const request = {
        cursor: params.optionalText('cursor'),
        limit: params.optionalCount('limit'),
        direction: params.sortDirection('asc'),
      };
      const entries = wanted.flatMap(({ turn, place }) =>
        turn.items.map((item, index) => ({ value: { turn, item }, rank: place * ITEM_RANKS_PER_TURN + index, id: item.id })),
      );
      const page = pageOf(entries, request, ({ item }) => itemWeight(item));
      const data = page.data.map(
        ({ turn, item }): ThreadItemEntry => ({
          turnId: turn.id,
          item,
          startedAtMs: item.startedAtMs ?? null,
          completedAtMs: item.completedAtMs ?? null,
        }),
      );
      call.reply({ ...page, data });
    },

    async 'thread/goal/get'(call) {
      await known(call.params);
      call.reply({ goal: null });
    },
  };
}

/** Turns with all their items. */
export function fullTurns(turns: readonly PlacedTurn[]): Turn[] {
  return turns.map(({ turn }) => turnView(turn, 'full'));
}

/** One page of turns, newest first unless asked otherwise. */
export function turnsPage(turns: readonly PlacedTurn[], params: Params, defaultView: ItemsView): Required<Page<Turn>> {
  const itemsView = params.optionalChoice('itemsView', itemsViews) ?? defaultView;
  const request = {
    cursor: params.optionalText('cursor'),
    limit: params.optionalCount('limit'),
    direction: params.sortDirection('desc'),
  };
  const entries = turns.map(({ turn, place }) => ({ value: turn, rank: place, id: turn.id }));
  const weigh = (turn: TurnRecord) => turnView(turn, itemsView).items.reduce((sum, item) => sum + itemWeight(item), 0);
  const page = pageOf(entries, request, weigh);
  return { ...page, data: page.data.map((turn) => turnView(turn, itemsView)) };
}

/** For `thread/turns/list` and `thread/items/list`, in the direction of older ones: they begin with the last kept. */
export function backwardsCursors(turns: readonly PlacedTurn[]): {
  turnsBackwardsCursor: string | null;
  itemsBackwardsCursor: string | null;
} {
  const last = turns.at(-1);
  const lastItem = last?.turn.items.at(-1);
  const itemRank = last === undefined ? 0 : last.place * ITEM_RANKS_PER_TURN + last.turn.items.length - 1;
  return {
    turnsBackwardsCursor: last === undefined ? null : `from:${last.place}:${last.turn.id}`,
    itemsBackwardsCursor: lastItem === undefined ? null : `from:${itemRank}:${lastItem.id}`,
  };
}
