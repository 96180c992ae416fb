// One process, with a program in the place of pi that says what a test needs; and what is left unread of a line.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentLog } from '@heddle/rpc';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { decodeEvent } from '../../../packages/bridges/src/pi/native.ts';
import { type PiMessage, PiProcess, PiRefusal } from '../../../packages/bridges/src/pi/process.ts';
import { textOfLine } from '../../../packages/bridges/src/pi/repeated-message.ts';
import { readRecording } from './support/replay.ts';

const fake = fileURLToPath(new URL('./fixtures/fake-pi.ts', import.meta.url));
let runtimeDir: string;
beforeAll(async () => {
  runtimeDir = await mkdtemp(path.join(tmpdir(), 'heddle-pi-process-'));
});
afterAll(() => rm(runtimeDir, { recursive: true, force: true }));

const started: PiProcess[] = [];
afterEach(() => Promise.all(started.splice(0).map((each) => each.stop())));

async function start(mode: string) {
  const heard: PiMessage[] = [];
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (message: string) => warnings.push(message) };
  const options = { command: process.execPath, args: [fake, mode], cwd: runtimeDir, env: process.env, log, runtimeDir };
  const pi = await PiProcess.start(options, (message) => heard.push(message));
  started.push(pi);
  return { pi, heard, warnings };
}

describe('a command', () => {
  it('is answered with its data', async () => {
    const { pi, heard } = await start('answer');
    expect(await Promise.all([pi.command({ type: 'get_state' }), pi.command({ type: 'abort' })])).toEqual([
      { isStreaming: false },
      undefined,
    ]);
    expect(heard.map(({ type }) => type)).toEqual(['heard', 'heard']);
  });

  it('that is refused says why, also without its id', async () => {
    const { pi } = await start('answer');
    await expect(pi.command({ type: 'prompt' })).rejects.toThrow(new PiRefusal('no model'));
    await expect(pi.command({ type: 'clear_queue' })).rejects.toThrow(new PiRefusal('Unknown command: clear_queue'));
  });

  it('that nobody answers ends with the time-out', async () => {
    const { pi } = await start('deaf');
    await expect(pi.command({ type: 'abort' }, { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'timeout',
      message: 'pi did not answer "abort" within 0.05 s',
    });
  });

  it('that is open when it dies ends with the words on stderr, and a later one too', async () => {
    const { pi } = await start('die');
    const why = { code: 'agent_exited', message: 'pi ended (exit code 3): out of luck' };
    await expect(pi.command({ type: 'get_state' })).rejects.toMatchObject(why);
    await expect(pi.command({ type: 'get_state' })).rejects.toMatchObject(why);
    expect(pi.isGone).toBe(true);
  });
});

it('lines that are no messages are left out, and told once', async () => {
  const { pi, warnings } = await start('garbage');
  await pi.command({ type: 'get_state' });
  expect(warnings).toEqual(['pi printed something that is no message; such lines are left out']);
});

describe('what 0.73 repeats with each piece of an answer', () => {
  const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

  it('is left unread, and nothing else is', () => {
    const said = 'Grüße \\",\\"partial\\":{ ,"partial":{ 世界';
    const update = { type: 'text_delta', contentIndex: 1, delta: said };
    const whole = { role: 'assistant', content: [{ type: 'text', text: said }] };
    const line = bytes({ type: 'message_update', assistantMessageEvent: { ...update, partial: whole }, message: whole });
    expect(JSON.parse(textOfLine(line))).toEqual({ type: 'message_update', assistantMessageEvent: update });
    for (const other of [
      { type: 'message_update', usage: { input: 1 }, assistantMessageEvent: update }, // 0.87
      { type: 'message_update', assistantMessageEvent: update },
      { type: 'message_end', message: { partial: {} } },
    ])
      expect(JSON.parse(textOfLine(bytes(other)))).toEqual(other);
  });

  it('is nothing that an event is made of', () => {
    const recording = readRecording(new URL('../../goldens/pi-0.73/shell.jsonl', import.meta.url));
    const events = recording.flatMap(({ dir, data }) => (dir === 'out' ? [data as PiMessage] : []));
    expect(events.filter(({ type }) => type === 'message_update').length).toBeGreaterThan(5);
    for (const event of events) expect(decodeEvent(JSON.parse(textOfLine(bytes(event))) as PiMessage)).toEqual(decodeEvent(event));
  });
});
