// Owns the short form of a log line for a person at a terminal. Nothing in it can move the cursor.

import type { LogLevel } from './log-level.ts';

export interface TerminalLine {
  time: Date;
  level: LogLevel;
  scope: string | undefined;
  message: string;
  /** Already plain and without secrets (`toLogRecord`). */
  record: Record<string, unknown>;
}

/** `14:03:59 warn  endpoint: message (key=value)`, in local time. The file has the rest: stacks, dates. */
export function terminalLine({ time, level, scope, message, record }: TerminalLine): string {
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
  const fields = Object.entries(record)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${short(value)}`);
  const text = `${clock} ${level.padEnd(5)} ${scope === undefined ? '' : `${scope}: `}${message}${fields.length === 0 ? '' : ` (${fields.join(', ')})`}`;
  return `${visible(text)}\n`;
}

function short(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'message' in value && 'stack' in value) return JSON.stringify(value.message);
  return typeof value === 'string' && /^[\w./:@+-]+$/.test(value) ? value : (JSON.stringify(value) ?? '');
}

function visible(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
