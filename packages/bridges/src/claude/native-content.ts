// Owns the content of claude's messages as types: the same on its stdout, in its transcripts and in the Messages API.

interface NativeImage {
  type: 'image';
  /** `data:` or `https:`. */
  url: string;
}

export interface ToolUse {
  type: 'toolUse';
  id: string;
  name: string;
  input: Fields;
}

export interface ToolResult {
  type: 'toolResult';
  toolUseId: string;
  isError: boolean;
  /** Text and images in their order. */
  content: readonly ({ type: 'text'; text: string } | NativeImage)[];
}

export type NativeBlock =
  | { type: 'text'; text: string }
  | { type: 'thinking'; text: string }
  | ToolUse
  | ToolResult
  | NativeImage
  /** Nothing that is shown: redacted thinking, documents, kinds of the future. */
  | { type: 'other'; kind: string };

/** Tokens as the Messages API counts them: what was read from the cache or written to it is not in `inputTokens`. */
export interface NativeUsage {
  inputTokens?: number;
  cacheReadTokens?: number;
  cacheWriteTokens?: number;
  outputTokens?: number;
}

/** A message's content is a text or a list of blocks. */
export function blocksOf(content: unknown): NativeBlock[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : listOf(content).map(blockOf);
}

export function blockOf(value: unknown): NativeBlock {
  const block = fieldsOf(value);
  switch (block['type']) {
    case 'text':
      return { type: 'text', text: textOf(block['text']) ?? '' };
    case 'thinking':
      return { type: 'thinking', text: textOf(block['thinking']) ?? '' };
    case 'tool_use':
      return { type: 'toolUse', id: textOf(block['id']) ?? '', name: textOf(block['name']) ?? '', input: fieldsOf(block['input']) };
    case 'tool_result':
      return {
        type: 'toolResult',
        toolUseId: textOf(block['tool_use_id']) ?? '',
        isError: block['is_error'] === true,
        content: blocksOf(block['content']).filter((inner) => inner.type === 'text' || inner.type === 'image'),
      };
    case 'image':
      return imageOf(fieldsOf(block['source']));
    default:
      return { type: 'other', kind: textOf(block['type']) ?? '' };
  }
}

export function usageOf(value: unknown): NativeUsage {
  const usage = fieldsOf(value);
  const counts = {
    inputTokens: numberOf(usage['input_tokens']),
    cacheReadTokens: numberOf(usage['cache_read_input_tokens']),
    cacheWriteTokens: numberOf(usage['cache_creation_input_tokens']),
    outputTokens: numberOf(usage['output_tokens']),
  };
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== undefined));
}

function imageOf(source: Fields): NativeBlock {
  const [url, data, mediaType] = [textOf(source['url']), textOf(source['data']), textOf(source['media_type'])];
  if (url !== undefined) return { type: 'image', url };
  return data === undefined ? { type: 'other', kind: 'image' } : { type: 'image', url: `data:${mediaType ?? 'image/png'};base64,${data}` };
}
import { type Fields, fieldsOf, listOf, numberOf, textOf } from '@heddle/bridge-kit';
