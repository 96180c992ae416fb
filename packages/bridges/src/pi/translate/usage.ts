// Owns how pi's count of tokens reads in the wire's terms: there, what went in includes what was cached.

import type { ResponseUsage } from '@heddle/bridge-kit';
import type { NativeUsage } from '../native-messages.ts';

export function responseUsage({ input, output, cacheRead, cacheWrite, reasoning }: NativeUsage): ResponseUsage {
  return {
    inputTokens: input + cacheRead + cacheWrite,
    cachedInputTokens: cacheRead,
    cacheWriteInputTokens: cacheWrite,
    outputTokens: output,
    reasoningOutputTokens: reasoning,
  };
}
