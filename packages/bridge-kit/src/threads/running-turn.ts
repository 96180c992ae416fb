// Owns a turn while it runs: the agent reports through it, clients steer and cut it, and it keeps the order that
// clients rely on (status before turn/started, items before turn/completed, one turn/completed).

import type { PlanStep, ServerRequestParams, TokenUsage, TurnError, UserInput } from '@heddle/wire';
import type { ApprovalMethod, Decision } from './approvals.ts';
import type { HubThread } from './hub-thread.ts';
import { noRateLimits } from './rate-limits.ts';
import { MAX_WEIGHT_PER_TURN, TurnItems } from './turn-items.ts';
import { completedTurnView, type TurnRecord, turnView } from './turn-record.ts';
import { uuidV7 } from './uuid-v7.ts';

/** How a turn was cut short, from outside or by an answer. */
export type CutShort = { status: 'interrupted' } | { status: 'failed'; message: string };

export interface QueuedMessage {
  content: UserInput[];
  clientId: string | null;
}

/** What one answer of the model cost. */
export type ResponseUsage = Pick<TokenUsage, 'inputTokens' | 'outputTokens' | 'reasoningOutputTokens'>;

export class RunningTurn {
  readonly record: TurnRecord;
  readonly items: TurnItems;
  /** Resolves, never rejects, when `turn/completed` has been sent. */
  readonly ended: Promise<void>;
  readonly #thread: HubThread;
  readonly #abort = new AbortController();
  readonly #settleEnded: () => void;
  #messages: QueuedMessage[];
  #messageWeight = 0;
  #cutShort: CutShort | undefined;

  constructor(thread: HubThread, message: QueuedMessage) {
    this.#thread = thread;
    this.#messages = [message];
    this.record = {
      id: uuidV7(),
      ordinal: thread.takeOrdinal(),
      items: [],
      status: 'inProgress',
      error: null,
      startedAtMs: Date.now(),
      completedAtMs: null,
    };
    this.items = new TurnItems(thread, this.record, this.#abort.signal);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#settleEnded = resolve;
  }

  get id(): string {
    return this.record.id;
  }

  get threadId(): string {
    return this.#thread.id;
  }

  get cwd(): string {
    return this.#thread.record.cwd;
  }

  /** Aborts when the turn is cut short: the agent stops what it does. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get cutShort(): CutShort | undefined {
    return this.#cutShort;
  }

  /** Whether the user has said something that the agent has not taken yet: the first message, or steering. */
  get hasMessages(): boolean {
    return this.#messages.length > 0;
  }

  /** Adds what the user says while the turn runs. False when the turn is too heavy to take it. */
  steer(message: QueuedMessage): boolean {
    const weight = JSON.stringify(message.content).length;
    if (this.items.weight + this.#messageWeight + weight > MAX_WEIGHT_PER_TURN) return false;
    this.#messageWeight += weight;
    this.#messages.push(message);
    return true;
  }

  /** Ends the turn early. The first cause wins. Open questions are taken back at once. */
  cut(how: CutShort): void {
    if (this.#cutShort !== undefined) return;
    this.#cutShort = how;
    this.#thread.approvals.withdrawAll();
    this.#abort.abort();
  }

  /** Takes what the user has said, in order, and announces it as items. */
  takeMessages(): UserInput[][] {
    const messages = this.#messages;
    this.#messages = [];
    this.#messageWeight = 0;
    for (const { content, clientId } of messages) {
      const id = uuidV7();
      this.items.start({ type: 'userMessage', id, clientId, content });
      this.items.complete(id);
    }
    return messages.map((message) => message.content);
  }

  updatePlan(explanation: string | null, plan: PlanStep[]): void {
    this.#thread.notify('turn/plan/updated', { threadId: this.threadId, turnId: this.id, explanation, plan });
  }

  /** @param diff a git diff of everything that the turn has changed so far. */
  updateDiff(diff: string): void {
    this.#thread.notify('turn/diff/updated', { threadId: this.threadId, turnId: this.id, diff });
  }

  /** Shows that the turn waits for an approval, or that it goes on. */
  setWaiting(isWaiting: boolean): void {
    this.signal.throwIfAborted();
    this.#thread.setStatus({ type: 'active', activeFlags: isWaiting ? ['waitingOnApproval'] : [] });
  }

  /** Whether `subject` needs no question, because somebody accepted it for as long as the thread is loaded. */
  isRemembered(subject: string): boolean {
    return this.#thread.approvals.isRemembered(subject);
  }

  /**
   * Asks the people; `serverRequest/resolved` has been sent when it resolves.
   * @throws the signal's reason when the turn is cut short first.
   */
  async ask<M extends ApprovalMethod>(method: M, params: ServerRequestParams<M>, subject: string): Promise<Decision> {
    this.signal.throwIfAborted();
    const { promise: cut, reject } = Promise.withResolvers<never>();
    const onAbort = () => reject(this.signal.reason as Error);
    this.signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([this.#thread.approvals.ask(method, params, subject), cut]);
    } finally {
      this.signal.removeEventListener('abort', onAbort);
    }
  }

  /** Counts one answer of the model. */
  endResponse(usage: ResponseUsage): void {
    const last = { ...usage, cachedInputTokens: 0, cacheWriteInputTokens: 0, totalTokens: usage.inputTokens + usage.outputTokens };
    const total = addUsage(this.#thread.record.usage?.total, last);
    this.#thread.record.usage = { turnId: this.id, total, last };
    const tokenUsage = { total, last, modelContextWindow: null };
    this.#thread.notify('thread/tokenUsage/updated', { threadId: this.threadId, turnId: this.id, tokenUsage });
    this.#thread.notify('account/rateLimits/updated', { rateLimits: noRateLimits });
  }

  /** Announces the turn. */
  begin(): void {
    this.#thread.setStatus({ type: 'active', activeFlags: [] });
    this.#thread.notify('turn/started', { threadId: this.threadId, turn: turnView(this.record, 'notLoaded') });
  }

  /** Sends the end: open items, status, error, turn. */
  end(error: TurnError | undefined): void {
    this.items.completeAll();
    this.record.status = error !== undefined ? 'failed' : this.#cutShort === undefined ? 'completed' : 'interrupted';
    this.record.error = error ?? null;
    this.record.completedAtMs = Date.now();
    this.#thread.setStatus({ type: error === undefined ? 'idle' : 'systemError' });
    if (error !== undefined) this.#thread.notify('error', { threadId: this.threadId, turnId: this.id, error, willRetry: false });
    this.#thread.notify('turn/completed', { threadId: this.threadId, turn: completedTurnView(this.record) });
    this.#settleEnded();
  }
}

function addUsage(left: TokenUsage | undefined, right: TokenUsage): TokenUsage {
  return {
    totalTokens: (left?.totalTokens ?? 0) + right.totalTokens,
    inputTokens: (left?.inputTokens ?? 0) + right.inputTokens,
    cachedInputTokens: (left?.cachedInputTokens ?? 0) + right.cachedInputTokens,
    cacheWriteInputTokens: (left?.cacheWriteInputTokens ?? 0) + (right.cacheWriteInputTokens ?? 0),
    outputTokens: (left?.outputTokens ?? 0) + right.outputTokens,
    reasoningOutputTokens: (left?.reasoningOutputTokens ?? 0) + right.reasoningOutputTokens,
  };
}
