// Owns what a turn's events lead to: its items, usage, plan and diff, as notices and as the record that is read back.
// The same for a turn of the user's and for one of a sub-agent. It knows neither messages nor questions.

import type { Log } from '@heddle/rpc';
import type { ItemId, TurnError } from '@heddle/wire';
import { TurnDiff } from '../services/turn-diff.ts';
import type { HubThread } from './hub-thread.ts';
import type { RateLimits } from './rate-limits.ts';
import { SubAgents } from './sub-agents.ts';
import { addUsage, type ThreadUsage, usageView } from './thread-usage.ts';
import type { ResponseUsage, TurnEvent, TurnOutcome } from './turn-events.ts';
import { MAX_WEIGHT_PER_TURN, TurnItems } from './turn-items.ts';
import { completedTurnView, type TurnRecord, turnView } from './turn-record.ts';

/** Phones show each of these as a row. */
const RETRY_NOTICE_MS = 10_000;

/** What a turn needs of the hub. */
export interface TurnHost {
  log: Log;
  rateLimits: RateLimits;
  /** Makes the thread of a sub-agent known. */
  addChild(child: HubThread): void;
  /** The turn has become larger than is kept of one. */
  onTooLarge(): void;
}

export class TurnWriter {
  readonly record: TurnRecord;
  readonly items: TurnItems;
  readonly thread: HubThread;
  readonly #host: TurnHost;
  readonly #subAgents: SubAgents;
  readonly #diff: TurnDiff;
  #hasDiff = false;
  #takesNew = true;
  #isEnded = false;
  #lastRetryAtMs: number | undefined;

  constructor(thread: HubThread, record: TurnRecord, host: TurnHost) {
    this.thread = thread;
    this.record = record;
    this.items = new TurnItems(thread, record);
    this.#host = host;
    this.#diff = new TurnDiff(thread.settings.cwd);
    this.#subAgents = new SubAgents(this, host, (child, childRecord) => new TurnWriter(child, childRecord, host));
  }

  /** From now on nothing new begins; what is open may still end by itself. */
  takeNothingNew(): void {
    this.#takesNew = false;
    this.#subAgents.takeNothingNew();
  }

  /** The part of this turn, or of a sub-agent's in it, in which an item is open. */
  ownerOf(itemId: ItemId): TurnWriter | undefined {
    return this.items.isOpen(itemId) ? this : this.#subAgents.ownerOf(itemId);
  }

  /** This turn, or the one of a sub-agent in it, by its thread. */
  inThread(threadId: string): TurnWriter | undefined {
    return this.thread.id === threadId ? this : this.#subAgents.inThread(threadId);
  }

  /** Sends status and `turn/started`. */
  begin(): void {
    this.thread.setStatus({ type: 'active', activeFlags: [] });
    this.thread.notify('turn/started', { threadId: this.thread.id, turn: turnView(this.record, 'notLoaded') });
  }

  /** An event that does not fit (an item that is not open, a turn that has ended) changes nothing and is logged. */
  apply(event: TurnEvent): void {
    if (this.#isEnded || !this.#applied(event)) {
      this.#host.log.debug('an event of a turn came out of place', { threadId: this.thread.id, turnId: this.record.id, type: event.type });
    }
  }

