import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import { CapturedOutput } from '../../../packages/bridge-kit/src/services/captured-output.ts';
import { runShellCommand, shellArguments, type ShellCommandOptions } from '../../../packages/bridge-kit/src/services/shell-command.ts';
import { livingInGroup } from '../bridges/demo-client.ts';

async function run(command: string, options: Partial<ShellCommandOptions> = {}) {
  const texts: string[] = [];
  let processGroup = 0;
  const result = await runShellCommand({
    command,
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'] },
    signal: new AbortController().signal,
    onStarted: (id) => (processGroup = id),
    onText: (text) => texts.push(text),
    ...options,
  });
  return { ...result, texts, processGroup };
}

describe('a shell command', () => {
  test('gives both streams, the exit code and the same text in parts', async () => {
    const result = await run('echo out; echo err >&2; exit 7');
    expect(result).toMatchObject({ exitCode: 7, why: undefined });
    expect(result.output.split('\n').toSorted()).toEqual(['', 'err', 'out']);
    expect(result.texts.join('')).toBe(result.output);
  });

  test('is ended at its time limit, even when it ignores the polite signal', async () => {
    const result = await run('trap "" TERM; echo stubborn; while :; do sleep 0.05; done', { timeLimitMs: 200 });
    expect(result).toMatchObject({ exitCode: 137, why: 'it ran for more than 0.2 s', output: 'stubborn\n' });
    expect(livingInGroup(result.processGroup)).toEqual([]);
  });

  test('is ended by the signal, also when that had come before', async () => {
    expect(await run('sleep 60', { signal: AbortSignal.abort() })).toMatchObject({ exitCode: 143, why: 'the turn was cut short' });
  });

  test('takes what it left in the background along', async () => {
    const result = await run('sleep 60 & echo left');
    expect(result).toMatchObject({ exitCode: 0, output: 'left\n' });
    expect(livingInGroup(result.processGroup)).toEqual([]);
  });

  test('does not wait for ever for a process that left the group and holds the pipe', async () => {
    const result = await run(`setsid sleep 3 & echo gone`);
    expect(result).toMatchObject({ exitCode: 0, output: 'gone\n' });
    expect(result.durationMs).toBeLessThan(2_500);
  });

  test('keeps no more than the bound, says what was cut, and is ended when it floods', async () => {
    const result = await run('head -c 5000 /dev/zero | tr "\\0" a', { maxOutputBytes: 1000 });
    expect(result.output).toBe(`${'a'.repeat(1000)}\n[4000 more bytes of output were left out]\n`);
    const flood = await run('yes', { maxOutputBytes: 10 });
    expect(flood.why).toMatch(/^it wrote more than \d+ bytes$/);
  });

  test('that can not be started throws', async () => {
    await expect(run('true', { cwd: '/no/such/folder' })).rejects.toThrow('ENOENT');
  });

  test('is shown as it is called', () => {
    expect(shellArguments(`echo 'a b' "$HOME"`, {})).toEqual({
      file: '/bin/sh',
      args: ['-c', `echo 'a b' "$HOME"`],
      display: String.raw`/bin/sh -c 'echo '\''a b'\'' "$HOME"'`,
    });
  });
});

describe('captured output', () => {
  const collect = (maxBytes?: number) => {
    const texts: string[] = [];
    const captured = new CapturedOutput({ onText: (text) => texts.push(text), ...(maxBytes === undefined ? {} : { maxBytes }) });
    return { captured, texts };
  };

  test('a character that is cut by a chunk, or by the other stream, comes whole', () => {
    const { captured, texts } = collect();
    const [first, second] = [Buffer.from('€').subarray(0, 1), Buffer.from('€').subarray(1)];
    captured.push('stdout', first);
    captured.push('stderr', Buffer.from('ü'));
    captured.push('stdout', second);
    expect(captured.end()).toBe('ü€');
    expect(texts.join('')).toBe('ü€');
  });

  test('a character that never becomes whole is replaced, not lost', () => {
    const { captured } = collect();
    captured.push('stdout', Buffer.from('a€').subarray(0, 2));
    expect(captured.end()).toBe('a\uFFFD');
  });

  test('the bound counts bytes and cuts no character', () => {
    const { captured } = collect(8);
    captured.push('stdout', Buffer.from('€€€€'));
    captured.push('stdout', Buffer.from('x'));
    expect(captured.end()).toBe('€€\n[7 more bytes of output were left out]\n');
    expect(captured.totalBytes).toBe(13);
  });

  test('many small writes become few messages', () => {
    const { captured, texts } = collect();
    for (let index = 0; index < 1000; index += 1) captured.push('stdout', Buffer.from('x'));
    captured.end();
    expect(texts).toEqual(['x'.repeat(1000)]);
  });
});
