// Owns claude's stream-json messages as types, decoded once from what a line of its stdout holds. Unknown kinds are
// kept raw and never guessed at; fields that are not used here are left out. Source: claude 2.1.197, measured.

import { type Fields, fieldsOf, listOf, numberOf, textOf } from '@heddle/bridge-kit';
import { blockOf, blocksOf, type NativeBlock, type NativeUsage, usageOf } from './native-content.ts';

/** The tool call of the sub-agent that a message belongs to; `null`: the conversation itself. */
interface InConversation {
  parentToolUseId: string | null;
}

export interface AssistantMessage extends InConversation {
  type: 'assistant';
  uuid: string;
  messageId: string;
  /** On stdout and in transcripts a message comes in several of these, one block each. */
  blocks: readonly NativeBlock[];
  /** `null` on stdout, where `messageEnded` tells. */
  stopReason: string | null;
  usage: NativeUsage;
  /** Written by claude itself, not by a model: the output of a local command, or an error. */
  isSynthetic: boolean;
  /** claude's name for what went wrong; such a message is no answer. */
  errorKind: string | null;
  /** HTTP status of that, where a transcript has it. */
  errorStatus: number | null;
}

export interface UserMessage extends InConversation {
  type: 'user';
  uuid: string;
  blocks: readonly NativeBlock[];
  /** A tool's result as data; its form depends on the tool. A text when it failed. */
  toolResult: unknown;
}

interface TurnResult {
  type: 'result';
  isError: boolean;
  /** The last text, or what went wrong. */
  text: string;
  terminalReason: string | null;
  errorStatus: number | null;
  stopReason: string | null;
  /** Largest context window of the models that were used, in tokens; `null`: none was. */
  contextWindow: number | null;
  /** What the process has spent so far, in US dollars, sub-agents included. */
  costUsd: number | null;
}

export type NativeMessage =
  | { type: 'init'; sessionId: string; model: string; permissionMode: string }
  | ({ type: 'messageStarted'; messageId: string; usage: NativeUsage } & InConversation)
  | ({ type: 'blockStarted'; index: number; block: NativeBlock } & InConversation)
  | ({ type: 'blockGrew'; index: number; text: string } & InConversation)
  | ({ type: 'messageEnded'; stopReason: string | null; usage: NativeUsage } & InConversation)
  | AssistantMessage
  | UserMessage
  | { type: 'localCommandOutput'; uuid: string; text: string }
  | { type: 'compacted'; uuid: string; isManual: boolean }
  | { type: 'retrying'; attempt: number; maxAttempts: number; delayMs: number; status: number | null; errorKind: string | null }
  | {
      type: 'taskStarted';
      taskId: string;
      toolUseId: string;
      isAgent: boolean;
      agentType: string | null;
      description: string | null;
      prompt: string | null;
    }
  | { type: 'taskEnded'; taskId: string; status: string; summary: string }
  | { type: 'rateLimit'; info: Fields }
  | TurnResult
  /** Known, and of no meaning for what clients see. */
  | { type: 'ignored' }
  | { type: 'unknown'; kind: string; raw: unknown };

const ignoredTypes: ReadonlySet<unknown> = new Set([
  'control_request',
  'control_response',
  'control_cancel_request',
  'keep_alive',
  'auth_status',
  'tool_progress',
  'tool_use_summary',
  'prompt_suggestion',
]);
const ignoredSystemSubtypes: ReadonlySet<unknown> = new Set([
  'status',
  'thinking_tokens',
  'task_progress',
  'hook_started',
  'hook_progress',
  'hook_response',
  'session_state_changed',
  'files_persisted',
  'commands_changed',
  'notification',
  'informational',
  'model_refusal_no_fallback',
  'permission_denied',
]);
/** Of a task that does nothing more. */
const endedStatuses: ReadonlySet<string> = new Set(['completed', 'failed', 'killed', 'stopped']);
const ignoredStreamEvents: ReadonlySet<unknown> = new Set(['content_block_stop', 'message_stop', 'ping']);

/** Decodes one line of claude's stdout. Never throws. */
export function decodeMessage(line: unknown): NativeMessage {
  const message = fieldsOf(line);
  switch (message['type']) {
    case 'assistant':
      return decodeAssistant(message);
    case 'user':
      return decodeUser(message, message['tool_use_result']);
    case 'stream_event':
      return decodeStreamEvent(message);
    case 'system':
      return decodeSystem(message);
    case 'result':
      return decodeResult(message);
    case 'rate_limit_event':
      return { type: 'rateLimit', info: fieldsOf(message['rate_limit_info']) };
    default:
      return ignoredTypes.has(message['type']) ? { type: 'ignored' } : { type: 'unknown', kind: String(message['type']), raw: line };
  }
}

