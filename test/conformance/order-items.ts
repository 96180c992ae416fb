// Owns the ordering rules about items and their deltas.

import type { Finding, OrderRule, RuleId } from './order.ts';
import { turnStatus } from './order-turns.ts';
import type { Message } from './recording.ts';
import type { ItemTrack, Timeline } from './timeline.ts';

type ItemRuleId = Extract<RuleId, 'R3' | 'R4' | 'R5' | 'R6' | 'R13'>;

export const itemRules: Record<ItemRuleId, OrderRule> = {
  R3: { text: 'an item starts once, after its turn', find: ({ items }) => items.flatMap(findEarlyItems) },
  R4: { text: 'deltas come after item/started and before item/completed', find: ({ items }) => items.flatMap(findStrayDeltas) },
  R5: { text: 'an item completes once, after it started and before its turn completes', find: ({ items }) => items.flatMap(findStrayEnds) },
  R6: { text: 'the deltas of a message or a reasoning add up to its final text', find: ({ items }) => items.flatMap(findTextDifferences) },
  R13: { text: 'every item that started completes', find: findOpenItems },
};

const facts = ({ type, turn }: ItemTrack) => ({
  itemType: type,
  isJoined: turn.joinedAt !== undefined,
  isSteered: turn.items.filter((item) => item.type === 'userMessage').length > 1,
  ...turnStatus(turn),
});

function findEarlyItems(item: ItemTrack): Finding[] {
  const { turn } = item;
  const turnKnownAt = turn.startedAt[0] ?? turn.joinedAt ?? Number.POSITIVE_INFINITY;
  const early = item.startedAt
    .filter((seq) => seq < turnKnownAt)
    .map((seq) => ({ seq, text: `${name(item)} starts before turn ${turn.id}` }));
  const again = item.startedAt.slice(1).map((seq) => ({ seq, text: `${name(item)} starts again` }));
  return [...early, ...again].map((finding) => ({ ...finding, ...facts(item) }));
}

/** When the connection first knew of the item. */
const knownAt = (item: ItemTrack): number => (item.joined === undefined ? (item.startedAt[0] ?? Number.POSITIVE_INFINITY) : 0);

function findStrayDeltas(item: ItemTrack): Finding[] {
  const completedAt = item.completed[0]?.at ?? Number.POSITIVE_INFINITY;
  return item.deltas.flatMap(({ at }): Finding[] => {
    if (at < knownAt(item))
      return [{ seq: at, kind: 'unstarted', text: `a delta of ${name(item)}, which has not started`, ...facts(item) }];
    return at > completedAt
      ? [{ seq: at, text: `a delta of ${name(item)}, which completed in message ${completedAt}`, ...facts(item) }]
      : [];
  });
}

function findStrayEnds(item: ItemTrack): Finding[] {
  const turnEnd = item.turn.completed[0]?.at ?? Number.POSITIVE_INFINITY;
  return item.completed.flatMap(({ at }, index): Finding[] => {
    const found: Pick<Finding, 'kind' | 'text'>[] = [];
    if (at < knownAt(item)) found.push({ kind: 'unstarted', text: `${name(item)} completes and has not started` });
    if (at > turnEnd) found.push({ kind: 'afterTurn', text: `${name(item)} completes after its turn, which did in message ${turnEnd}` });
    if (index > 0) found.push({ text: `${name(item)} completes again` });
    return found.map((each) => ({ seq: at, ...each, ...facts(item) }));
  });
}

function findOpenItems({ items }: Timeline): Finding[] {
  return items.flatMap((item): Finding[] => {
    const seq = item.startedAt[0];
    if (seq === undefined || item.completed.length > 0 || item.turn.releasedAt !== undefined) return [];
    if (item.turn.completed.length === 0) return []; // owed by the end of its turn; without one, R14 has the turn
    return [{ seq, text: `${name(item)} never completes`, ...facts(item) }];
  });
}

function findTextDifferences(item: ItemTrack): Finding[] {
  const end = item.completed[0];
  if (end === undefined) return [];
  return streams(item).flatMap(({ what, before, streamed, final }): Finding[] => {
    const wanted = before + streamed;
    if (streamed === '' || wanted === final) return [];
    // Who joined mid-item and was not shown its beginning sees the rest; that it was not shown is R4's matter.
    if (item.startedAt.length === 0 && item.joined === undefined && final.endsWith(streamed)) return [];
    return [{ seq: end.at, text: `${what} of ${name(item)} is ${quote(final)}, its deltas say ${quote(wanted)}`, ...facts(item) }];
  });
}

interface Streamed {
  what: string;
  /** What a joining connection was shown already. */
  before: string;
  streamed: string;
  final: string;
}

function streams(item: ItemTrack): Streamed[] {
  const final = item.completed[0]?.item ?? {};
  if (item.type === 'agentMessage' || item.type === 'plan') {
    return [
      { what: 'the text', before: textOf(item.joined?.['text']), streamed: joinDeltas(item, () => true), final: textOf(final['text']) },
    ];
  }
  if (item.type !== 'reasoning') return [];
  const parts = (field: 'summary' | 'content', index: 'summaryIndex' | 'contentIndex') =>
    listOf(final[field]).map((text, at) => ({
      what: `${field} ${at}`,
      before: textOf(listOf(item.joined?.[field])[at]),
      streamed: joinDeltas(item, (params) => params[index] === at),
      final: textOf(text),
    }));
  return [...parts('summary', 'summaryIndex'), ...parts('content', 'contentIndex')];
}

const joinDeltas = (item: ItemTrack, isWanted: (params: Message) => boolean) =>
  item.deltas
    .filter(({ params }) => isWanted(params))
    .map(({ params }) => textOf(params['delta']))
    .join('');
const textOf = (value: unknown) => (typeof value === 'string' ? value : '');
const listOf = (value: unknown) => (Array.isArray(value) ? (value as unknown[]) : []);
const name = (item: ItemTrack) => `${item.type || 'item'} ${item.id}`;
const quote = (text: string) => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
