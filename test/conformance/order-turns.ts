// Owns the ordering rules about turns and threads.

import type { Finding, OrderRule, RuleId } from './order.ts';
import type { Message } from './recording.ts';
import type { Timeline, TurnTrack } from './timeline.ts';

type TurnRuleId = Extract<RuleId, 'R1' | 'R2' | 'R7' | 'R8' | 'R9' | 'R10' | 'R14' | 'R16'>;

export const turnRules: Record<TurnRuleId, OrderRule> = {
  R1: { text: 'the answer to turn/start, in progress and without items, comes before turn/started', find: findLateAnswers },
  R2: { text: 'the thread is active when turn/started comes', find: findStartsOfIdleThreads },
  R7: { text: 'a turn starts once and completes once', find: findRepeatedTurns },
  R8: { text: 'the thread is idle or in systemError when turn/completed comes', find: findEndsOfActiveThreads },
  R9: { text: 'thread/tokenUsage/updated comes before a turn completes well', find: findMissingUsage },
  R10: { text: 'turn/completed carries only final agent messages, or nothing when interrupted or failed', find: findItemsInEnds },
  R14: { text: 'every turn that started completes', find: findOpenTurns },
  R16: { text: 'the answer to thread/start comes before thread/started', find: findEarlyThreads },
};

export const turnStatus = (turn: TurnTrack) => {
  const status = turn.completed[0]?.turn['status'];
  return typeof status === 'string' ? { turnStatus: status } : {};
};

function findLateAnswers({ turns }: Timeline): Finding[] {
  return turns.flatMap((turn) =>
    turn.answers.flatMap(({ askedAt, at, turn: answered }): Finding[] => {
      const findings: Finding[] = [];
      // A turn/start while a turn runs joins that turn; its answer names a turn that has started before the question.
      const early = turn.startedAt.find((started) => started > askedAt && started < at);
      if (early !== undefined)
        findings.push({ seq: early, kind: 'late', text: `turn ${turn.id} started before the answer in message ${at}` });
      const { status, items } = answered;
      if (status !== 'inProgress' || !Array.isArray(items) || items.length > 0) {
        findings.push({
          seq: at,
          text: `the answer has status ${String(status)} and ${Array.isArray(items) ? items.length : 'no list of'} items`,
        });
      }
      return findings;
    }),
  );
}

function statusBefore(timeline: Timeline, threadId: string, at: number): unknown {
  return timeline.statuses.findLast((each) => each.threadId === threadId && each.at < at)?.status['type'];
}

function findStartsOfIdleThreads(timeline: Timeline): Finding[] {
  return timeline.turns.flatMap((turn) =>
    turn.startedAt.flatMap((at) => {
      const status = statusBefore(timeline, turn.threadId, at);
      return status === 'active' ? [] : [{ seq: at, text: `the last status of the thread is ${String(status)}` }];
    }),
  );
}

function findRepeatedTurns({ turns }: Timeline): Finding[] {
  return turns.flatMap((turn) => [
    ...turn.startedAt.slice(1).map((seq) => ({ seq, text: `turn ${turn.id} starts again` })),
    ...turn.completed.slice(1).map(({ at }) => ({ seq: at, text: `turn ${turn.id} completes again` })),
  ]);
}

function findEndsOfActiveThreads(timeline: Timeline): Finding[] {
  return timeline.turns.flatMap((turn) =>
    turn.completed.flatMap(({ at }) => {
      const status = statusBefore(timeline, turn.threadId, at);
      return status === 'idle' || status === 'systemError' ? [] : [{ seq: at, text: `the last status of the thread is ${String(status)}` }];
    }),
  );
}

function findMissingUsage({ turns }: Timeline): Finding[] {
  return turns
    .filter((turn) => !isOfTheUsersShell(turn))
    .flatMap((turn) =>
      turn.completed
        .filter(
          ({ at, turn: end }) =>
            turn.startedAt.length > 0 && end['status'] === 'completed' && !turn.tokenUsageAt.some((usage) => usage < at),
        )
        .map(({ at }) => ({ seq: at, text: `turn ${turn.id} completed without any` })),
    );
}

/** A turn of nothing but the user's own commands asks no model (codex 0.169, measured). */
function isOfTheUsersShell({ items }: TurnTrack): boolean {
  return items.length > 0 && items.every(({ completed }) => completed[0]?.item['source'] === 'userShell');
}

function findItemsInEnds({ turns }: Timeline): Finding[] {
  return turns.flatMap((turn) =>
    turn.completed.flatMap(({ at, turn: end }) => {
      const items = Array.isArray(end['items']) ? (end['items'] as Message[]) : [];
      const other = items.find((item) => item['type'] !== 'agentMessage');
      if (other !== undefined) return [{ seq: at, text: `it carries an item of type ${String(other['type'])}` }];
      if (end['status'] === 'completed') return [];
      return items.length === 0 ? [] : [{ seq: at, text: `a turn that is ${String(end['status'])} carries ${items.length} items` }];
    }),
  );
}

function findOpenTurns({ turns, isOpen }: Timeline): Finding[] {
  if (!isOpen) return [];
  return turns
    .filter((turn) => turn.completed.length === 0 && turn.releasedAt === undefined)
    .flatMap((turn) => {
      const seq = turn.startedAt[0] ?? turn.joinedAt;
      return seq === undefined ? [] : [{ seq, text: `turn ${turn.id} never completes` }];
    });
}

function findEarlyThreads({ threadsStarted, threadStartAnswers }: Timeline): Finding[] {
  return threadStartAnswers.flatMap(({ at, threadId }) =>
    threadsStarted
      .filter((started) => started.threadId === threadId && started.at < at)
      .map((started) => ({ seq: started.at, text: `thread ${threadId} started before the answer in message ${at}` })),
  );
}
