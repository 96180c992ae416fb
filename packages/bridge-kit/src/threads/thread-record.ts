// Owns what is remembered of a thread, the bound on its history, and its form on the wire.

import type { Thread, ThreadId, ThreadStatus, TokenUsage, Turn, TurnId } from '@heddle/wire';
import { itemWeight, type TurnRecord } from './turn-record.ts';

interface ThreadUsage {
  /** The turn that the last count belongs to. */
  turnId: TurnId;
  total: TokenUsage;
  last: TokenUsage;
}

export interface ThreadRecord {
  readonly id: ThreadId;
  readonly forkedFromId: ThreadId | null;
  readonly isEphemeral: boolean;
  /** Name of the client that started it. */
  readonly originator: string;
  readonly cwd: string;
  readonly createdAtMs: number;
  updatedAtMs: number;
  /** When the last turn began. */
  recencyAtMs: number;
  preview: string;
  name: string | null;
  isArchived: boolean;
  turns: TurnRecord[];
  usage: ThreadUsage | undefined;
}

/** What the agent says of itself in each thread. */
export interface AgentLabels {
  model: string;
  modelProvider: string;
  /** Version of the program that made the thread. */
  cliVersion: string;
}

/** A thread keeps at most so many turns and so much weight of items; the oldest ended turns are dropped first. */
export const MAX_TURNS_PER_THREAD = 200;
const MAX_WEIGHT_PER_THREAD = 8 * 1024 * 1024;

/** Drops the oldest turns that are over the bounds. The last turn always stays. */
export function trimHistory(record: ThreadRecord): void {
  const weights = record.turns.map((turn) => turn.items.reduce((sum, item) => sum + itemWeight(item), 0));
  let weight = weights.reduce((sum, one) => sum + one, 0);
  let first = 0;
  while (first < record.turns.length - 1 && (record.turns.length - first > MAX_TURNS_PER_THREAD || weight > MAX_WEIGHT_PER_THREAD)) {
    weight -= weights[first] ?? 0;
    first += 1;
  }
  record.turns = record.turns.slice(first);
}

/** A thread as 0.169 wants it: fields that 0.132 does not know are there when the newer schema requires them. */
export function threadView(record: ThreadRecord, labels: AgentLabels, status: ThreadStatus, turns: Turn[]): Thread {
  const { model, modelProvider, cliVersion } = labels;
  const newerFields = { projectId: null, originator: record.originator, canAcceptDirectInput: status.type === 'notLoaded' ? null : true };
  return {
    id: record.id,
    sessionId: record.id,
    forkedFromId: record.forkedFromId,
    parentThreadId: null,
    preview: record.preview,
    ephemeral: record.isEphemeral,
    modelProvider,
    model,
    reasoningEffort: null,
    createdAt: Math.floor(record.createdAtMs / 1000),
    updatedAt: Math.floor(record.updatedAtMs / 1000),
    recencyAt: Math.floor(record.recencyAtMs / 1000),
    status,
    path: null,
    cwd: record.cwd,
    cliVersion,
    // What codex calls every thread that was started through an app-server; clients filter their lists by it.
    source: 'vscode',
    gitInfo: null,
    name: record.name,
    turns,
    ...newerFields,
  };
}
