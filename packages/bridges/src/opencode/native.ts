// Owns the reading of opencode's events: what comes on `GET /global/event`, as typed values. Nothing behind it sees raw
// JSON. An event that heddle does not know is `unknown`, never guessed. Source: opencode 1.18.33.

import { type Fields, fieldsOf, listOf, numberOf, textOf } from '@heddle/bridge-kit';
import { type NativeError, type NativeMessage, type NativePart, readError, readMessage, readPart } from './native-message.ts';
import { type NativeSession, readSession } from './native-session.ts';

/** opencode asks whether it may do something. */
export interface PermissionRequest {
  id: string;
  sessionId: string;
  /** `bash`, `edit`, `webfetch`, `external_directory`, `doom_loop`, or a tool's name. */
  permission: string;
  patterns: string[];
  metadata: Fields;
  /** The call that it is about. */
  call: { messageId: string; callId: string } | undefined;
}

export interface NativeQuestion {
  question: string;
  header: string;
  options: { label: string; description: string }[];
  isMultiSelect: boolean;
  /** Other words than the options' are taken too. */
  isOpen: boolean;
}

export interface QuestionRequest {
  id: string;
  sessionId: string;
  questions: NativeQuestion[];
  call: { messageId: string; callId: string } | undefined;
}

export type SessionStatus = { type: 'idle' } | { type: 'busy' } | { type: 'retry'; attempt: number; message: string };

export type NativeEvent =
  | { type: 'session'; sessionId: string; session: NativeSession; change: 'created' | 'updated' | 'deleted' }
  | { type: 'message'; sessionId: string; message: NativeMessage }
  /** `isReadAgain`: not told now, but read from the store after a gap. */
  | { type: 'part'; sessionId: string; part: NativePart; isReadAgain?: boolean }
  | { type: 'partDelta'; sessionId: string; partId: string; delta: string }
  | { type: 'status'; sessionId: string; status: SessionStatus }
  /** The session has nothing more to do: said once at its end, twice when it was stopped or has failed. */
  | { type: 'idle'; sessionId: string }
  | { type: 'sessionError'; sessionId: string | undefined; error: NativeError }
  | { type: 'permissionAsked'; sessionId: string; request: PermissionRequest }
  | { type: 'permissionReplied'; sessionId: string; requestId: string }
  | { type: 'questionAsked'; sessionId: string; request: QuestionRequest }
  | { type: 'questionClosed'; sessionId: string; requestId: string }
  /** The first event of each connection. */
  | { type: 'connected' }
  /** Known, and nothing that heddle acts on. */
  | { type: 'ignored' }
  | { type: 'unknown'; kind: string };

/** Kinds that say nothing about a turn, or the same as another one; `sync` repeats each event for other servers. */
const ignoredKinds =
  /^(?:sync$|server\.|global\.|plugin\.|catalog\.|models-dev\.|reference\.|integration\.|project\.|file\.|installation\.|lsp\.|mcp\.|vcs\.|workspace\.|worktree\.|pty\.|tui\.|todo\.|command\.|skill\.|session\.(?:diff|compacted|next\.)|message\.(?:removed|part\.removed)|permission\.v2\.|question\.v2\.)/;

/** @param value one event's JSON: `{directory, project, payload: {type, properties}}` */
export function decodeEvent(value: unknown): NativeEvent {
  const payload = fieldsOf(fieldsOf(value)['payload']);
  const kind = textOf(payload['type']) ?? '';
  return decode(kind, fieldsOf(payload['properties'])) ?? otherEvent(kind);
}

export function readPermissionRequest(value: unknown): PermissionRequest | undefined {
  const fields = fieldsOf(value);
  const [id, sessionId] = [textOf(fields['id']), textOf(fields['sessionID'])];
  if (id === undefined || sessionId === undefined) return undefined;
  return {
    id,
    sessionId,
    permission: textOf(fields['permission']) ?? '',
    patterns: listOf(fields['patterns']).flatMap((each) => textOf(each) ?? []),
    metadata: fieldsOf(fields['metadata']),
    call: readCall(fieldsOf(fields['tool'])),
  };
}

