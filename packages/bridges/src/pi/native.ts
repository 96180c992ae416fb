// Owns the reading of pi's events in RPC mode. What is not known is `unknown`, and is never guessed.
// Source: pi 0.73.1 and 0.87.1, measured. 0.73 repeats the whole message with each piece of it, which is left unread.

import { fieldsOf, listOf, numberOf, textOf } from '@heddle/bridge-kit';
import { type NativeMessage, decodeNativeMessage, decodeToolResult, type ToolResult } from './native-messages.ts';
import type { PiMessage } from './process.ts';

/** A dialog of an extension, or something that it shows. */
export interface UiRequest {
  id: string;
  method: string;
  title: string;
  /** Of `confirm` and `notify`. */
  message: string;
  options: string[];
  /** Of `input`: what stands in an empty field; of `editor`: the text to change. */
  prefill: string;
  /** After it pi goes on by itself. */
  timeoutMs: number | undefined;
  /** Of `notify`. */
  level: string;
  /** Of `setStatus`. */
  status: { key: string; text: string | undefined };
}

export type NativeEvent =
  | { type: 'runStarted' }
  /** One run has ended. pi may go on by itself: it tries again, or shortens the conversation. */
  | { type: 'runEnded' }
  /** pi does nothing more by itself (0.87). */
  | { type: 'settled' }
  | { type: 'messageStarted'; message: NativeMessage }
  | { type: 'blockStarted'; kind: 'text' | 'thinking' | 'toolCall'; index: number }
  | { type: 'blockGrown'; kind: 'text' | 'thinking'; index: number; delta: string }
  | { type: 'messageEnded'; message: NativeMessage }
  | { type: 'toolStarted'; toolCallId: string }
  /** All that the tool has said so far, or the end of it. */
  | { type: 'toolProgressed'; toolCallId: string; text: string }
  | { type: 'toolEnded'; result: ToolResult }
  | { type: 'retryStarted'; errorMessage: string }
  | { type: 'retryEnded' }
  | { type: 'compactionStarted' }
  | {
      type: 'compactionEnded';
      /** `undefined`: nothing was shortened. */
      done: { firstKeptEntryId: string; tokensBefore: number } | undefined;
      willRetry: boolean;
      /** Somebody asked for it, and is told by the answer to the command. */
      isManual: boolean;
      errorMessage: string | null;
    }
  | { type: 'uiRequested'; request: UiRequest }
  | { type: 'extensionFailed'; path: string; event: string; error: string }
  /** Known, and of no use here. */
  | { type: 'ignored' }
  | { type: 'unknown'; kind: string };

const ignored: ReadonlySet<string> = new Set([
  'turn_start',
  'turn_end',
  'queue_update',
  'entry_appended',
  'session_info_changed',
  'thinking_level_changed',
  'bash_execution_update',
  'summarization_retry_scheduled',
  'summarization_retry_attempt_start',
  'summarization_retry_finished',
]);

export function decodeEvent(event: PiMessage): NativeEvent {
  switch (event.type) {
    case 'agent_start':
      return { type: 'runStarted' };
    case 'agent_end':
      return { type: 'runEnded' };
    case 'agent_settled':
      return { type: 'settled' };
    case 'message_start':
      return { type: 'messageStarted', message: decodeNativeMessage(event['message']) };
    case 'message_update':
      return decodeUpdate(event['assistantMessageEvent']);
    case 'message_end':
      return { type: 'messageEnded', message: decodeNativeMessage(event['message']) };
    case 'tool_execution_start':
      return { type: 'toolStarted', toolCallId: textOf(event['toolCallId']) ?? '' };
    case 'tool_execution_update':
      return { type: 'toolProgressed', toolCallId: textOf(event['toolCallId']) ?? '', text: partialText(event['partialResult']) };
    case 'tool_execution_end': {
      const result = decodeToolResult(event['result'], event['isError']);
      return { type: 'toolEnded', result: { toolCallId: textOf(event['toolCallId']) ?? '', ...result } };
    }
    case 'auto_retry_start':
      return { type: 'retryStarted', errorMessage: textOf(event['errorMessage']) ?? '' };
    case 'auto_retry_end':
      return { type: 'retryEnded' };
    case 'compaction_start':
      return { type: 'compactionStarted' };
    case 'compaction_end':
      return decodeCompactionEnd(event);
    case 'extension_ui_request':
      return { type: 'uiRequested', request: decodeUiRequest(event) };
    case 'extension_error': {
      const { extensionPath, event: of, error } = event;
      return { type: 'extensionFailed', path: textOf(extensionPath) ?? '', event: textOf(of) ?? '', error: textOf(error) ?? '' };
    }
    default:
      return ignored.has(event.type) ? { type: 'ignored' } : { type: 'unknown', kind: event.type };
  }
}

const blockKinds = { text_start: 'text', thinking_start: 'thinking', toolcall_start: 'toolCall' } as const;
const deltaKinds = { text_delta: 'text', thinking_delta: 'thinking' } as const;

function decodeUpdate(value: unknown): NativeEvent {
  const update = fieldsOf(value);
  const kind = textOf(update['type']) ?? '';
  const index = numberOf(update['contentIndex']) ?? 0;
  if (isKeyOf(blockKinds, kind)) return { type: 'blockStarted', kind: blockKinds[kind], index };
  if (isKeyOf(deltaKinds, kind)) return { type: 'blockGrown', kind: deltaKinds[kind], index, delta: textOf(update['delta']) ?? '' };
  // The whole message follows, which says all that an end says.
  return { type: 'ignored' };
}

function isKeyOf<T extends object>(table: T, key: string): key is Extract<keyof T, string> {
  return Object.hasOwn(table, key);
}

function partialText(value: unknown): string {
  const { blocks } = decodeToolResult(value, false);
  return blocks.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('');
}

function decodeCompactionEnd(event: PiMessage): NativeEvent {
  const result = fieldsOf(event['result']);
  const firstKeptEntryId = textOf(result['firstKeptEntryId']);
  return {
    type: 'compactionEnded',
    done: firstKeptEntryId === undefined ? undefined : { firstKeptEntryId, tokensBefore: numberOf(result['tokensBefore']) ?? 0 },
    willRetry: event['willRetry'] === true,
    isManual: event['reason'] === 'manual',
    errorMessage: textOf(event['errorMessage']) ?? null,
  };
}

function decodeUiRequest(event: PiMessage): UiRequest {
  const text = (name: string) => textOf(event[name]) ?? '';
  return {
    id: text('id'),
    method: text('method'),
    title: text('title'),
    message: text('message'),
    options: listOf(event['options']).flatMap((option) => textOf(option) ?? []),
    prefill: textOf(event['prefill']) ?? text('placeholder'),
    timeoutMs: numberOf(event['timeout']),
    level: text('notifyType'),
    status: { key: text('statusKey'), text: textOf(event['statusText']) },
  };
}
