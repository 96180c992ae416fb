// Owns what a driver of claude has to read from a message before it is translated.

import { type Fields, numberOf, textOf } from '@heddle/bridge-kit';
import type { NativeMessage } from '../native.ts';
import { changedPath, fileTools } from './file-changes.ts';

/**
 * Absolute paths of the files that the message proposes to change. Their texts are to be told to the translator
 * (`fileSeen`) before the message, so that the item opens with its true difference.
 */
export function proposedFiles(message: NativeMessage, cwd: string): string[] {
  if (message.type !== 'assistant') return [];
  const paths = message.blocks.flatMap((block) =>
    block.type === 'toolUse' && fileTools.has(block.name) ? [changedPath(block.input, cwd)] : [],
  );
  return [...new Set(paths)];
}

/**
 * The id of a turn that claude has begun by itself, once a message tells it: that of its first answer. What has set it
 * off has an id in the transcript only.
 */
export function ownTurnId(message: NativeMessage): string | undefined {
  if (message.type !== 'messageStarted' && message.type !== 'assistant') return undefined;
  if (message.parentToolUseId !== null) return undefined;
  return message.type === 'assistant' && message.isSynthetic ? message.uuid : message.messageId;
}

/** The transcript's entry of what a local slash command has done; there the turn has no other id that is known live. */
export function localCommandEntry(message: NativeMessage): string | undefined {
  if (message.type === 'compacted') return message.isManual ? message.uuid : undefined;
  return message.type === 'assistant' && message.isSynthetic && message.errorKind === null ? message.uuid : undefined;
}

/** The entry under which the transcript has a message of the conversation; `undefined`: it has none, or it is told elsewhere. */
export function transcriptEntry(message: NativeMessage): string | undefined {
  if (message.type !== 'assistant' && message.type !== 'user') return undefined;
  return message.parentToolUseId === null && message.uuid !== '' ? message.uuid : undefined;
}

const windowMinutes: Readonly<Record<string, number>> = {
  five_hour: 300,
  seven_day: 10_080,
  seven_day_opus: 10_080,
  seven_day_sonnet: 10_080,
  seven_day_overage_included: 10_080,
};

/**
 * A codex `RateLimitSnapshot` of what claude tells of a subscription's limits; `undefined`: it tells nothing.
 * Source: the type of `rate_limit_event` that claude 2.1.197 declares; never seen offline.
 */
export function rateLimitSnapshot(message: NativeMessage): Record<string, unknown> | undefined {
  if (message.type !== 'rateLimit') return undefined;
  const { info } = message;
  const kind = textOf(info['rateLimitType']) ?? '';
  const minutes = windowMinutes[kind];
  if (minutes === undefined) return undefined;
  const window = { usedPercent: usedPercent(info), windowDurationMins: minutes, resetsAt: numberOf(info['resetsAt']) ?? null };
  const isShort = kind === 'five_hour';
  return {
    limitId: `claude_${kind}`,
    limitName: kind.replaceAll('_', ' '),
    primary: isShort ? window : null,
    secondary: isShort ? null : window,
    credits: null,
    planType: null,
    rateLimitReachedType: info['status'] === 'rejected' ? 'rate_limit_reached' : null,
  };
}

/** claude tells a share, and not always. */
function usedPercent(info: Fields): number {
  const share = numberOf(info['utilization']);
  return share === undefined ? (info['status'] === 'rejected' ? 100 : 0) : Math.round(share * 100);
}
