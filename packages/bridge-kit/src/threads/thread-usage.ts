// Owns the counting of tokens over a thread.

import type { ServerNotificationParams, TokenUsage, TurnId } from '@heddle/wire';
import type { TurnEvent } from './turn-events.ts';

/** What a thread has cost so far. */
export interface ThreadUsage {
  /** The turn that the last count belongs to. */
  turnId: TurnId;
  total: TokenUsage;
  last: TokenUsage;
  /** In tokens; `null` when the agent does not tell. */
  contextWindow: number | null;
  /** In US dollars, as the agent tells it: since its process began. Absent: it does not tell. */
  costUsd?: number;
}

/** As clients see it; `costUsd` is heddle's own. */
export function usageView({
  total,
  last,
  contextWindow,
  costUsd,
}: ThreadUsage): ServerNotificationParams<'thread/tokenUsage/updated'>['tokenUsage'] {
  return { total, last, modelContextWindow: contextWindow, ...(costUsd === undefined ? {} : { costUsd }) };
}

export function addUsage(left: TokenUsage | undefined, right: TokenUsage): TokenUsage {
  return {
    totalTokens: (left?.totalTokens ?? 0) + right.totalTokens,
    inputTokens: (left?.inputTokens ?? 0) + right.inputTokens,
    cachedInputTokens: (left?.cachedInputTokens ?? 0) + right.cachedInputTokens,
    cacheWriteInputTokens: (left?.cacheWriteInputTokens ?? 0) + (right.cacheWriteInputTokens ?? 0),
    outputTokens: (left?.outputTokens ?? 0) + right.outputTokens,
    reasoningOutputTokens: (left?.reasoningOutputTokens ?? 0) + right.reasoningOutputTokens,
  };
}

/** The count of a thread after one more answer of the model. */
export function usageAfter(
  before: ThreadUsage | undefined,
  turnId: TurnId,
  { usage, contextWindow }: Extract<TurnEvent, { type: 'responseEnded' }>,
): ThreadUsage {
  const last = { ...usage, totalTokens: usage.inputTokens + usage.outputTokens };
  return { turnId, total: addUsage(before?.total, last), last, contextWindow };
}