/** An assistant message, of stdout or of a transcript. */
export function decodeAssistant(line: Fields): AssistantMessage {
  const message = fieldsOf(line['message']);
  return {
    type: 'assistant',
    uuid: textOf(line['uuid']) ?? '',
    messageId: textOf(message['id']) ?? '',
    blocks: blocksOf(message['content']),
    stopReason: textOf(message['stop_reason']) ?? null,
    usage: usageOf(message['usage']),
    isSynthetic: message['model'] === '<synthetic>',
    errorKind: textOf(line['error']) ?? (line['isApiErrorMessage'] === true ? 'unknown' : null),
    errorStatus: numberOf(line['apiErrorStatus']) ?? null,
    ...conversation(line),
  };
}

/** A user message, of stdout or of a transcript, which name a tool's data differently. */
export function decodeUser(line: Fields, toolResult: unknown): UserMessage {
  const blocks = blocksOf(fieldsOf(line['message'])['content']);
  return { type: 'user', uuid: textOf(line['uuid']) ?? '', blocks, toolResult, ...conversation(line) };
}

function decodeStreamEvent(line: Fields): NativeMessage {
  const event = fieldsOf(line['event']);
  const index = numberOf(event['index']) ?? 0;
  const where = conversation(line);
  switch (event['type']) {
    case 'message_start': {
      const message = fieldsOf(event['message']);
      return { type: 'messageStarted', messageId: textOf(message['id']) ?? '', usage: usageOf(message['usage']), ...where };
    }
    case 'content_block_start':
      return { type: 'blockStarted', index, block: blockOf(event['content_block']), ...where };
    case 'content_block_delta': {
      const delta = fieldsOf(event['delta']);
      const text = textOf(delta['text']) ?? textOf(delta['thinking']);
      return text === undefined ? { type: 'ignored' } : { type: 'blockGrew', index, text, ...where };
    }
    case 'message_delta':
      return {
        type: 'messageEnded',
        stopReason: textOf(fieldsOf(event['delta'])['stop_reason']) ?? null,
        usage: usageOf(event['usage']),
        ...where,
      };
    default:
      return ignoredStreamEvents.has(event['type'])
        ? { type: 'ignored' }
        : { type: 'unknown', kind: `stream_event/${String(event['type'])}`, raw: line };
  }
}

function decodeSystem(line: Fields): NativeMessage {
  const text = (name: string) => textOf(line[name]) ?? '';
  switch (line['subtype']) {
    case 'init':
      return { type: 'init', sessionId: text('session_id'), model: text('model'), permissionMode: text('permissionMode') };
    case 'api_retry':
      return {
        type: 'retrying',
        attempt: numberOf(line['attempt']) ?? 0,
        maxAttempts: numberOf(line['max_retries']) ?? 0,
        delayMs: numberOf(line['retry_delay_ms']) ?? 0,
        status: numberOf(line['error_status']) ?? null,
        errorKind: textOf(line['error']) ?? null,
      };
    case 'compact_boundary': {
      const metadata = fieldsOf(line['compact_metadata'] ?? line['compactMetadata']); // stdout, transcript
      return { type: 'compacted', uuid: text('uuid'), isManual: metadata['trigger'] === 'manual' };
    }
    case 'local_command_output':
      return { type: 'localCommandOutput', uuid: text('uuid'), text: text('content') };
    case 'task_started':
      return {
        type: 'taskStarted',
        taskId: text('task_id'),
        toolUseId: text('tool_use_id'),
        isAgent: line['task_type'] === 'local_agent',
        agentType: textOf(line['subagent_type']) ?? null,
        description: textOf(line['description']) ?? null,
        prompt: textOf(line['prompt']) ?? null,
      };
    case 'task_notification':
      return {
        type: 'taskEnded',
        taskId: text('task_id'),
        status: text('status'),
        summary: text('summary'),
      };
    case 'task_updated': {
      // The notification of a task in the background comes only when the turn is over.
      const patch = fieldsOf(line['patch']);
      const status = textOf(patch['status']) ?? '';
      if (!endedStatuses.has(status)) return { type: 'ignored' };
      return { type: 'taskEnded', taskId: text('task_id'), status, summary: textOf(patch['error']) ?? '' };
    }
    default:
      return ignoredSystemSubtypes.has(line['subtype'])
        ? { type: 'ignored' }
        : { type: 'unknown', kind: `system/${String(line['subtype'])}`, raw: line };
  }
}

function decodeResult(line: Fields): TurnResult {
  const windows = Object.values(fieldsOf(line['modelUsage'])).map((usage) => numberOf(fieldsOf(usage)['contextWindow']) ?? 0);
  const errors = listOf(line['errors']).filter((error) => typeof error === 'string');
  return {
    type: 'result',
    isError: line['is_error'] === true,
    text: textOf(line['result']) ?? errors.join('\n'),
    terminalReason: textOf(line['terminal_reason']) ?? (line['subtype'] === 'success' ? null : (textOf(line['subtype']) ?? null)),
    errorStatus: numberOf(line['api_error_status']) ?? null,
    stopReason: textOf(line['stop_reason']) ?? null,
    contextWindow: windows.length === 0 ? null : Math.max(...windows) || null,
    costUsd: numberOf(line['total_cost_usd']) ?? null,
  };
}

function conversation(line: Fields): InConversation {
  return { parentToolUseId: textOf(line['parent_tool_use_id']) ?? null };
}