  /** Sends the end: open items, status, error, turn. */
  end(outcome: TurnOutcome): void {
    if (this.#isEnded) return;
    this.#subAgents.endAll();
    this.items.completeAll();
    this.#isEnded = true;
    const error = outcome.status === 'failed' ? outcome.error : null;
    this.record.status = outcome.status;
    this.record.error = error;
    this.record.completedAtMs = Date.now();
    this.thread.touch();
    this.thread.setStatus({ type: error === null ? 'idle' : 'systemError' });
    if (error !== null) this.thread.notify('error', { ...this.#inTurn(), error, willRetry: false });
    this.thread.notify('turn/completed', { threadId: this.thread.id, turn: completedTurnView(this.record) });
  }

  /** @returns false when the event does not fit. */
  #applied(event: TurnEvent): boolean {
    const { items } = this;
    switch (event.type) {
      case 'itemStarted':
        return this.#mayBegin() && items.start(event.item);
      case 'textDelta':
        return items.appendText(event.itemId, event.delta);
      case 'reasoningPart':
        return items.addReasoningPart(event.itemId);
      case 'reasoningDelta':
        return items.appendReasoning(event.itemId, event.delta);
      case 'outputDelta':
        return items.appendOutput(event.itemId, event.delta);
      case 'itemChanged':
        return items.change(event.itemId, event.changes);
      case 'itemCompleted':
        return items.complete(event.itemId, event.changes);
      case 'planUpdated':
        this.thread.notify('turn/plan/updated', { ...this.#inTurn(), explanation: event.explanation, plan: event.plan });
        return true;
      case 'fileChanged':
        this.#diff.noteChange(event.path, event.before, event.after);
        this.#hasDiff = true;
        this.#tellDiff();
        return true;
      case 'responseEnded':
        this.#endResponse(event.usage, event.contextWindow);
        return true;
      case 'costKnown':
        return this.#noteCost(event.costUsd, event.contextWindow);
      case 'retrying':
        this.#tellRetry(event.error);
        return true;
      case 'warning':
        this.thread.notify('warning', { threadId: this.thread.id, message: event.message });
        return true;
      case 'subAgentStarted':
        return this.#mayBegin() && this.#subAgents.start(event);
      case 'subAgentEvent':
        return this.#subAgents.apply(event.agentThreadId, event.event);
      case 'subAgentEnded':
        return this.#subAgents.end(event.agentThreadId, event.outcome);
    }
  }

  #mayBegin(): boolean {
    if (!this.#takesNew) return false;
    if (this.items.weight <= MAX_WEIGHT_PER_TURN) return true;
    this.#host.onTooLarge();
    return false;
  }

  /** As in codex, usage, rate limits and the turn's diff are told after each answer of the model. */
  #endResponse(usage: ResponseUsage, contextWindow: number | null): void {
    const last = { ...usage, totalTokens: usage.inputTokens + usage.outputTokens };
    const { record } = this.thread;
    const total = addUsage(record.usage?.total, last);
    this.#tellUsage({ ...record.usage, turnId: this.record.id, total, last, contextWindow });
    this.#host.rateLimits.tellAfterResponse((rateLimits) => this.thread.notify('account/rateLimits/updated', { rateLimits }));
    if (this.#hasDiff) this.#tellDiff();
  }

  /** @returns false when nothing was counted that it could belong to. */
  #noteCost(costUsd: number, contextWindow: number | null): boolean {
    const { usage } = this.thread.record;
    if (usage === undefined) return false;
    this.#tellUsage({ ...usage, turnId: this.record.id, contextWindow: contextWindow ?? usage.contextWindow, costUsd });
    return true;
  }

  #tellUsage(usage: ThreadUsage): void {
    this.thread.record.usage = usage;
    this.thread.notify('thread/tokenUsage/updated', { ...this.#inTurn(), tokenUsage: usageView(usage) });
  }

  #tellDiff(): void {
    this.thread.notify('turn/diff/updated', { ...this.#inTurn(), diff: this.#diff.toString() });
  }

  #tellRetry(error: TurnError): void {
    const nowMs = Date.now();
    if (this.#lastRetryAtMs !== undefined && nowMs - this.#lastRetryAtMs < RETRY_NOTICE_MS) return;
    this.#lastRetryAtMs = nowMs;
    this.thread.notify('error', { ...this.#inTurn(), error, willRetry: true });
  }

  #inTurn(): { threadId: string; turnId: string } {
    return { threadId: this.thread.id, turnId: this.record.id };
  }
}
