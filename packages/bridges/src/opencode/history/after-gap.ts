// Owns what is to be handled after a gap in opencode's events, made of what its store and its state say then: the same
// events that were missed, as far as they can be known. Pure.

import { textOf } from '@heddle/bridge-kit';
import type { NativeEvent, PermissionRequest, QuestionRequest, SessionStatus } from '../native.ts';
import type { NativeSession } from '../native-session.ts';
import type { Note, Translator } from '../translate.ts';
import { eventsOf } from './stored-turns.ts';
import type { StoredMessage } from './turns-of-session.ts';

export interface StateAfterGap {
  /** The message that has begun the turn. */
  first: string | undefined;
  messages: readonly StoredMessage[];
  /** Sub-agents' sessions, also those of earlier turns. */
  children: readonly { session: NativeSession; messages: readonly StoredMessage[] }[];
  permissions: readonly PermissionRequest[];
  questions: readonly QuestionRequest[];
  status: SessionStatus;
}

export function eventsAfterGap(known: Translator, state: StateAfterGap): (NativeEvent | Note)[] {
  const { sessionId } = known;
  const own = messagesFrom(state.messages, state.first);
  const running = startedBy(own, (status) => status === 'running');
  const isWatched = (id: string) => known.flows.get(id)?.isRunning === true;
  const watched = state.children.filter(({ session }) => isWatched(session.id));
  // One that has begun in the gap is shown if it has not ended in it.
  const begun = state.children.filter(({ session }) => !isWatched(session.id) && running.has(session.id));
  const sessions = new Set([sessionId, ...[...watched, ...begun].map(({ session }) => session.id)]);
  return [
    ...[...watched, ...begun].map(({ session }): NativeEvent => ({ type: 'session', sessionId: session.id, session, change: 'updated' })),
    // What a sub-agent has said comes before the end of its call.
    ...watched.flatMap(({ session, messages }) =>
      readAgain(session.id, messagesFrom(messages, [...(known.flows.get(session.id)?.userMessages ?? [])][0])),
    ),
    ...readAgain(sessionId, own),
    ...begun.flatMap(({ session, messages }) => readAgain(session.id, messages)),
    ...state.permissions
      .map((request): NativeEvent => ({ type: 'permissionAsked', sessionId: request.sessionId, request }))
      .filter(isOf(sessions)),
    ...state.questions
      .map((request): NativeEvent => ({ type: 'questionAsked', sessionId: request.sessionId, request }))
      .filter(isOf(sessions)),
    state.status.type === 'idle' ? { type: 'atRest' } : { type: 'status', sessionId, status: state.status },
  ];
}

function readAgain(sessionId: string, messages: readonly StoredMessage[]): (NativeEvent | Note)[] {
  return messages
    .flatMap((message) => eventsOf(sessionId, message))
    .map((event) => (event.type === 'part' ? { ...event, isReadAgain: true } : event));
}

function messagesFrom(messages: readonly StoredMessage[], first: string | undefined): readonly StoredMessage[] {
  const at = messages.findIndex(({ message }) => message.id === first);
  return at < 0 ? [] : messages.slice(at);
}

/** Sessions of sub-agents that calls have started. */
function startedBy(messages: readonly StoredMessage[], isWanted: (status: string) => boolean): Set<string> {
  const ids = messages.flatMap(({ parts }) =>
    parts.flatMap((part) => {
      if (part.type !== 'tool' || part.state.status === 'pending' || !isWanted(part.state.status)) return [];
      return textOf(part.state.metadata['sessionId']) ?? [];
    }),
  );
  return new Set(ids);
}

function isOf(sessions: ReadonlySet<string>): (event: NativeEvent) => boolean {
  return (event) => 'sessionId' in event && event.sessionId !== undefined && sessions.has(event.sessionId);
}
