// Owns the counting of tokens: opencode counts what it reads from a cache, and reasoning, apart; the wire counts them in.

import type { ResponseUsage } from '@heddle/bridge-kit';
import type { NativeUsage } from '../native-message.ts';

export function responseUsage({ input, output, reasoning, cacheRead, cacheWrite }: NativeUsage): ResponseUsage {
  return {
    inputTokens: input + cacheRead + cacheWrite,
    cachedInputTokens: cacheRead,
    cacheWriteInputTokens: cacheWrite,
    outputTokens: output + reasoning,
    reasoningOutputTokens: reasoning,
  };
}
