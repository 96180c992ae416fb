// Owns turns as they are read back: their messages go through the translator that live events go through.

import {
  applyEvent,
  closeItems,
  fieldsOf,
  type ItemsById,
  listOf,
  type StoredHistory,
  type StoredTurn,
  type ThreadUsage,
  type TurnEvent,
  usageAfter,
} from '@heddle/bridge-kit';
import type { TurnId } from '@heddle/wire';
import type { NativeEvent } from '../native.ts';
import { readMessage, readPart } from '../native-message.ts';
import type { NativeSession } from '../native-session.ts';
import { newTranslator, step } from '../translate.ts';
import { endOfTurn, type StoredMessage, turnsOf } from './turns-of-session.ts';

export interface StoredTurnsOptions {
  session: NativeSession;
  mcpServers: readonly string[];
  /** The id that a turn had live, by its first message, where that is another. */
  liveTurnIds: ReadonlyMap<string, TurnId>;
}

/** @param value the answer of `GET /session/ID/message` */
export function readStoredMessages(value: unknown): StoredMessage[] {
  return listOf(value).flatMap((each) => {
    const { info, parts } = fieldsOf(each);
    const message = readMessage(info);
    return message === undefined ? [] : [{ message, parts: listOf(parts).flatMap((part) => readPart(part) ?? []) }];
  });
}

/** What lies before the message from which on the user has taken the conversation back. */
export function keptMessages(messages: readonly StoredMessage[], session: NativeSession): readonly StoredMessage[] {
  const from = revertedFrom(messages, session);
  const at = messages.findIndex(({ message }) => message.id === from);
  return at < 0 ? messages : messages.slice(0, at);
}

/** heddle's note counts until somebody goes on with what was taken back, in a terminal. */
export function revertedFrom(messages: readonly StoredMessage[], { note, revertedFrom: inTerminal }: NativeSession): string | undefined {
  const { reverted } = note;
  const isPassed = reverted === undefined || messages.some(({ message }) => message.createdAtMs > reverted.atMs);
  return inTerminal ?? (isPassed ? undefined : reverted.from);
}

export function historyOf(messages: readonly StoredMessage[], { session, mcpServers, liveTurnIds }: StoredTurnsOptions): StoredHistory {
  let usage: ThreadUsage | undefined;
  const turns = turnsOf(keptMessages(messages, session)).map((turn): StoredTurn => {
    const id = liveTurnIds.get(turn.id) ?? turn.id;
    const items: ItemsById = new Map();
    const take = (events: readonly TurnEvent[]) => {
      for (const event of events) {
        applyEvent(items, event);
        if (event.type === 'responseEnded') usage = usageAfter(usage, id, event);
      }
    };
    let translator = newTranslator({ sessionId: session.id, cwd: session.directory, mcpServers, isReplay: true });
    for (const event of [...turn.messages.flatMap((each) => eventsOf(session.id, each)), { type: 'settled' } as const]) {
      const { state, out } = step(translator, event);
      translator = state;
      take(out);
    }
    closeItems(items);
    return { id, items: [...items.values()], ...endOfTurn(turn) };
  });
  return { turns, usage: usage === undefined || session.costUsd === 0 ? usage : { ...usage, costUsd: session.costUsd } };
}

/** The events that would tell a message live, its end last. */
export function eventsOf(sessionId: string, { message, parts }: StoredMessage): NativeEvent[] {
  const begun = message.role === 'user' ? message : { ...message, completedAtMs: undefined, error: undefined };
  const ofMessage = (each: StoredMessage['message']): NativeEvent => ({ type: 'message', sessionId, message: each });
  const ofParts = parts.map((part): NativeEvent => ({ type: 'part', sessionId, part }));
  return [ofMessage(begun), ...ofParts, ...(message.role === 'user' ? [] : [ofMessage(message)])];
}
