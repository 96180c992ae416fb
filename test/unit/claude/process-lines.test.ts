// One process, with a program in the place of claude that says what a test needs.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentLog } from '@heddle/rpc';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ClaudeProcess, type ClaudeListener, type ClaudeMessage } from '../../../packages/bridges/src/claude/process.ts';

const fake = fileURLToPath(new URL('./fixtures/fake-claude.ts', import.meta.url));
let runtimeDir: string;
beforeAll(async () => {
  runtimeDir = await mkdtemp(path.join(tmpdir(), 'heddle-claude-process-'));
});
afterAll(() => rm(runtimeDir, { recursive: true, force: true }));

const started: ClaudeProcess[] = [];
afterEach(() => Promise.all(started.splice(0).map((each) => each.stop())));

async function start(mode: string) {
  const heard: ClaudeMessage[] = [];
  const asked: [string, Record<string, unknown>][] = [];
  const warnings: string[] = [];
  const listener: ClaudeListener = {
    onMessage: (message) => heard.push(message),
    onControlRequest: (id, request) => asked.push([id, request]),
    onControlCancel: () => {},
  };
  const log = { ...silentLog, warn: (message: string) => warnings.push(message) };
  const options = { command: process.execPath, args: [fake, mode], cwd: runtimeDir, env: process.env, log, runtimeDir };
  const claude = await ClaudeProcess.start(options, listener);
  started.push(claude);
  return { claude, heard, asked, warnings };
}

describe('control requests', () => {
  it('are answered each by its own id', async () => {
    const { claude } = await start('answer');
    const subtypes = ['one', 'two', 'three'];
    const answers = await Promise.all(subtypes.map((subtype) => claude.request({ subtype })));
    expect(answers).toEqual(subtypes.map((heard) => ({ heard })));
  });

  it('that are refused say why', async () => {
    const { claude } = await start('answer');
    await expect(claude.request({ subtype: 'nonsense' })).rejects.toThrow('claude refused: never heard of it');
  });

  it('that nobody answers end with the time-out', async () => {
    const { claude } = await start('deaf');
    await expect(claude.request({ subtype: 'one' }, { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'timeout',
      message: 'claude did not answer "one" within 0.05 s',
    });
  });

  it('that are open when it dies end with the words on stderr, and later ones too', async () => {
    const { claude } = await start('die');
    const why = { code: 'agent_exited', message: 'claude ended (exit code 3): out of luck' };
    await expect(claude.request({ subtype: 'one' })).rejects.toMatchObject(why);
    expect(await claude.ended).toMatchObject(why);
    await expect(claude.request({ subtype: 'two' })).rejects.toMatchObject(why);
  });

  it('of claude are handed on, and answered', async () => {
    const { claude, asked, heard } = await start('ask');
    await expect.poll(() => asked).toEqual([['ask-1', { subtype: 'can_use_tool', tool_name: 'Bash' }]]);
    claude.answer('ask-1', { behavior: 'deny' });
    claude.refuse('ask-2', 'no');
    await expect
      .poll(() => heard)
      .toEqual([
        {
          type: 'echo',
          message: { type: 'control_response', response: { subtype: 'success', request_id: 'ask-1', response: { behavior: 'deny' } } },
        },
        { type: 'echo', message: { type: 'control_response', response: { subtype: 'error', request_id: 'ask-2', error: 'no' } } },
      ]);
  });
});

describe('lines', () => {
  it('that are no messages are left out, and told once', async () => {
    const { claude, heard, warnings } = await start('garbage');
    await claude.request({ subtype: 'one' });
    expect(heard).toEqual([]);
    expect(warnings).toEqual(['claude printed something that is no message; such lines are left out']);
  });

  it('arrive whole, whatever their bytes come in', async () => {
    const { heard } = await start('bytes');
    await expect.poll(() => heard).toEqual([{ type: 'system', text: 'Grüße, 世界 \u2028 👋🏽' }]);
  });

  it('to a process that is gone go nowhere', async () => {
    const { claude } = await start('answer');
    await claude.stop();
    expect(claude.isGone).toBe(true);
    claude.send({ type: 'user' });
  });
});
