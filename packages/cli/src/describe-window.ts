// Owns how the pairing window is told to people: until when, for how many devices.

import { formatDuration } from './format-duration.ts';

export interface ShownWindow {
  /** Unix milliseconds. */
  untilMs: number;
  devices: number;
}

/** `open until 14:32 (10 min), for one device`, in this computer's time zone */
export function describeWindow({ untilMs, devices }: ShownWindow, nowMs: number): string {
  const end = new Date(untilMs);
  const [hours, minutes] = [end.getHours(), end.getMinutes()].map((part) => String(part).padStart(2, '0'));
  const count = devices === 1 ? 'one device' : `${devices} devices`;
  return `open until ${hours}:${minutes} (${formatDuration(secondsUp(Math.max(0, untilMs - nowMs)))}), for ${count}`;
}

/** A window of ten minutes that was opened a moment ago is one of ten minutes. */
function secondsUp(ms: number): number {
  return Math.ceil(ms / 1_000) * 1_000;
}
