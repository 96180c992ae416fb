// Owns what a server tells its clients unasked. Which method carries which is in methods.ts.

import type { FileUpdateChange, ItemId, Thread, ThreadId, ThreadItem, ThreadStatus, Turn, TurnError, TurnId } from './items.ts';
import type { RequestId } from '../json-rpc.ts';
import type { ThreadSettingsInForce } from './requests.ts';

export interface InTurn {
  threadId: ThreadId;
  turnId: TurnId;
}
export interface InItem extends InTurn {
  itemId: ItemId;
}
export interface TextDelta extends InItem {
  delta: string;
}
export interface ThreadStarted {
  thread: Thread;
}
export interface ThreadStatusChanged {
  threadId: ThreadId;
  status: ThreadStatus;
}
export interface ThreadNameUpdated {
  threadId: ThreadId;
  threadName?: string | null;
}
export interface ThreadSettingsUpdated {
  threadId: ThreadId;
  threadSettings: ThreadSettingsInForce;
}
export interface TokenUsage {
  totalTokens: number;
  inputTokens: number;
  cachedInputTokens: number;
  cacheWriteInputTokens?: number;
  outputTokens: number;
  reasoningOutputTokens: number;
}
export interface TokenUsageUpdated extends InTurn {
  /** `costUsd`, which codex has not: what the agent's process has spent on the thread so far, as the agent tells it. */
  tokenUsage: { total: TokenUsage; last: TokenUsage; modelContextWindow: number | null; costUsd?: number };
}
export interface RateLimitsUpdated {
  rateLimits: Record<string, unknown>;
}
export interface TurnNotice {
  threadId: ThreadId;
  turn: Turn;
}
export interface TurnDiffUpdated extends InTurn {
  /** A git diff of the whole turn. */
  diff: string;
}
export interface PlanStep {
  step: string;
  status: 'pending' | 'inProgress' | 'completed';
}
export interface TurnPlanUpdated extends InTurn {
  explanation: string | null;
  plan: PlanStep[];
}
export interface ItemStarted extends InTurn {
  item: ThreadItem;
  startedAtMs: number;
}
export interface ItemCompleted extends InTurn {
  item: ThreadItem;
  completedAtMs: number;
}
export interface ReasoningSummaryDelta extends TextDelta {
  summaryIndex: number;
}
export interface ReasoningSummaryPart extends InItem {
  summaryIndex: number;
}
export interface ReasoningTextDelta extends TextDelta {
  contentIndex: number;
}
export interface PatchUpdated extends InItem {
  changes: FileUpdateChange[];
}
export interface ServerRequestResolved {
  threadId: ThreadId;
  requestId: RequestId;
}
export interface ErrorNotice extends InTurn {
  error: TurnError;
  /** True: a retry follows, this is no end. */
  willRetry: boolean;
}
export interface Warning {
  threadId?: ThreadId | null;
  message: string;
}
