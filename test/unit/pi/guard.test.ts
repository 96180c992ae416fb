// heddle's extension for pi, as pi loads it: what it stops, what it writes down, and what it says.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DECLINED_BY_USER, guardSource, readGuardedCall, readGuardTold } from '../../../packages/bridges/src/pi/guard-source.ts';

type Handler = (event: object, ctx: object) => unknown;

/** As much of pi as an extension sees of it. */
class FakePi {
  readonly entries: [string, unknown][] = [];
  readonly told: unknown[] = [];
  readonly asked: string[] = [];
  answer: string | undefined;
  readonly #handlers = new Map<string, Handler>();
  #command: ((args: string) => Promise<void>) | undefined;
  readonly #ctx = {
    signal: new AbortController().signal,
    sessionManager: { getSessionId: () => 'SESSION', getSessionFile: () => '/srv/session.jsonl' },
    ui: {
      setStatus: (_key: string, text: string) => this.told.push(readGuardTold(text)),
      select: async (title: string) => {
        this.asked.push(title);
        return this.answer;
      },
    },
  };

  readonly api = {
    on: (event: string, handler: Handler) => void this.#handlers.set(event, handler),
    registerCommand: (_name: string, { handler }: { handler: (args: string) => Promise<void> }) => {
      this.#command = handler;
    },
    appendEntry: (type: string, data: unknown) => void this.entries.push([type, data]),
    getAllTools: () => [
      { name: 'bash', sourceInfo: { source: 'builtin' } },
      { name: 'read', sourceInfo: { source: 'local' } },
    ],
  };

  note(note: object): Promise<void> | undefined {
    return this.#command?.(JSON.stringify(note));
  }
  says(...parts: object[]): unknown {
    return this.#handlers.get('message_end')?.({ message: { role: 'user', content: parts } }, this.#ctx);
  }
  emit(event: string, fields: object = {}): unknown {
    return this.#handlers.get(event)?.(fields, this.#ctx);
  }
}

const text = (words: string) => ({ type: 'text', text: words });

describe('heddle’s extension for pi', () => {
  let folder: string;
  let load: (pi: object) => void;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'heddle-guard-'));
    const file = join(folder, 'guard.mjs');
    writeFileSync(file, guardSource);
    load = ((await import(pathToFileURL(file).href)) as { default: (pi: object) => void }).default;
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const loaded = () => {
    const pi = new FakePi();
    load(pi.api);
    pi.emit('session_start', { reason: 'startup' });
    return pi;
  };

  it('says which session it guards', () => {
    expect(loaded().told).toEqual([{ type: 'guards', sessionId: 'SESSION', sessionFile: '/srv/session.jsonl' }]);
  });

  it('lets a call through only when it is told so', async () => {
    const pi = loaded();
    const call = { toolCallId: 'call-1', toolName: 'bash', input: { command: 'rm -rf build' } };
    for (const [answer, result] of [
      ['allow', undefined],
      ['block', { block: true, reason: DECLINED_BY_USER }],
      ['ALLOW', { block: true, reason: DECLINED_BY_USER }],
      [undefined, { block: true, reason: DECLINED_BY_USER }],
    ] as const) {
      pi.answer = answer;
      expect(await pi.emit('tool_call', call)).toEqual(result);
    }
    expect(readGuardedCall(pi.asked[0] ?? '')).toEqual({
      toolCallId: 'call-1',
      toolName: 'bash',
      input: { command: 'rm -rf build' },
      isBuiltIn: true,
    });
    await pi.emit('tool_call', { toolCallId: 'call-2', toolName: 'read', input: {} });
    expect(readGuardedCall(pi.asked.at(-1) ?? '')?.isBuiltIn).toBe(false); // another tool has its name
  });

  it('writes down under which ids messages are kept, in their order', async () => {
    const pi = loaded();
    await pi.note({ turn: 'T', message: 'm1', text: 'Same.', isFirst: true });
    await pi.note({ turn: 'T', message: 'm2', text: 'Other.' });
    await pi.note({ turn: 'T', message: 'm3', text: 'Same.' });
    pi.says(text('Nobody has said this.'));
    pi.says(text('Same.'));
    pi.says(text('Other.'), { type: 'image', data: '', mimeType: 'image/png' });
    pi.says(text('Same.\n\n[A line of pi’s about an image]'));
    expect(pi.entries).toEqual([
      ['heddle', { turn: 'T', message: 'm1' }],
      ['heddle', { turn: 'T', message: 'm2' }],
      ['heddle', { turn: 'T', message: 'm3', text: 'Same.' }],
    ]);
    expect(pi.told.slice(1)).toEqual(['m1', 'm2', 'm3'].map((messageId) => ({ type: 'took', messageId })));
  });

  it('keeps what was said where a template has become something else, and forgets what never came', async () => {
    const pi = loaded();
    await pi.note({ turn: 'T1', message: 'm1', text: '/handled by an extension', isFirst: true });
    await pi.note({ turn: 'T2', message: 'm2', text: '/say hello', isFirst: true });
    pi.says(text('Say this: hello'));
    expect(pi.entries).toEqual([['heddle', { turn: 'T2', message: 'm2', text: '/say hello' }]]);
  });

  it('writes at once that a turn begins in which nobody says anything', async () => {
    const pi = loaded();
    await pi.note({ turn: 'T', isFirst: true });
    expect(pi.entries).toEqual([['heddle', { turn: 'T' }]]);
  });
});

describe('what the extension says', () => {
  it('is not read from anything else', () => {
    expect(readGuardTold(undefined)).toBeUndefined();
    expect(readGuardTold('not JSON')).toBeUndefined();
    expect(readGuardedCall('Which colour?')).toBeUndefined();
    expect(readGuardedCall('heddle is asking')).toBeUndefined();
    expect(readGuardedCall('heddle {"id":"call-1"}')).toBeUndefined();
  });
});
