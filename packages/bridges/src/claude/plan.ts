// Owns the end of plan mode (claude's tool ExitPlanMode): what the user is asked about the plan, and how the answer goes
// back. The plan itself is an item. Pure.

import type { UserAnswers } from '@heddle/bridge-kit';
import type { UserQuestion } from '@heddle/wire';
import type { PermissionAnswer } from './approvals.ts';
import type { PermissionMode } from './settings.ts';

export const PLAN_TOOL = 'ExitPlanMode';

const QUESTION_ID = 'plan';
const IMPLEMENT = 'Implement it';
const IMPLEMENT_WITH_EDITS = 'Implement it, without asking before edits';
const KEEP_PLANNING = 'Keep planning';

export const planQuestion: UserQuestion = {
  id: QUESTION_ID,
  header: 'Plan',
  question: 'Implement this plan? Your own words send it back to be planned further.',
  isOther: true,
  isSecret: false,
  options: [
    { label: IMPLEMENT, description: 'Leave plan mode and begin.' },
    { label: IMPLEMENT_WITH_EDITS, description: 'Leave plan mode and begin; files of the folder are changed without asking.' },
    { label: KEEP_PLANNING, description: 'Stay in plan mode.' },
  ],
};

/** What was decided about a plan. */
export type PlanDecision = { kind: 'implement'; areEditsAccepted: boolean } | { kind: 'keepPlanning'; feedback: string };

export function planDecision(answers: UserAnswers): PlanDecision {
  const words = answers === 'cancelled' ? [] : (answers[QUESTION_ID] ?? []).map((word) => word.trim()).filter((word) => word !== '');
  // Whoever writes something wants it to be read, whatever else was picked.
  const own = words.filter((word) => word !== IMPLEMENT && word !== IMPLEMENT_WITH_EDITS && word !== KEEP_PLANNING);
  if (own.length > 0) return { kind: 'keepPlanning', feedback: own.join('\n') };
  if (words.includes(KEEP_PLANNING) || words.length === 0) return { kind: 'keepPlanning', feedback: '' };
  return { kind: 'implement', areEditsAccepted: words.includes(IMPLEMENT_WITH_EDITS) };
}

/** @param modeAfter in which the plan is carried out */
export function planAnswer(input: Record<string, unknown>, decision: PlanDecision, modeAfter: PermissionMode): PermissionAnswer {
  if (decision.kind === 'implement') {
    return { behavior: 'allow', updatedInput: input, updatedPermissions: [{ type: 'setMode', mode: modeAfter, destination: 'session' }] };
  }
  const { feedback } = decision;
  return {
    behavior: 'deny',
    message: feedback === '' ? 'The user wants to keep planning.' : `The user wants to keep planning: ${feedback}`,
  };
}
