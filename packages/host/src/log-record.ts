// Owns making the fields of a log line plain: anything becomes JSON without secrets, errors keep their causes, and
// nothing thrown by what is logged reaches the one who logs.

import type { LogFields } from '@heddle/rpc';
import { REDACTED, type Redactor } from './redactor.ts';

const MAX_DEPTH = 10;
/** Keys that the line itself has. */
const ownKeys: ReadonlySet<string> = new Set(['level', 'time', 'scope', 'msg']);

/** @returns fields that are safe to write; one that is named like a part of the line itself gets a `_` after its name. */
export function toLogRecord(fields: LogFields, redactor: Redactor): Record<string, unknown> {
  const plain = new PlainValues(redactor).of(fields);
  if (typeof plain !== 'object' || plain === null) return { fields: plain };
  return Object.fromEntries(Object.entries(plain).map(([key, value]) => [ownKeys.has(key) ? `${key}_` : key, value]));
}

class PlainValues {
  readonly #redactor: Redactor;
  /** The objects that the current one lies in. */
  readonly #above: object[] = [];

  constructor(redactor: Redactor) {
    this.#redactor = redactor;
  }

  of(value: unknown): unknown {
    switch (typeof value) {
      case 'string':
        return this.#redactor.text(value);
      case 'number':
      case 'bigint': {
        const text = String(value);
        const clean = this.#redactor.text(text);
        return clean === text && typeof value === 'number' && Number.isFinite(value) ? value : clean;
      }
      case 'object':
        return value === null ? null : this.#ofObject(value);
      case 'function':
      case 'symbol':
        return `[${typeof value}]`;
      case 'boolean':
      case 'undefined':
        return value;
    }
  }

  #ofObject(value: object): unknown {
    if (this.#above.includes(value)) return '[circular]';
    if (this.#above.length >= MAX_DEPTH) return '[too deep]';
    this.#above.push(value);
    try {
      return this.#ofParts(value);
    } catch {
      return '[unreadable]'; // a getter or toJSON threw; the rest of the line is worth more than the reason
    } finally {
      this.#above.pop();
    }
  }

  #ofParts(value: object): unknown {
    if (value instanceof Error) return this.#ofError(value);
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
    if (Array.isArray(value)) return value.map((element) => this.of(element) ?? null);
    if (value instanceof Set) return Array.from(value, (element) => this.of(element));
    if (value instanceof Map) return this.#ofEntries([...value].map(([key, element]) => [String(key), element]));
    if ('toJSON' in value && typeof value.toJSON === 'function') return this.of(value.toJSON());
    return this.#ofEntries(Object.entries(value));
  }

  #ofEntries(entries: [string, unknown][]): Record<string, unknown> {
    return Object.fromEntries(
      entries.map(([key, value]) => [this.#redactor.text(key), this.#redactor.hides(key, value) ? REDACTED : this.of(value)]),
    );
  }

  /** The parts that matter are not enumerable; what libraries add (`code`, `syscall`, `hint`) mostly is. */
  #ofError(error: Error): Record<string, unknown> {
    const { name, message, stack, cause } = error;
    const parts: [string, unknown][] = [['name', name], ['message', message], ...Object.entries(error), ['stack', stack]];
    if (error instanceof AggregateError) parts.push(['errors', error.errors]);
    if (cause !== undefined) parts.push(['cause', cause]);
    return this.#ofEntries(parts);
  }
}
