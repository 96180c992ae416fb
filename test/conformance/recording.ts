// Owns what was said on the wire during one scenario: every message, both ways, of every connection, in order.
// It judges nothing; schema.ts and order.ts do.

export type Direction = 'toServer' | 'toClient';
export type Message = Record<string, unknown>;

/** `seq` is the number people are told: it counts all connections together, from 1. */
export type Entry =
  | { seq: number; connection: string; kind: 'message'; direction: Direction; message: Message }
  | { seq: number; connection: string; kind: 'closed'; why: string };
export type MessageEntry = Extract<Entry, { kind: 'message' }>;

export class Recording {
  readonly entries: Entry[] = [];

  addMessage(connection: string, direction: Direction, message: Message): void {
    this.entries.push({ seq: this.entries.length + 1, connection, kind: 'message', direction, message });
  }

  /** What this connection has not been told by now, it will never be told. */
  addClosed(connection: string, why: string): void {
    this.entries.push({ seq: this.entries.length + 1, connection, kind: 'closed', why });
  }
}

/**
 * Reads a golden transcript: JSON lines of `{seq, conn, dir: 'C>S' | 'S>C' | 'note', msg | note}` after one line
 * of metadata. The sequence numbers are the transcript's own.
 */
export function readTranscript(text: string): Entry[] {
  const entries: Entry[] = [];
  for (const line of text.trim().split('\n')) {
    const { seq, conn, dir, msg, note } = JSON.parse(line) as { seq: number; conn: string; dir: string; msg?: unknown; note?: string };
    if (dir === 'note') {
      const closed = /^(\w+): socket closed$/.exec(note ?? '')?.[1];
      if (closed !== undefined) entries.push({ seq, connection: closed, kind: 'closed', why: 'socket closed' });
    } else if (typeof msg === 'object' && msg !== null) {
      entries.push({
        seq,
        connection: conn,
        kind: 'message',
        direction: dir === 'C>S' ? 'toServer' : 'toClient',
        message: msg as Message,
      });
    }
  }
  return entries;
}

const TAIL_LINES = 40;
const MAX_LINE = 220;

/** The last messages, one line each, for the text of a failure. */
export function describeTail(entries: readonly Entry[]): string {
  const lines = entries.slice(-TAIL_LINES).map(describeEntry);
  const left = entries.length - lines.length;
  return [...(left > 0 ? [`… ${left} before`] : []), ...lines].join('\n');
}

export function describeEntry(entry: Entry): string {
  if (entry.kind === 'closed') return `${entry.seq} ${entry.connection} closed: ${entry.why}`;
  const { method, id, params, result, error } = entry.message;
  const arrow = entry.direction === 'toServer' ? '→' : '←';
  const request = id === undefined ? '' : ` (request ${JSON.stringify(id)})`;
  const head = typeof method === 'string' ? `${method}${request}` : `answer ${JSON.stringify(id)}`;
  const line = `${entry.seq} ${entry.connection} ${arrow} ${head} ${JSON.stringify(params ?? result ?? error ?? null)}`;
  return line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line;
}
