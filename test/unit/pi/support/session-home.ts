// A folder of pi's with sessions in it, written as pi writes them.

import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface SessionHome {
  agentDir: string;
  /** Writes a session's lines. @returns its path */
  write(id: string, lines: readonly object[], folder?: string): string;
  remove(): void;
}

export function makeSessionHome(): SessionHome {
  const agentDir = mkdtempSync(join(tmpdir(), 'heddle-pi-store-'));
  return {
    agentDir,
    write(id, lines, folder = join(agentDir, 'sessions', '--srv-project--')) {
      const path = join(folder, `2026-11-20T17-05-40-896Z_${id}.jsonl`);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
      return path;
    },
    remove: () => rmSync(agentDir, { recursive: true }),
  };
}

/** Entries in the order in which they are made, each after the one before unless told otherwise. */
export class SessionLines {
  readonly lines: Record<string, unknown>[] = [];
  #leaf: string | null = null;
  #number = 0;

  constructor(id: string, more: object = {}) {
    this.lines.push({ type: 'session', version: 3, id, timestamp: this.#time(), cwd: '/srv/project', ...more });
  }

  /** @returns the entry's id */
  add(type: string, fields: object, parentId: string | null = this.#leaf): string {
    const id = `e${this.#number}`;
    this.lines.push({ type, id, parentId, timestamp: this.#time(), ...fields });
    this.#leaf = id;
    return id;
  }
  user(text: string, parentId?: string | null): string {
    return this.#message({ role: 'user', content: [{ type: 'text', text }] }, parentId);
  }
  answer(text: string, more: object = {}): string {
    const usage = { input: 80, output: 25, cacheRead: 20, cacheWrite: 0, totalTokens: 125 };
    const content = text === '' ? [] : [{ type: 'text', text }];
    return this.#message({ role: 'assistant', content, provider: 'fake', model: 'fake-1', usage, stopReason: 'stop', ...more });
  }
  call(id: string, name: string, input: object): string {
    return this.answer('', { content: [{ type: 'toolCall', id, name, arguments: input }], stopReason: 'toolUse' });
  }
  result(toolCallId: string, text: string, more: object = {}): string {
    return this.#message({ role: 'toolResult', toolCallId, content: [{ type: 'text', text }], isError: false, ...more });
  }
  mark(data: object): string {
    return this.add('custom', { customType: 'heddle', data });
  }

  #message(message: object, parentId?: string | null): string {
    return this.add('message', { message: { ...message, timestamp: 1_795_000_000_000 + this.#number } }, parentId);
  }
  #time(): string {
    this.#number += 1;
    return new Date(1_795_000_000_000 + this.#number * 1000).toISOString();
  }
}

export const linesIn = (path: string): Record<string, unknown>[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

export const cutOff = (path: string): void => appendFileSync(path, '{"type":"message","id":"half');
