// Owns the items of a running turn: announced before they grow, completed once, and all of them before the turn is.

import type { ItemId, ServerNotificationMethod, ThreadItem } from '@heddle/wire';
import { GrowingText } from './growing-text.ts';
import type { HubThread } from './hub-thread.ts';
import { withinBounds } from './item-caps.ts';
import type { ItemChanges } from './turn-events.ts';
import { itemWeight, type TurnRecord } from './turn-record.ts';

/** In characters of JSON; a turn that is heavier gets no new item. */
export const MAX_WEIGHT_PER_TURN = 16 * 1024 * 1024;

interface OpenItem {
  item: ThreadItem;
  /** Of the text that grows; made with its first part. */
  growth?: GrowingText;
  sendNote?: (note: string) => void;
  /** A person has been asked about it and has not answered. */
  isWaiting?: boolean;
}

export class TurnItems {
  readonly #thread: HubThread;
  readonly #record: TurnRecord;
  readonly #ids = new Set<ItemId>();
  readonly #open = new Map<ItemId, OpenItem>();
  #weight = 0;

  constructor(thread: HubThread, record: TurnRecord) {
    this.#thread = thread;
    this.#record = record;
  }

  /** Roughly the memory that the completed items cost. */
  get weight(): number {
    return this.#weight;
  }

  isOpen(itemId: ItemId): boolean {
    return this.#open.has(itemId);
  }

  typeOf(itemId: ItemId): ThreadItem['type'] | undefined {
    return this.#open.get(itemId)?.item.type;
  }

  /** Whether a person is being asked about an open item: what never got its answer was not done. */
  setWaiting(itemId: ItemId, isWaiting: boolean): void {
    const open = this.#open.get(itemId);
    if (open !== undefined) open.isWaiting = isWaiting;
  }