export function readQuestionRequest(value: unknown): QuestionRequest | undefined {
  const fields = fieldsOf(value);
  const [id, sessionId] = [textOf(fields['id']), textOf(fields['sessionID'])];
  if (id === undefined || sessionId === undefined) return undefined;
  const questions = listOf(fields['questions']).map((each) => readQuestion(fieldsOf(each)));
  return { id, sessionId, questions, call: readCall(fieldsOf(fields['tool'])) };
}

export function readStatus(value: unknown): SessionStatus | undefined {
  const fields = fieldsOf(value);
  switch (fields['type']) {
    case 'idle':
    case 'busy':
      return { type: fields['type'] };
    case 'retry':
      return { type: 'retry', attempt: numberOf(fields['attempt']) ?? 0, message: textOf(fields['message']) ?? '' };
    default:
      return undefined;
  }
}

/** @returns undefined for a kind that is not handled, and for one whose fields are not what they should be */
function decode(kind: string, fields: Fields): NativeEvent | undefined {
  const sessionId = textOf(fields['sessionID']);
  switch (kind) {
    case 'server.connected':
      return { type: 'connected' };
    case 'session.error':
      return { type: 'sessionError', sessionId, error: readError(fields['error']) };
    case 'permission.asked': {
      const request = readPermissionRequest(fields);
      return request && { type: 'permissionAsked', sessionId: request.sessionId, request };
    }
    case 'question.asked': {
      const request = readQuestionRequest(fields);
      return request && { type: 'questionAsked', sessionId: request.sessionId, request };
    }
    default:
      return sessionId === undefined ? undefined : decodeOfSession(kind, sessionId, fields);
  }
}

function decodeOfSession(kind: string, sessionId: string, fields: Fields): NativeEvent | undefined {
  switch (kind) {
    case 'session.created':
    case 'session.updated':
    case 'session.deleted': {
      const session = readSession(fields['info']);
      const change = ({ 'session.created': 'created', 'session.updated': 'updated', 'session.deleted': 'deleted' } as const)[kind];
      return session && { type: 'session', sessionId, session, change };
    }
    case 'message.updated': {
      const message = readMessage(fields['info']);
      return message && { type: 'message', sessionId, message };
    }
    case 'message.part.updated': {
      const part = readPart(fields['part']);
      return part && { type: 'part', sessionId, part };
    }
    case 'message.part.delta': {
      const [partId, delta] = [textOf(fields['partID']), textOf(fields['delta'])];
      if (partId === undefined || delta === undefined) return undefined;
      return fields['field'] === 'text' ? { type: 'partDelta', sessionId, partId, delta } : { type: 'ignored' };
    }
    case 'session.status': {
      const status = readStatus(fields['status']);
      return status && { type: 'status', sessionId, status };
    }
    case 'session.idle':
      return { type: 'idle', sessionId };
    case 'permission.replied':
    case 'question.replied':
    case 'question.rejected': {
      const requestId = textOf(fields['requestID']);
      const type = kind === 'permission.replied' ? ('permissionReplied' as const) : ('questionClosed' as const);
      return requestId === undefined ? undefined : { type, sessionId, requestId };
    }
    default:
      return undefined;
  }
}

function otherEvent(kind: string): NativeEvent {
  return ignoredKinds.test(kind) ? { type: 'ignored' } : { type: 'unknown', kind };
}

function readCall(fields: Fields): { messageId: string; callId: string } | undefined {
  const [messageId, callId] = [textOf(fields['messageID']), textOf(fields['callID'])];
  return messageId === undefined || callId === undefined ? undefined : { messageId, callId };
}

function readQuestion(fields: Fields): NativeQuestion {
  return {
    question: textOf(fields['question']) ?? '',
    header: textOf(fields['header']) ?? '',
    options: listOf(fields['options']).map((each) => {
      const { label, description } = fieldsOf(each);
      return { label: textOf(label) ?? '', description: textOf(description) ?? '' };
    }),
    isMultiSelect: fields['multiple'] === true,
    isOpen: fields['custom'] !== false,
  };
}
