// Owns the dialogs of pi's extensions: how they are put to people, and how the answers go back. Pure.

import type { UserAnswers } from '@heddle/bridge-kit';
import type { UserQuestion } from '@heddle/wire';
import type { UiRequest } from './native.ts';

const ID = 'answer';
const YES = 'Yes';
const NO = 'No';
/** What the Codex TUI puts before words of the user's own (0.169, measured); an extension wants the words. */
const TUI_NOTE = 'user_note: ';

type Dialog = 'select' | 'confirm' | 'input' | 'editor';
const dialogs: ReadonlySet<string> = new Set<Dialog>(['select', 'confirm', 'input', 'editor']);

/** What pi takes for an answer. */
export type UiAnswer = { value: string } | { confirmed: boolean } | { cancelled: true };

/** Whether pi waits for an answer to it. */
export function isDialog({ method }: UiRequest): boolean {
  return dialogs.has(method);
}

export function questionOf({ method, title, message, options, prefill }: UiRequest): UserQuestion {
  const asked = { id: ID, header: 'pi', isOther: false, isSecret: false };
  switch (method as Dialog) {
    case 'select':
      return { ...asked, question: title, options: options.map((label) => ({ label, description: '' })) };
    case 'confirm':
      return { ...asked, question: joined(title, message), options: [YES, NO].map((label) => ({ label, description: '' })) };
    case 'input':
    case 'editor':
      return { ...asked, question: joined(title, prefill), isOther: true, options: null };
  }
}

export function answerOfQuestion({ method, options }: UiRequest, answers: UserAnswers): UiAnswer {
  const given = answers === 'cancelled' ? undefined : answers[ID]?.[0];
  if (given === undefined) return { cancelled: true };
  switch (method as Dialog) {
    case 'select':
      return options.includes(given) ? { value: given } : { cancelled: true };
    case 'confirm':
      return { confirmed: given === YES };
    case 'input':
    case 'editor':
      return { value: given.startsWith(TUI_NOTE) ? given.slice(TUI_NOTE.length) : given };
  }
}

function joined(title: string, more: string): string {
  return more === '' ? title : `${title}\n\n${more}`;
}