  /**
   * Announces an item and opens it. The hub's copy is its own: whoever made it may keep it.
   * @returns false when the turn has had an item with that id: clients would take the two for one.
   */
  start(made: ThreadItem): boolean {
    if (this.#ids.has(made.id)) return false;
    this.#ids.add(made.id);
    const startedAtMs = Date.now();
    const item = { ...withinBounds(made, made.type), startedAtMs, completedAtMs: null };
    if (item.type === 'reasoning') Object.assign(item, { summary: [...item.summary], content: [...item.content] });
    this.#open.set(item.id, { item });
    this.#record.items.push(item);
    this.#thread.notify('item/started', { item, ...this.#inTurn(), startedAtMs });
    return true;
  }

  /** Grows an agent message or a plan. @returns false when no such item is open; so do those that follow. */
  appendText(itemId: ItemId, delta: string): boolean {
    const open = this.#open.get(itemId);
    if (open?.item.type !== 'agentMessage' && open?.item.type !== 'plan') return false;
    const { item } = open;
    const method = item.type === 'plan' ? 'item/plan/delta' : 'item/agentMessage/delta';
    return this.#grow(open, item.text, delta, method, (text) => {
      item.text += text;
    });
  }

  /** Grows the output of a command. */
  appendOutput(itemId: ItemId, delta: string): boolean {
    const open = this.#open.get(itemId);
    if (open?.item.type !== 'commandExecution') return false;
    const { item } = open;
    return this.#grow(open, item.aggregatedOutput ?? '', delta, 'item/commandExecution/outputDelta', (text) => {
      item.aggregatedOutput = (item.aggregatedOutput ?? '') + text;
    });
  }

  /** Begins another section of a reasoning item's summary. */
  addReasoningPart(itemId: ItemId): boolean {
    const item = this.#open.get(itemId)?.item;
    if (item?.type !== 'reasoning') return false;
    const summaryIndex = item.summary.push('') - 1;
    this.#thread.notify('item/reasoning/summaryPartAdded', { ...this.#inTurn(), itemId, summaryIndex });
    return true;
  }

  /** Grows the last section; the first one begins by itself. */
  appendReasoning(itemId: ItemId, delta: string): boolean {
    const open = this.#open.get(itemId);
    if (open?.item.type !== 'reasoning') return false;
    const { item } = open;
    if (item.summary.length === 0) this.addReasoningPart(itemId);
    const summaryIndex = item.summary.length - 1;
    open.growth ??= new GrowingText(item.summary.join(''));
    const send = (text: string) => {
      item.summary[summaryIndex] += text;
      this.#thread.notify('item/reasoning/summaryTextDelta', { ...this.#inTurn(), itemId, delta: text, summaryIndex });
    };
    open.sendNote = send;
    const kept = open.growth.take(delta);
    if (kept !== '') send(kept);
    return true;
  }

  /** Notes what is known of an open item; whoever joins the turn sees it. */
  change(itemId: ItemId, changes: ItemChanges): boolean {
    const item = this.#open.get(itemId)?.item;
    if (item === undefined) return false;
    Object.assign(item, withinBounds(changes, item.type));
    return true;
  }

  /** Ends an open item with what has become known of it. */
  complete(itemId: ItemId, changes: ItemChanges = {}): boolean {
    const open = this.#open.get(itemId);
    if (open === undefined) return false;
    const { item, growth, sendNote } = open;
    this.#open.delete(itemId);
    const note = growth?.note() ?? '';
    if (note !== '') sendNote?.(note);
    const completedAtMs = Date.now();
    Object.assign(item, withinBounds(changes, item.type), { completedAtMs });
    this.#weight += itemWeight(item);
    this.#thread.notify('item/completed', { item, ...this.#inTurn(), completedAtMs });
    return true;
  }

  /** Completes whatever is still open, as cut off or as never done. codex leaves such items open for ever. */
  completeAll(): void {
    for (const { item, isWaiting } of this.#open.values()) this.complete(item.id, closingChanges(item, isWaiting === true));
  }

  #grow(
    open: OpenItem,
    already: string,
    delta: string,
    method: Extract<ServerNotificationMethod, `item/${string}elta`>,
    add: (text: string) => void,
  ): boolean {
    const itemId = open.item.id;
    const send = (text: string) => {
      add(text);
      this.#thread.notify(method, { ...this.#inTurn(), itemId, delta: text });
    };
    open.growth ??= new GrowingText(already);
    open.sendNote = send;
    const kept = open.growth.take(delta);
    if (kept !== '') send(kept);
    return true;
  }

  #inTurn(): { threadId: string; turnId: string } {
    return { threadId: this.#thread.id, turnId: this.#record.id };
  }
}

/** What never got its answer was not done; what ran was cut off. */
function closingChanges(item: ThreadItem, isWaiting: boolean): ItemChanges {
  switch (item.type) {
    case 'fileChange':
    case 'commandExecution':
      return { status: isWaiting ? 'declined' : 'failed' };
    case 'mcpToolCall':
      return { status: 'failed', error: item.error ?? { message: 'the turn ended first' } };
    case 'dynamicToolCall':
      return { status: 'failed', success: false };
    case 'collabAgentToolCall':
      return { status: 'failed', agentsStates: interruptedAgents(item) };
    case 'userMessage':
    case 'agentMessage':
    case 'reasoning':
    case 'plan':
    case 'webSearch':
    case 'imageView':
    case 'contextCompaction':
      return {};
  }
}

function interruptedAgents(item: Extract<ThreadItem, { type: 'collabAgentToolCall' }>): typeof item.agentsStates {
  const unfinished = item.receiverThreadIds.filter((id) => !isFinal(item.agentsStates[id]?.status));
  return { ...item.agentsStates, ...Object.fromEntries(unfinished.map((id) => [id, { status: 'interrupted' as const, message: null }])) };
}

function isFinal(status: string | undefined): boolean {
  return status === 'completed' || status === 'errored' || status === 'interrupted' || status === 'shutdown';
}
