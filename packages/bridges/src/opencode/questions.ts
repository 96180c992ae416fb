// Owns opencode's questions to the user (its tool `question`): how they are put, and how the answers go back. Pure.

import type { UserAnswers } from '@heddle/bridge-kit';
import type { UserQuestion } from '@heddle/wire';
import type { NativeQuestion } from './native.ts';

/** The wire has no mark for it. */
const SEVERAL = 'Several answers are possible.';

export function questionsOf(questions: readonly NativeQuestion[]): UserQuestion[] {
  return questions.map(({ question, header, options, isMultiSelect, isOpen }, index) => ({
    id: questionId(index),
    header,
    question: isMultiSelect ? `${question} ${SEVERAL}` : question,
    isOther: isOpen,
    isSecret: false,
    options,
  }));
}

/** One list of words for each question, in their order; `undefined`: nobody has answered anything. */
export function answersOf(questions: readonly NativeQuestion[], answers: UserAnswers): string[][] | undefined {
  if (answers === 'cancelled') return undefined;
  const given = questions.map((_question, index) => (answers[questionId(index)] ?? []).filter((word) => word.trim() !== ''));
  return given.every((words) => words.length === 0) ? undefined : given;
}

function questionId(index: number): string {
  return `question-${index + 1}`;
}
