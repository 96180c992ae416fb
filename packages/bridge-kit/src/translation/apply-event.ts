// Owns how events make items, for a stored turn: the same that the hub makes of them live.

import type { ItemId, ThreadItem } from '@heddle/wire';
import type { TurnEvent } from '../threads/turn-events.ts';

/** Items in the order in which they opened. */
export type ItemsById = Map<ItemId, ThreadItem>;

/** Changes `items`. Events that are about no item are left out. */
export function applyEvent(items: ItemsById, event: TurnEvent): void {
  switch (event.type) {
    case 'itemStarted':
      items.set(event.item.id, { ...event.item });
      return;
    case 'itemChanged':
    case 'itemCompleted':
      Object.assign(items.get(event.itemId) ?? {}, event.changes);
      return;
    case 'textDelta': {
      const item = items.get(event.itemId);
      if (item?.type === 'agentMessage' || item?.type === 'plan') item.text += event.delta;
      return;
    }
    case 'reasoningPart': {
      const item = items.get(event.itemId);
      if (item?.type === 'reasoning') item.summary = [...item.summary, ''];
      return;
    }
    case 'reasoningDelta': {
      const item = items.get(event.itemId);
      if (item?.type === 'reasoning') item.summary = [...item.summary.slice(0, -1), (item.summary.at(-1) ?? '') + event.delta];
      return;
    }
    case 'outputDelta':
    case 'planUpdated':
    case 'fileChanged':
    case 'responseEnded':
    case 'costKnown':
    case 'retrying':
    case 'warning':
    case 'subAgentStarted':
    case 'subAgentEvent':
    case 'subAgentEnded':
      return;
  }
}

/** What never got its result when its turn had ended was cut off. */
export function closeItems(items: ItemsById): void {
  for (const item of items.values()) {
    if ('status' in item && item.status === 'inProgress') item.status = 'failed';
    if (item.type === 'dynamicToolCall' && item.status === 'failed') item.success ??= false;
  }
}
