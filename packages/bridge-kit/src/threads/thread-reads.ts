// Owns the requests that only look: a thread, its turns, its items. They neither load nor subscribe.

import type { Page, ThreadItem, Turn } from '@heddle/wire';
import type { Handler, HandlersOf } from '../server/call.ts';
import type { HubThread } from './hub-thread.ts';
import { pageOf } from '../server/page.ts';
import { type Params, refusal } from '../server/params.ts';
import type { ThreadHub } from './thread-hub.ts';
import { listThreads } from './thread-list.ts';
import { itemsViews, type ItemsView, type TurnRecord, turnView } from './turn-record.ts';

/** Orders items by their turn first; far more than a turn can hold. */
const ITEM_RANKS_PER_TURN = 1_000_000;

interface ItemEntry {
  turnId: string;
  item: ThreadItem;
  startedAtMs: number | null;
  completedAtMs: number | null;
}

export function threadReads(hub: ThreadHub): HandlersOf<'thread/list' | 'thread/read' | 'thread/turns/list'> & {
  'thread/items/list': Handler<Page<ItemEntry>>;
} {
  return {
    'thread/list'(call) {
      call.reply(listThreads(hub.threads, call.params));
    },

    'thread/read'(call) {
      const thread = knownThread(hub, call.params);
      const includesTurns = call.params.flag('includeTurns');
      if (includesTurns && thread.record.isEphemeral) throw refusal('ephemeral threads do not support includeTurns');
      call.reply({ thread: thread.view(includesTurns ? readTurns(thread.record.turns) : []) });
    },

    'thread/turns/list'(call) {
      // codex falls back to `summary`; phones that leave the view out need the items (facts: litter).
      call.reply(turnsPage(knownThread(hub, call.params), call.params, 'full'));
    },

    'thread/items/list'(call) {
      const { params } = call;
      const turnId = params.optionalText('turnId');
      const turns = knownThread(hub, params).record.turns.filter((turn) => turnId === undefined || turn.id === turnId);
      const entries = turns.flatMap((turn) =>
        turn.items.map((item, index) => ({ value: itemEntry(turn, item), rank: turn.ordinal * ITEM_RANKS_PER_TURN + index, id: item.id })),
      );
      call.reply(
        pageOf(entries, {
          cursor: params.optionalText('cursor'),
          limit: params.optionalCount('limit'),
          direction: params.sortDirection('asc'),
        }),
      );
    },
  };
}

/** Turns with all their items; the running one with what it has so far, open items included. */
export function readTurns(turns: readonly TurnRecord[]): Turn[] {
  return turns.map((turn) => turnView(turn, 'full'));
}

/** One page of a thread's turns, newest first unless asked otherwise. */
export function turnsPage(thread: HubThread, params: Params, defaultView: ItemsView): Required<Page<Turn>> {
  const itemsView = params.optionalChoice('itemsView', itemsViews) ?? defaultView;
  const entries = thread.record.turns.map((turn) => ({ value: turn, rank: turn.ordinal, id: turn.id }));
  const page = pageOf(entries, {
    cursor: params.optionalText('cursor'),
    limit: params.optionalCount('limit'),
    direction: params.sortDirection('desc'),
  });
  return { ...page, data: page.data.map((turn) => turnView(turn, itemsView)) };
}

function itemEntry(turn: TurnRecord, item: ThreadItem): ItemEntry {
  return { turnId: turn.id, item, startedAtMs: item.startedAtMs ?? null, completedAtMs: item.completedAtMs ?? null };
}

function knownThread(hub: ThreadHub, params: Params): HubThread {
  const id = params.text('threadId');
  const thread = hub.find(id);
  if (thread === undefined) throw refusal(`thread not loaded: ${id}`);
  return thread;
}
