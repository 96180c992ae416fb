// Owns the counting of tokens: the Messages API counts what it reads from the cache apart, the wire counts it in.

import type { ResponseUsage } from '@heddle/bridge-kit';
import type { NativeUsage } from '../native-content.ts';

export function responseUsage({
  inputTokens = 0,
  cacheReadTokens = 0,
  cacheWriteTokens = 0,
  outputTokens = 0,
}: NativeUsage): ResponseUsage {
  return {
    inputTokens: inputTokens + cacheReadTokens + cacheWriteTokens,
    cachedInputTokens: cacheReadTokens,
    cacheWriteInputTokens: cacheWriteTokens,
    outputTokens,
    reasoningOutputTokens: 0, // in the output tokens; claude does not tell them apart
  };
}
