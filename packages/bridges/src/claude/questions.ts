// Owns claude's questions to the user (its tool AskUserQuestion): how they are put, and how the answers go back. Pure.

import type { UserAnswers } from '@heddle/bridge-kit';
import type { UserQuestion } from '@heddle/wire';
import type { PermissionAnswer } from './approvals.ts';

export const QUESTION_TOOL = 'AskUserQuestion';
const UNANSWERED = 'The user did not answer the questions.';
/** The wire has no mark for it. */
const SEVERAL = 'Several answers are possible.';

interface ClaudeQuestion {
  question: string;
  header: string;
  isMultiSelect: boolean;
  options: { label: string; description: string }[];
}

/** All questions of one call; claude takes other words than its options' for an answer too. */
export function questionsOf(input: Record<string, unknown>): UserQuestion[] {
  return readQuestions(input).map(({ question, header, isMultiSelect, options }, index) => ({
    id: questionId(index),
    header,
    question: isMultiSelect ? `${question} ${SEVERAL}` : question,
    isOther: true,
    isSecret: false,
    options,
  }));
}

/** claude keys the answers by the text of the question, several to one by commas. */
export function questionAnswer(input: Record<string, unknown>, answers: UserAnswers): PermissionAnswer {
  if (answers === 'cancelled') return { behavior: 'deny', message: UNANSWERED };
  const given = readQuestions(input).flatMap(({ question }, index): [string, string][] => {
    const words = (answers[questionId(index)] ?? []).filter((word) => word.trim() !== '');
    return words.length === 0 ? [] : [[question, words.join(', ')]];
  });
  if (given.length === 0) return { behavior: 'deny', message: UNANSWERED };
  return { behavior: 'allow', updatedInput: { ...input, answers: Object.fromEntries(given) } };
}

function questionId(index: number): string {
  return `question-${index + 1}`;
}

function readQuestions(input: Record<string, unknown>): ClaudeQuestion[] {
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  return recordsOf(input['questions']).map((question) => ({
    question: text(question['question']),
    header: text(question['header']),
    isMultiSelect: question['multiSelect'] === true,
    options: recordsOf(question['options']).map((option) => ({ label: text(option['label']), description: text(option['description']) })),
  }));
}

function recordsOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter((each): each is Record<string, unknown> => typeof each === 'object' && each !== null) : [];
}
