// Owns the check of a recording against the ordering rules of codex app-server 0.169: the rules' names, what they
// say, and what an agent is excused from, with the reason. The rules themselves are in order-*.ts.
// R1 to R15 were measured over many recordings of the real server; R16 to R18 are what the approval recordings and
// the start of a thread have in common beyond them.

import type { Entry } from './recording.ts';
import { itemRules } from './order-items.ts';
import { messageRules } from './order-messages.ts';
import { turnRules } from './order-turns.ts';
import { type Timeline, timelinesOf } from './timeline.ts';

export const ruleIds = [
  'R1',
  'R2',
  'R3',
  'R4',
  'R5',
  'R6',
  'R7',
  'R8',
  'R9',
  'R10',
  'R11',
  'R12',
  'R13',
  'R14',
  'R15',
  'R16',
  'R17',
  'R18',
] as const;
export type RuleId = (typeof ruleIds)[number];

/** What a rule objects to. The facts beside the text are for exceptions. */
export interface Finding {
  /** Sequence number of the message. */
  seq: number;
  text: string;
  /** `unstarted`: the connection was never told of the item's start. `afterTurn`: its turn was over. `late`: an answer. */
  kind?: 'unstarted' | 'afterTurn' | 'late';
  itemType?: string;
  /** How the turn ended, if it did. */
  turnStatus?: string;
  /** The connection came to a turn that was already running. */
  isJoined?: boolean;
  /** The turn was given more input while it ran. */
  isSteered?: boolean;
}
export interface OrderRule {
  text: string;
  find(timeline: Timeline): Finding[];
}
export interface OrderViolation extends Finding {
  rule: RuleId;
  connection: string;
}
/** A deviation that an agent is known for. */
export interface OrderException {
  rule: RuleId;
  reason: string;
  applies(finding: Finding): boolean;
}

export const orderRules: Record<RuleId, OrderRule> = { ...turnRules, ...itemRules, ...messageRules };

export function checkOrder(entries: readonly Entry[], exceptions: readonly OrderException[]): OrderViolation[] {
  return timelinesOf(entries).flatMap((timeline) =>
    ruleIds.flatMap((rule) =>
      orderRules[rule]
        .find(timeline)
        .filter((finding) => !exceptions.some((exception) => exception.rule === rule && exception.applies(finding)))
        .map((finding) => ({ ...finding, rule, connection: timeline.connection })),
    ),
  );
}

/** One line for each violation, for the text of a failure. */
export function describeViolation({ rule, seq, connection, text }: OrderViolation): string {
  return `${rule} (${orderRules[rule].text}): message ${seq} to ${connection}: ${text}`;
}
