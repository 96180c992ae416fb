// Owns the items of a running turn: announced before they grow, completed once, and all of them before the turn is.

import type { AgentMessageItem, CommandExecutionItem, FileChangeItem, ItemId, ThreadItem } from '@heddle/wire';
import type { HubThread } from './hub-thread.ts';
import { itemWeight, type TurnRecord } from './turn-record.ts';

/** In characters of JSON; a turn that is heavier gets no new item. */
export const MAX_WEIGHT_PER_TURN = 16 * 1024 * 1024;

/** What may become known of an item by its end. */
export type ItemChanges = Partial<AgentMessageItem> | Partial<CommandExecutionItem> | Partial<FileChangeItem>;

export class TurnItems {
  readonly #thread: HubThread;
  readonly #record: TurnRecord;
  readonly #signal: AbortSignal;
  readonly #open = new Map<ItemId, ThreadItem>();
  #weight = 0;

  constructor(thread: HubThread, record: TurnRecord, signal: AbortSignal) {
    this.#thread = thread;
    this.#record = record;
    this.#signal = signal;
  }

  /** Roughly the memory that the completed items cost. */
  get weight(): number {
    return this.#weight;
  }

  /**
   * Announces an item and opens it.
   * @throws the signal's reason once the turn is cut short, and Error once it is too large: nothing new begins then.
   */
  start(item: ThreadItem): void {
    this.#signal.throwIfAborted();
    if (this.#weight > MAX_WEIGHT_PER_TURN) throw new Error('this turn has grown too large to go on; send another message');
    const startedAtMs = Date.now();
    Object.assign(item, { startedAtMs, completedAtMs: null });
    this.#open.set(item.id, item);
    this.#record.items.push(item);
    this.#thread.notify('item/started', { item, ...this.#inTurn(), startedAtMs });
  }

  /** Streams a part of an open agent message. */
  appendText(itemId: ItemId, delta: string): void {
    const item = this.#openItem(itemId, 'agentMessage');
    item.text += delta;
    this.#thread.notify('item/agentMessage/delta', { ...this.#inTurn(), itemId, delta });
  }

  /** Begins another section of an open reasoning item's summary. */
  addReasoningPart(itemId: ItemId): void {
    const item = this.#openItem(itemId, 'reasoning');
    const summaryIndex = item.summary.push('') - 1;
    this.#thread.notify('item/reasoning/summaryPartAdded', { ...this.#inTurn(), itemId, summaryIndex });
  }

  /** Streams a part of the last section. */
  appendReasoning(itemId: ItemId, delta: string): void {
    const item = this.#openItem(itemId, 'reasoning');
    const summaryIndex = item.summary.length - 1;
    item.summary[summaryIndex] += delta;
    this.#thread.notify('item/reasoning/summaryTextDelta', { ...this.#inTurn(), itemId, delta, summaryIndex });
  }

  /** Notes that an open command runs now; whoever joins the turn sees it. */
  setProcess(itemId: ItemId, processId: string): void {
    this.#openItem(itemId, 'commandExecution').processId = processId;
  }

  /** Streams what an open command writes. */
  appendOutput(itemId: ItemId, delta: string): void {
    const item = this.#openItem(itemId, 'commandExecution');
    item.aggregatedOutput = (item.aggregatedOutput ?? '') + delta;
    this.#thread.notify('item/commandExecution/outputDelta', { ...this.#inTurn(), itemId, delta });
  }

  /** Ends an open item with what has become known of it. */
  complete(itemId: ItemId, changes: ItemChanges = {}): void {
    const item = this.#open.get(itemId);
    if (item === undefined) throw new Error(`item ${itemId} is not open`);
    this.#open.delete(itemId);
    const completedAtMs = Date.now();
    Object.assign(item, changes, { completedAtMs });
    this.#weight += itemWeight(item);
    this.#thread.notify('item/completed', { item, ...this.#inTurn(), completedAtMs });
  }

  /** Completes whatever is still open, as cut off or as never done. codex leaves such items open for ever. */
  completeAll(): void {
    for (const item of this.#open.values()) this.complete(item.id, closingChanges(item));
  }

  #inTurn(): { threadId: string; turnId: string } {
    return { threadId: this.#thread.id, turnId: this.#record.id };
  }

  #openItem<Type extends ThreadItem['type']>(itemId: ItemId, type: Type): Extract<ThreadItem, { type: Type }> {
    const item = this.#open.get(itemId);
    if (item?.type !== type) throw new Error(`${type} ${itemId} is not open`);
    return item as Extract<ThreadItem, { type: Type }>;
  }
}

/** What never got its answer was not done; what ran was cut off. */
function closingChanges(item: ThreadItem): ItemChanges {
  switch (item.type) {
    case 'fileChange':
      return { status: 'declined' };
    case 'commandExecution':
      return { status: item.processId === null ? 'declined' : 'failed' };
    case 'userMessage':
    case 'agentMessage':
    case 'reasoning':
      return {};
  }
}
