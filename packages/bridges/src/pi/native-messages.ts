// Owns the reading of pi's messages, which are the same in its events and in its session files: what was said, by whom,
// with what it has cost. Source: pi 0.73.1 and 0.87.1, measured.

import { fieldsOf, listOf, numberOf, textOf } from '@heddle/bridge-kit';

export type NativeBlock =
  | { type: 'text'; text: string }
  | { type: 'thinking'; text: string }
  | { type: 'image'; data: string; mimeType: string }
  | ToolCall
  | { type: 'other' };

export interface ToolCall {
  type: 'toolCall';
  /** Of the model's choice. */
  id: string;
  name: string;
  input: Record<string, unknown>;
}

export interface NativeUsage {
  /** Without what was cached. */
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  /** Part of `output`; 0.73 does not tell it. */
  reasoning: number;
}

export interface AssistantMessage {
  role: 'assistant';
  /** By what the message is known: the moment in which it began, in Unix milliseconds. Live the same as stored. */
  timestamp: number;
  blocks: NativeBlock[];
  usage: NativeUsage;
  /** `stop`, `length`, `toolUse`, `error`, `aborted`; `pending` while it streams (0.87). */
  stopReason: string;
  errorMessage: string | null;
}
interface UserMessage {
  role: 'user';
  timestamp: number;
  blocks: NativeBlock[];
}
export interface ToolResult {
  toolCallId: string;
  blocks: NativeBlock[];
  details: Readonly<Record<string, unknown>>;
  isError: boolean;
}
type ToolResultMessage = { role: 'toolResult' } & ToolResult;
/** The system prompt (0.87), words of an extension, a command that the user ran in pi's terminal. */
type OtherMessage = { role: 'other'; name: string };
export type NativeMessage = AssistantMessage | UserMessage | ToolResultMessage | OtherMessage;

export function decodeNativeMessage(value: unknown): NativeMessage {
  const message = fieldsOf(value);
  const timestamp = numberOf(message['timestamp']) ?? 0;
  const blocks = decodeBlocks(message['content']);
  switch (message['role']) {
    case 'assistant': {
      const stopReason = textOf(message['stopReason']) ?? 'pending';
      const errorMessage = textOf(message['errorMessage']) ?? null;
      return { role: 'assistant', timestamp, blocks, usage: decodeUsage(message['usage']), stopReason, errorMessage };
    }
    case 'user':
      return { role: 'user', timestamp, blocks };
    case 'toolResult':
      return { role: 'toolResult', toolCallId: textOf(message['toolCallId']) ?? '', ...decodeToolResult(message, message['isError']) };
    default:
      return { role: 'other', name: textOf(message['role']) ?? 'none' };
  }
}

export function decodeToolResult(value: unknown, isError: unknown): Omit<ToolResult, 'toolCallId'> {
  const result = fieldsOf(value);
  return { blocks: decodeBlocks(result['content']), details: fieldsOf(result['details']), isError: isError === true };
}

export function decodeBlocks(content: unknown): NativeBlock[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  return listOf(content).map((value): NativeBlock => {
    const block = fieldsOf(value);
    switch (block['type']) {
      case 'text':
        return { type: 'text', text: textOf(block['text']) ?? '' };
      case 'thinking':
        return { type: 'thinking', text: textOf(block['thinking']) ?? '' };
      case 'image':
        return { type: 'image', data: textOf(block['data']) ?? '', mimeType: textOf(block['mimeType']) ?? '' };
      case 'toolCall': {
        const { id, name, arguments: input } = block;
        return { type: 'toolCall', id: textOf(id) ?? '', name: textOf(name) ?? '', input: { ...fieldsOf(input) } };
      }
      default:
        return { type: 'other' };
    }
  });
}

/** All text of a message or a result. */
export function textOfBlocks(blocks: readonly NativeBlock[]): string {
  return blocks.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('');
}

function decodeUsage(value: unknown): NativeUsage {
  const usage = fieldsOf(value);
  const count = (name: string) => numberOf(usage[name]) ?? 0;
  return {
    input: count('input'),
    output: count('output'),
    cacheRead: count('cacheRead'),
    cacheWrite: count('cacheWrite'),
    reasoning: count('reasoning'),
  };
}
