// Owns where the turns of a stored session begin and end, and how each ended. A turn is what opencode does between two
// times at which it has nothing to do, and begins with a message of the user's; the store tells neither directly.

import type { StoredTurn } from '@heddle/bridge-kit';
import type { TurnId } from '@heddle/wire';
import type { NativeMessage, NativePart } from '../native-message.ts';
import { outcomeOf } from '../translate/failures.ts';

/** A message as `GET /session/ID/message` has it. */
export interface StoredMessage {
  message: NativeMessage;
  parts: NativePart[];
}

export interface MessagesOfTurn {
  id: TurnId;
  messages: StoredMessage[];
}

/** Oldest first, as the messages are. */
export function turnsOf(messages: readonly StoredMessage[]): MessagesOfTurn[] {
  const turns: MessagesOfTurn[] = [];
  for (const message of messages) {
    const turn = turns.at(-1);
    if (turn !== undefined && (message.message.role === 'assistant' || goesOn(turn.messages, message))) turn.messages.push(message);
    else turns.push({ id: message.message.id, messages: [message] });
  }
  return turns;
}

export function endOfTurn({ messages }: MessagesOfTurn): Pick<StoredTurn, 'status' | 'error' | 'startedAtMs' | 'completedAtMs'> {
  const answers = messages.flatMap(({ message }) => (message.role === 'assistant' ? [message] : []));
  const last = answers.at(-1);
  const startedAtMs = messages[0]?.message.createdAtMs ?? 0;
  const times = messages.flatMap(({ message }) => [message.createdAtMs, ...(message.role === 'user' ? [] : [message.completedAtMs ?? 0])]);
  const completedAtMs = times.reduce((latest, time) => Math.max(latest, time), startedAtMs);
  // One that just stops was cut off: opencode was ended, or its model asked for a tool and got no further.
  const isCutOff = last?.completedAtMs === undefined || (last.finish === 'tool-calls' && last.error === undefined);
  if (isCutOff) return { status: 'interrupted', error: null, startedAtMs, completedAtMs };
  const outcome = outcomeOf(last.error);
  return { status: outcome.status, error: outcome.status === 'failed' ? outcome.error : null, startedAtMs, completedAtMs };
}

/** Whether the turn goes on with a message of the user's: it was said while opencode worked, or nobody has said it. */
function goesOn(turn: readonly StoredMessage[], { message, parts }: StoredMessage): boolean {
  const [first] = turn;
  const note = parts.find((part) => part.type === 'text' && part.note !== undefined);
  if (note?.type === 'text' && note.note !== undefined) return note.note.turnId === first?.message.id;
  const last = turn.at(-1)?.message;
  if (last === undefined) return false;
  if (parts.some((part) => part.type === 'compaction')) return parts.some((part) => part.type === 'compaction' && part.isAutomatic);
  if (parts.length > 0 && parts.every((part) => part.type === 'text' && part.isSynthetic)) return true;
  if (last.role === 'user') return false;
  // After a compaction of its own opencode says again what it was asked.
  if (last.isSummary) return turn.some(({ parts: each }) => each.some((part) => part.type === 'compaction' && part.isAutomatic));
  if (last.error !== undefined || last.completedAtMs === undefined) return false;
  return last.finish === 'tool-calls' || message.createdAtMs < last.completedAtMs;
}
