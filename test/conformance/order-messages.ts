// Owns the ordering rules about questions to the person, and about the form of messages.

import type { Finding, OrderRule, RuleId } from './order.ts';
import type { QuestionTrack, Timeline } from './timeline.ts';

type MessageRuleId = Extract<RuleId, 'R11' | 'R12' | 'R15' | 'R17' | 'R18'>;

export const messageRules: Record<MessageRuleId, OrderRule> = {
  R11: { text: 'notifications carry emittedAtMs, requests do not', find: findTimes },
  R12: { text: 'no message has a jsonrpc member', find: findVersions },
  R15: { text: 'every question is resolved, answered or not', find: findOpenQuestions },
  R17: { text: 'an approval is asked about a started item of a thread that waits on approval', find: findUnannouncedQuestions },
  R18: { text: 'a question is resolved before its item completes', find: findLateResolutions },
};

function findTimes({ messages }: Timeline): Finding[] {
  return messages.flatMap(({ seq, direction, message }): Finding[] => {
    if (direction === 'toServer' || typeof message['method'] !== 'string') return [];
    const hasTime = Number.isInteger(message['emittedAtMs']);
    if ('id' in message) return hasTime ? [{ seq, text: `the request ${message['method']} has one` }] : [];
    return hasTime ? [] : [{ seq, text: `${message['method']} has none` }];
  });
}

function findVersions({ messages }: Timeline): Finding[] {
  return messages
    .filter(({ direction, message }) => direction === 'toClient' && 'jsonrpc' in message)
    .map(({ seq }) => ({ seq, text: 'it has one' }));
}

/** Client-side tools are called like functions: the answer is the end of it (measured). */
const unresolvedMethods = new Set(['item/tool/call']);

function findOpenQuestions({ questions, isOpen }: Timeline): Finding[] {
  if (!isOpen) return [];
  return questions
    .filter((question) => question.resolvedAt === undefined && !unresolvedMethods.has(question.method))
    .map(({ at, id, method }) => ({ seq: at, text: `${method} ${String(id)} is never resolved` }));
}

const isApproval = ({ method }: QuestionTrack) =>
  method === 'item/commandExecution/requestApproval' || method === 'item/fileChange/requestApproval';

const itemOf = ({ items }: Timeline, { params }: QuestionTrack) =>
  items.find((item) => item.id === params['itemId'] && item.turn.threadId === params['threadId']);

function findUnannouncedQuestions(timeline: Timeline): Finding[] {
  return timeline.questions.filter(isApproval).flatMap((question): Finding[] => {
    const item = itemOf(timeline, question);
    const isJoined = timeline.turns.find((turn) => turn.id === question.params['turnId'])?.joinedAt !== undefined;
    const isKnown = item !== undefined && (item.joined !== undefined || item.startedAt.some((at) => at < question.at));
    const status = timeline.statuses.findLast((each) => each.threadId === question.params['threadId'] && each.at < question.at)?.status;
    const flags = Array.isArray(status?.['activeFlags']) ? status['activeFlags'] : [];
    return [
      ...(isKnown ? [] : [{ seq: question.at, kind: 'unstarted' as const, text: 'its item has not started', isJoined }]),
      // A connection that joined was told the status in the answer to thread/resume.
      ...(isJoined || flags.includes('waitingOnApproval') ? [] : [{ seq: question.at, text: 'the thread does not say that it waits' }]),
    ];
  });
}

function findLateResolutions(timeline: Timeline): Finding[] {
  return timeline.questions.filter(isApproval).flatMap((question) => {
    const completedAt = itemOf(timeline, question)?.completed[0]?.at;
    if (completedAt === undefined || completedAt < question.at) return [];
    if (question.resolvedAt !== undefined && question.resolvedAt < completedAt) return [];
    return [{ seq: completedAt, text: `${question.method} ${String(question.id)} is still open when its item completes` }];
  });
}
