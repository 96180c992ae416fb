// Owns the reading of opencode's messages and their parts, as its events and its store have them alike.
// Source: opencode 1.18.33, `GET /doc`. Fields that heddle does not read are left out.

import { type Fields, fieldsOf, listOf, numberOf, textOf } from '@heddle/bridge-kit';

export interface NativeError {
  /** opencode's own: `APIError`, `MessageAbortedError`, … */
  name: string;
  message: string;
  /** HTTP status; `undefined` when there was no answer, or nobody was asked. */
  status: number | undefined;
  isRetryable: boolean;
}

export type NativeMessage =
  | { role: 'user'; id: string; createdAtMs: number }
  | {
      role: 'assistant';
      id: string;
      /** The user's message that it answers. */
      parentId: string;
      createdAtMs: number;
      completedAtMs: number | undefined;
      /** It stands for the conversation before it, which was compacted. */
      isSummary: boolean;
      /** `stop`, `tool-calls`, `length`, `content-filter`, … */
      finish: string | undefined;
      error: NativeError | undefined;
      model: string;
    };

export interface NativeUsage {
  /** Without what came from a cache. */
  input: number;
  /** Without reasoning. */
  output: number;
  reasoning: number;
  cacheRead: number;
  cacheWrite: number;
}

export type ToolState =
  | { status: 'pending' }
  | { status: 'running'; input: Fields; metadata: Fields; startedAtMs: number | undefined }
  | {
      status: 'completed';
      input: Fields;
      metadata: Fields;
      output: string;
      attachments: { mime: string; url: string }[];
      startedAtMs: number | undefined;
      endedAtMs: number | undefined;
    }
  | { status: 'error'; input: Fields; metadata: Fields; error: string; startedAtMs: number | undefined; endedAtMs: number | undefined };

interface PartPlace {
  id: string;
  messageId: string;
}

export type NativePart = PartPlace &
  (
    | { type: 'text'; text: string; isSynthetic: boolean; isWhole: boolean; note: { turnId: string } | undefined }
    | { type: 'reasoning'; text: string; isWhole: boolean }
    | { type: 'file'; mime: string; url: string; filename: string | undefined }
    | { type: 'tool'; callId: string; tool: string; state: ToolState }
    | { type: 'stepFinish'; reason: string; usage: NativeUsage; costUsd: number }
    | { type: 'compaction'; isAutomatic: boolean }
    | { type: 'other' }
  );

export function readMessage(value: unknown): NativeMessage | undefined {
  const fields = fieldsOf(value);
  const id = textOf(fields['id']);
  const time = fieldsOf(fields['time']);
  const createdAtMs = numberOf(time['created']) ?? 0;
  if (id === undefined) return undefined;
  if (fields['role'] === 'user') return { role: 'user', id, createdAtMs };
  if (fields['role'] !== 'assistant') return undefined;
  return {
    role: 'assistant',
    id,
    parentId: textOf(fields['parentID']) ?? '',
    createdAtMs,
    completedAtMs: numberOf(time['completed']),
    isSummary: fields['summary'] === true,
    finish: textOf(fields['finish']),
    error: fields['error'] === undefined ? undefined : readError(fields['error']),
    model: `${textOf(fields['providerID']) ?? ''}/${textOf(fields['modelID']) ?? ''}`,
  };
}

export function readPart(value: unknown): NativePart | undefined {
  const fields = fieldsOf(value);
  const id = textOf(fields['id']);
  const messageId = textOf(fields['messageID']);
  if (id === undefined || messageId === undefined) return undefined;
  const place = { id, messageId };
  const isWhole = numberOf(fieldsOf(fields['time'])['end']) !== undefined;
  switch (fields['type']) {
    case 'text': {
      const turnId = textOf(fieldsOf(fieldsOf(fields['metadata'])['heddle'])['turnId']);
      const note = turnId === undefined ? undefined : { turnId };
      const isSynthetic = fields['synthetic'] === true || fields['ignored'] === true;
      return { ...place, type: 'text', text: textOf(fields['text']) ?? '', isSynthetic, isWhole, note };
    }
    case 'reasoning':
      return { ...place, type: 'reasoning', text: textOf(fields['text']) ?? '', isWhole };
    case 'file': {
      const [mime = '', url = ''] = [textOf(fields['mime']), textOf(fields['url'])];
      return { ...place, type: 'file', mime, url, filename: textOf(fields['filename']) };
    }
    case 'tool': {
      const [callId = '', tool = ''] = [textOf(fields['callID']), textOf(fields['tool'])];
      return { ...place, type: 'tool', callId, tool, state: readToolState(fieldsOf(fields['state'])) };
    }
    case 'step-finish': {
      const usage = readUsage(fieldsOf(fields['tokens']));
      return { ...place, type: 'stepFinish', reason: textOf(fields['reason']) ?? '', usage, costUsd: numberOf(fields['cost']) ?? 0 };
    }
    case 'compaction':
      return { ...place, type: 'compaction', isAutomatic: fields['auto'] === true };
    default:
      return { ...place, type: 'other' };
  }
}

/** @param value one of the named errors of `GET /doc` */
export function readError(value: unknown): NativeError {
  const fields = fieldsOf(value);
  const data = fieldsOf(fields['data']);
  const name = textOf(fields['name']) ?? 'UnknownError';
  // An error that opencode did not expect comes with its stack.
  const message = (textOf(data['message']) ?? '').split('\n    at ')[0] ?? '';
  return { name, message, status: numberOf(data['statusCode']), isRetryable: data['isRetryable'] === true };
}

function readToolState(fields: Fields): ToolState {
  const input = fieldsOf(fields['input']);
  const metadata = fieldsOf(fields['metadata']);
  const time = fieldsOf(fields['time']);
  const [startedAtMs, endedAtMs] = [numberOf(time['start']), numberOf(time['end'])];
  switch (fields['status']) {
    case 'running':
      return { status: 'running', input, metadata, startedAtMs };
    case 'completed': {
      const attachments = listOf(fields['attachments']).map((each) => {
        const { mime, url } = fieldsOf(each);
        return { mime: textOf(mime) ?? '', url: textOf(url) ?? '' };
      });
      return { status: 'completed', input, metadata, output: textOf(fields['output']) ?? '', attachments, startedAtMs, endedAtMs };
    }
    case 'error':
      return { status: 'error', input, metadata, error: textOf(fields['error']) ?? '', startedAtMs, endedAtMs };
    default:
      return { status: 'pending' };
  }
}

function readUsage(fields: Fields): NativeUsage {
  const cache = fieldsOf(fields['cache']);
  return {
    input: numberOf(fields['input']) ?? 0,
    output: numberOf(fields['output']) ?? 0,
    reasoning: numberOf(fields['reasoning']) ?? 0,
    cacheRead: numberOf(cache['read']) ?? 0,
    cacheWrite: numberOf(cache['write']) ?? 0,
  };
}
