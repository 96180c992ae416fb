// Owns how a line of the daemon's log looks to people. Pure; a line that is no record is shown as it is.

import type { Paint, Style } from '../paint.ts';
import { printable } from '../printable.ts';

interface LogRecord {
  time: Date;
  level: string;
  scope: string | undefined;
  msg: string;
  fields: [string, unknown][];
}

const levelStyles: Readonly<Record<string, Style>> = { trace: 'dim', debug: 'dim', info: 'green', warn: 'yellow', error: 'red' };

/** `12:34:56 info  endpoint  message key=value`, the time as clocks here show it; error stacks follow on lines of their own. */
export function formatLogLine(line: string, paint: Paint): string {
  const record = parseRecord(line);
  if (record === undefined) return printable(line);
  const { time, level, scope, msg, fields } = record;
  const shown = fields.filter(([, value]) => value !== undefined).map(([key, value]) => `${paint('dim', `${key}=`)}${shortValue(value)}`);
  const stacks = fields.map(([, value]) => stackOf(value)).filter((stack) => stack !== undefined);
  const head = [
    paint('dim', clock(time)),
    paint(levelStyles[level] ?? 'bold', level.padEnd(5)),
    ...(scope === undefined ? [] : [paint('cyan', scope)]),
    msg,
    ...shown,
  ].join(' ');
  return [head, ...stacks.map((stack) => paint('dim', stack.replaceAll(/^/gm, '         ')))].join('\n');
}

/** The day of a line, `2026-11-20`, as calendars here show it; undefined when the line is no record. */
export function dayOfLogLine(line: string): string | undefined {
  const record = parseRecord(line);
  if (record === undefined) return undefined;
  const { time } = record;
  return [time.getFullYear(), time.getMonth() + 1, time.getDate()].map((part) => String(part).padStart(2, '0')).join('-');
}

function parseRecord(line: string): LogRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { time, level, scope, msg, ...fields } = value as Record<string, unknown>;
  if (typeof time !== 'string' || typeof level !== 'string' || typeof msg !== 'string') return undefined;
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return undefined;
  const from = typeof scope === 'string' ? printable(scope) : undefined;
  return { time: date, level: printable(level), scope: from, msg: printable(msg), fields: Object.entries(fields) };
}

function clock(time: Date): string {
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

function shortValue(value: unknown): string {
  if (isError(value)) return JSON.stringify(printable(value.message));
  if (typeof value === 'string' && /^[\w./:@+-]+$/.test(value)) return value;
  return printable(JSON.stringify(value) ?? '');
}

function stackOf(value: unknown): string | undefined {
  if (!isError(value)) return undefined;
  const frames = value.stack.split('\n').filter((frame) => /^\s+at /.test(frame));
  return frames.length === 0 ? undefined : printable(frames.map((frame) => frame.trim()).join('\n'));
}

function isError(value: unknown): value is { message: string; stack: string } {
  if (typeof value !== 'object' || value === null) return false;
  return 'message' in value && 'stack' in value && typeof value.message === 'string' && typeof value.stack === 'string';
}
