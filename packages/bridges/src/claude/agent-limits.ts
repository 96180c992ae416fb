// Owns the limits of the user's plan with claude's service: what claude told last, and asking it. Accounts that pay by
// use have none.

import { readUsage } from './control.ts';
import type { ClaudeProcess } from './process.ts';

const MINUTES_OF: Record<string, number> = { five_hour: 5 * 60, seven_day: 7 * 24 * 60 };

/** A codex `RateLimitSnapshot` with the windows that are known. */
export async function askLimits(process: ClaudeProcess): Promise<Record<string, unknown> | undefined> {
  const limits = await readUsage(process);
  if (limits === undefined) return undefined;
  const primary = windowOf('five_hour', limits['five_hour']);
  const secondary = windowOf('seven_day', limits['seven_day']);
  return primary === null && secondary === null ? undefined : { limitId: 'claude', primary, secondary };
}

/** claude gives the share that is used in percent, and the time of the reset in ISO 8601. */
function windowOf(name: string, value: unknown): Record<string, unknown> | null {
  if (typeof value !== 'object' || value === null) return null;
  const { utilization, resets_at: resetsAt } = value as { utilization?: unknown; resets_at?: unknown };
  if (typeof utilization !== 'number') return null;
  const resetsAtMs = typeof resetsAt === 'string' ? Date.parse(resetsAt) : Number.NaN;
  return {
    usedPercent: Math.round(utilization),
    windowDurationMins: MINUTES_OF[name] ?? null,
    resetsAt: Number.isNaN(resetsAtMs) ? null : Math.floor(resetsAtMs / 1_000),
  };
}
