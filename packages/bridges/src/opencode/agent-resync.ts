// Owns what is asked of opencode after a gap in its events: the turn's messages, its sub-agents', the open questions and
// whether it works at all. It comes back as events, to be handled like those that were missed.

import { fieldsOf, listOf } from '@heddle/bridge-kit';
import { eventsOf, readStoredMessages } from './history/stored-turns.ts';
import type { StoredMessage } from './history/turns-of-session.ts';
import { type NativeEvent, readPermissionRequest, readQuestionRequest, readStatus } from './native.ts';
import { readSession } from './native-session.ts';
import type { OpencodeApi } from './server/api.ts';
import type { Note, Translator } from './translate.ts';

export interface ReadAgainOptions {
  api: OpencodeApi;
  sessionId: string;
  directory: string;
  /** The message that has begun the turn. */
  first: string | undefined;
  known: Translator;
}

export async function readAgain({ api, sessionId, directory, first, known }: ReadAgainOptions): Promise<(NativeEvent | Note)[]> {
  const messagesOf = async (id: string) => readStoredMessages(await api.find(`/session/${id}/message`, { directory }));
  // Asked first: what has begun since is told by the events.
  const statuses = fieldsOf(await api.get('/session/status', { directory }));
  const children = listOf(await api.find(`/session/${sessionId}/children`, { directory })).flatMap((each) => readSession(each) ?? []);
  const own = ofTurn(await messagesOf(sessionId), first);
  const started = startedIn(own);
  const ofTurnsChildren = children.filter(({ id }) => known.flows.has(id) || started.has(id));
  const events: (NativeEvent | Note)[] = [
    ...ofTurnsChildren.map((session): NativeEvent => ({ type: 'session', sessionId: session.id, session, change: 'updated' })),
    ...own.flatMap((message) => eventsOf(sessionId, message)),
  ];
  for (const { id } of ofTurnsChildren) {
    // Of one that goes on from an earlier turn only what is known to be of this one.
    const seen = known.flows.get(id)?.userMessages;
    const messages = await messagesOf(id);
    events.push(
      ...ofTurn(messages, seen === undefined ? messages[0]?.message.id : [...seen][0]).flatMap((message) => eventsOf(id, message)),
    );
  }
  const readAgainEvents = events.map((event): NativeEvent | Note => (event.type === 'part' ? { ...event, isReadAgain: true } : event));
  return [
    ...readAgainEvents,
    ...(await questionsOf(api, directory, new Set([sessionId, ...ofTurnsChildren.map(({ id }) => id)]))),
    ...restOf(statuses, sessionId),
  ];
}

async function questionsOf(api: OpencodeApi, directory: string, sessions: ReadonlySet<string>): Promise<NativeEvent[]> {
  const permissions = listOf(await api.get('/permission', { directory })).flatMap((each) => readPermissionRequest(each) ?? []);
  const questions = listOf(await api.get('/question', { directory })).flatMap((each) => readQuestionRequest(each) ?? []);
  const isHere = ({ sessionId }: { sessionId: string }) => sessions.has(sessionId);
  return [
    ...permissions.filter(isHere).map((request): NativeEvent => ({ type: 'permissionAsked', sessionId: request.sessionId, request })),
    ...questions.filter(isHere).map((request): NativeEvent => ({ type: 'questionAsked', sessionId: request.sessionId, request })),
  ];
}

/** A session that is at rest is not among those that opencode tells of. */
function restOf(statuses: Readonly<Record<string, unknown>>, sessionId: string): (NativeEvent | Note)[] {
  const status = readStatus(statuses[sessionId]) ?? { type: 'idle' as const };
  return status.type === 'idle' ? [{ type: 'idleConfirmed' }] : [{ type: 'status', sessionId, status }];
}

function ofTurn(messages: readonly StoredMessage[], first: string | undefined): StoredMessage[] {
  const at = messages.findIndex(({ message }) => message.id === first);
  return at < 0 ? [] : messages.slice(at);
}

/** Sessions of sub-agents that calls of a turn have started. */
function startedIn(messages: readonly StoredMessage[]): Set<string> {
  const ids = messages.flatMap(({ parts }) =>
    parts.flatMap((part) => {
      if (part.type !== 'tool' || part.state.status === 'pending') return [];
      const child = part.state.metadata['sessionId'];
      return typeof child === 'string' ? [child] : [];
    }),
  );
  return new Set(ids);
}
