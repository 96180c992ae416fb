// Owns how a call of a tool is put to people, and what their decision is to pi.

import { bashLine, type Decision, quoted, type RunningTurn } from '@heddle/bridge-kit';
import type { ItemId } from '@heddle/wire';
import { ALLOW, BLOCK, type GuardedCall } from './guard-source.ts';
import { isAboutFile, type MustAsk } from './policy.ts';
import { pathOfCall } from './translate/file-changes.ts';
import { isShellTool } from './translate/tools.ts';

/** Nobody reads more before answering, and clients draw it at once. */
const MAX_SHOWN = 4_000;
/** Fields that tell what a tool is about, best first. */
const tellingFields = ['command', 'path', 'file_path', 'url', 'query', 'pattern', 'prompt'] as const;

/**
 * Asks the people of a turn, unless they have accepted the very same for the session.
 * @param itemId where the call is shown
 * @param signal aborted when pi does not want to know any more
 * @throws the reason of that, or of the turn's end, when either comes first.
 */
export async function askAboutCall(turn: RunningTurn, call: GuardedCall & MustAsk, itemId: ItemId, signal: AbortSignal): Promise<Decision> {
  const subject = subjectOf(call, turn.cwd);
  if (turn.isRemembered(subject)) return 'accept';
  const about = { threadId: turn.threadId, turnId: turn.id, itemId, startedAtMs: Date.now(), reason: call.reason };
  if (isAboutFile(call)) {
    return turn.ask('item/fileChange/requestApproval', { ...about, grantRoot: null }, subject, undefined, { signal });
  }
  const params = {
    ...about,
    environmentId: null,
    approvalId: null,
    command: commandOf(call),
    cwd: turn.cwd,
    commandActions: null,
    proposedExecpolicyAmendment: null,
    availableDecisions: ['accept' as const, 'acceptForSession' as const, 'decline' as const, 'cancel' as const],
  };
  return turn.ask('item/commandExecution/requestApproval', params, subject, undefined, { signal });
}

/** What the extension is answered. */
export function answerOf(decision: Decision): typeof ALLOW | typeof BLOCK {
  return decision === 'accept' || decision === 'acceptForSession' ? ALLOW : BLOCK;
}

/** What is remembered when it is accepted for the session: the same call, or the same file. */
function subjectOf(call: GuardedCall, cwd: string): string {
  return isAboutFile(call) ? `file ${pathOfCall(call.input, cwd)}` : `${call.toolName} ${JSON.stringify(call.input)}`;
}

/** A line that a person can judge: the command, or the tool with what it is about. */
function commandOf({ toolName, input, isBuiltIn }: GuardedCall): string {
  const command = input['command'];
  if (isShellTool({ name: toolName }) && typeof command === 'string') return bashLine(command.slice(0, MAX_SHOWN));
  const field = isBuiltIn ? tellingFields.find((name) => typeof input[name] === 'string') : undefined; // another's can mean anything
  const about = field === undefined ? JSON.stringify(input) : String(input[field]);
  return `${toolName} ${quoted(about.slice(0, MAX_SHOWN))}`;
}
