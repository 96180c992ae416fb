import { homedir } from 'node:os';
import { describe, expect, test } from 'vitest';
import type { CommandExecOutputDelta, CommandExecParams, CommandExecResult } from '@heddle/wire';
import { Params } from '../../../packages/bridge-kit/src/server/params.ts';
import { CommandExec } from '../../../packages/bridge-kit/src/services/command-exec.ts';
import { type DemoClient, livingInGroup, type Message } from '../bridges/demo-client.ts';
import { connect, scratchFolder, serviceSessions } from './service-client.ts';

const exec = (client: DemoClient, params: CommandExecParams) => client.ok('command/exec', params);
const sh = (script: string, more: Partial<CommandExecParams> = {}): CommandExecParams => ({ command: ['sh', '-c', script], ...more });
const base64 = (text: string) => Buffer.from(text).toString('base64');
const delta = (message: Message) => message.params as unknown as CommandExecOutputDelta;
const deltas = (client: DemoClient) => client.all('command/exec/outputDelta').map(delta);
const streamed = (client: DemoClient, stream = 'stdout') =>
  Buffer.concat(
    deltas(client)
      .filter((one) => one.stream === stream)
      .map((one) => Buffer.from(one.deltaBase64, 'base64')),
  ).toString();
const output = (client: DemoClient, text: string) =>
  client.waitFor(({ method }) => method === 'command/exec/outputDelta' && streamed(client).includes(text));
/** Asked, and not yet answered. */
const begin = (client: DemoClient, params: CommandExecParams): Promise<CommandExecResult> => exec(client, params);

describe('command/exec', () => {
  test('answers with both outputs and the exit code', async () => {
    expect(await exec(await connect(), sh('echo out; echo err >&2; exit 2'))).toEqual({ exitCode: 2, stdout: 'out\n', stderr: 'err\n' });
  });

  test('runs where it is told, with the variables changed as it is told, and reads nothing', async () => {
    const client = await connect({ ...process.env, KEPT: 'kept', GONE: 'gone' });
    const cwd = await scratchFolder();
    const params = sh('cat; pwd; echo "$KEPT,$GONE,$NEW"', { cwd, env: { GONE: null, NEW: 'new' } });
    expect((await exec(client, params)).stdout).toBe(`${cwd}\nkept,,new\n`);
  });

  test("runs in the user's home when it is not told where", async () => {
    const home = await scratchFolder();
    expect((await exec(await connect({ ...process.env, HOME: home }), sh('pwd'))).stdout).toBe(`${home}\n`);
    const { HOME: _, ...homeless } = process.env;
    expect((await exec(await connect(homeless), sh('pwd'))).stdout).toBe(`${homedir()}\n`);
  });

  test('ends the whole group when its time is over, also when it ignores the polite signal', async () => {
    const client = await connect();
    const result = await exec(client, sh('echo $$; trap "" TERM; sleep 60 & while :; do sleep 0.05; done', { timeoutMs: 200 }));
    expect(result.exitCode).toBe(124);
    expect(livingInGroup(Number(result.stdout))).toEqual([]);
  });

  test('takes what it has left in the background along', async () => {
    const result = await exec(await connect(), sh('sleep 60 & echo $$'));
    expect(result.exitCode).toBe(0);
    expect(livingInGroup(Number(result.stdout))).toEqual([]);
  });

  test('says how a signal ended it', async () => {
    expect((await exec(await connect(), sh('kill -9 $$'))).exitCode).toBe(137);
  });

  test('cuts each output at the cap, between characters', async () => {
    const client = await connect();
    const params = sh('printf 1234567890; printf €€€ >&2', { outputBytesCap: 5 });
    expect(await exec(client, params)).toEqual({ exitCode: 0, stdout: '12345', stderr: '€' });
    expect(await exec(client, sh('printf 123', { outputBytesCap: 0 }))).toMatchObject({ stdout: '' });
    const mebibyte = await exec(client, sh('head -c 3000000 /dev/zero | tr "\\0" a'));
    expect(mebibyte.stdout).toBe('a'.repeat(1024 * 1024));
  });

  test('without a cap, ends a command that writes more than an answer carries', async () => {
    const client = await connect();
    const startedAtMs = Date.now();
    const refused = await client.refused('command/exec', { command: ['yes'], disableOutputCap: true, disableTimeout: true });
    expect(refused).toBe(
      '-32603 the command wrote more than 8388608 bytes, which one answer does not carry; send `streamStdoutStderr`, or a lower `outputBytesCap`',
    );
    expect(Date.now() - startedAtMs).toBeLessThan(10_000);
  });

  test.each([
    [{}, '-32600 Invalid request: missing field `command`'],
    [{ command: 'ls' }, '-32600 Invalid request: `command` must be a list of strings'],
    [{ command: [] }, '-32600 command must not be empty'],
    [{ command: [''] }, '-32603 failed to spawn command: missing program'],
    [{ command: ['no-such-program'] }, '-32603 failed to spawn command: No such file or directory (os error 2)'],
    [{ command: ['pwd'], cwd: '/no/such' }, '-32603 failed to spawn command: No such file or directory (os error 2)'],
    [{ command: ['/tmp'] }, '-32603 failed to spawn command: Permission denied (os error 13)'],
    [{ command: ['true'], env: { SECRET: 'hush\0' } }, '-32603 failed to spawn command: nul byte found in provided data'],
    [{ command: ['true'], env: { SECRET: 7 } }, '-32600 Invalid request: `env.SECRET` must be a string or null'],
    [{ command: ['true'], env: [] }, '-32600 Invalid request: `env` must be an object'],
    [{ command: ['true'], timeoutMs: -1 }, '-32602 command/exec timeoutMs must be non-negative, got -1'],
    [{ command: ['true'], timeoutMs: 1, disableTimeout: true }, '-32602 command/exec cannot set both timeoutMs and disableTimeout'],
    [
      { command: ['true'], outputBytesCap: 1, disableOutputCap: true },
      '-32602 command/exec cannot set both outputBytesCap and disableOutputCap',
    ],
    [{ command: ['true'], streamStdoutStderr: true }, '-32600 command/exec tty or streaming requires a client-supplied processId'],
    [{ command: ['true'], tty: true }, '-32600 command/exec tty or streaming requires a client-supplied processId'],
    [{ command: ['true'], size: { rows: 1, cols: 1 } }, '-32602 command/exec size requires tty: true'],
    [
      { command: ['true'], tty: true, processId: 'p', size: { rows: 0, cols: 1 } },
      '-32602 command/exec size rows and cols must be greater than 0',
    ],
    [{ command: ['no-such-program'], tty: true, processId: 'p' }, '-32603 failed to spawn command: No such file or directory (os error 2)'],
    [
      { command: ['pwd'], tty: true, processId: 'p', cwd: '/no/such' },
      '-32603 failed to spawn command: No such file or directory (os error 2)',
    ],
  ])('%j is refused', async (params, refusal) => {
    expect(await (await connect()).refused('command/exec', params)).toBe(refusal);
  });

  test('promises no sandbox: one that would have to be enforced is refused, with what to send instead', async () => {
    const client = await connect();
    for (const type of ['readOnly', 'workspaceWrite']) {
      expect(await client.refused('command/exec', { command: ['true'], sandboxPolicy: { type } })).toBe(
        `-32600 command/exec: no sandbox is enforced here, so \`${type}\` would not be kept; to run the command with everything that its user may do, send \`sandboxPolicy\` {"type":"dangerFullAccess"} or none`,
      );
    }
    for (const type of ['dangerFullAccess', 'externalSandbox']) {
      expect(await exec(client, { command: ['true'], sandboxPolicy: { type } as never })).toMatchObject({ exitCode: 0 });
    }
    expect(await client.refused('command/exec', { command: ['true'], sandboxPolicy: { type: 'none' } })).toMatch(/unknown variant `none`/);
    expect(await client.refused('command/exec', { command: ['true'], permissionProfile: 'p' })).toMatch(/no permission profiles/);
  });
});

describe('a streamed command', () => {
  test('tells its output before its answer, which then has none', async () => {
    const client = await connect();
    const result = await exec(client, sh('echo out; echo err >&2', { processId: 'p', streamStdoutStderr: true }));
    expect(result).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect([streamed(client), streamed(client, 'stderr')]).toEqual(['out\n', 'err\n']);
    expect(client.received.at(-1)?.result).toEqual(result);
    expect(deltas(client).every(({ processId, capReached }) => processId === 'p' && !capReached)).toBe(true);
  });

  test('says once for each stream that its cap is reached, with the last part', async () => {
    const client = await connect();
    const script = 'printf 1234567890; printf ab >&2; read line; printf more; printf c >&2';
    const params = sh(script, { processId: 'p', streamStdin: true, streamStdoutStderr: true, outputBytesCap: 2 });
    const running = begin(client, params);
    await client.waitFor(() => streamed(client) === '12' && streamed(client, 'stderr') === 'ab');
    await client.ok('command/exec/write', { processId: 'p', deltaBase64: base64('go on\n') });
    await running;
    const told = deltas(client).map(({ stream, deltaBase64, capReached }) => [
      stream,
      Buffer.from(deltaBase64, 'base64').toString(),
      capReached,
    ]);
    // That stderr is cut is known only when its third byte comes, and then there is nothing left to tell.
    expect(told.filter(([stream]) => stream === 'stdout')).toEqual([['stdout', '12', true]]);
    expect(told.filter(([stream]) => stream === 'stderr')).toEqual([
      ['stderr', 'ab', false],
      ['stderr', '', true],
    ]);
  });

  test('in parts of at most 64 KiB, and in few', async () => {
    const client = await connect();
    await exec(client, sh('head -c 600000 /dev/zero', { processId: 'p', streamStdoutStderr: true }));
    await exec(client, sh('i=0; while [ $i -lt 2000 ]; do echo; i=$((i+1)); done', { processId: 'q', streamStdoutStderr: true }));
    const sizes = (id: string) =>
      deltas(client).flatMap((one) => (one.processId === id ? [Buffer.from(one.deltaBase64, 'base64').byteLength] : []));
    expect(sizes('p').reduce((sum, bytes) => sum + bytes)).toBe(600_000);
    expect(Math.max(...sizes('p'))).toBeLessThanOrEqual(64 * 1024);
    expect(sizes('q').reduce((sum, bytes) => sum + bytes)).toBe(2000);
    expect(sizes('q').length).toBeLessThan(500);
  });

  test('reads what is written to it, until its input is closed', async () => {
    const client = await connect();
    const running = begin(client, { command: ['cat'], processId: 'p', streamStdin: true });
    // No answer to wait for: what is written at once reaches a command that is still being started.
    await client.ok('command/exec/write', { processId: 'p', deltaBase64: base64('one ') });
    await client.ok('command/exec/write', { processId: 'p', deltaBase64: base64('two'), closeStdin: true });
    expect(await running).toEqual({ exitCode: 0, stdout: 'one two', stderr: '' });
    expect(await client.refused('command/exec/write', { processId: 'p', closeStdin: true })).toBe(
      '-32600 no active command/exec for process id "p"',
    );
  });

  test('refuses what nobody would read', async () => {
    const client = await connect();
    const running = begin(client, { command: ['sleep', '60'], processId: 'p', streamStdin: true });
    const deaf = begin(client, { command: ['sleep', '60'], processId: 'deaf' });
    const write = (params: object) => client.refused('command/exec/write', { processId: 'p', ...params });
    expect(await write({})).toBe('-32602 command/exec/write requires deltaBase64 or closeStdin');
    expect(await write({ deltaBase64: '***' })).toBe('-32602 invalid deltaBase64: Invalid symbol 42, offset 0.');
    expect(await write({ processId: 'deaf', deltaBase64: '' })).toBe('-32600 stdin streaming is not enabled for this command/exec');
    await client.ok('command/exec/write', { processId: 'p', deltaBase64: base64('x'.repeat(10 * 1024 * 1024)) });
    expect(await write({ deltaBase64: base64('x'.repeat(10 * 1024 * 1024)) })).toMatch(
      /the command has left \d+ bytes of its input unread/,
    );
    await client.ok('command/exec/write', { processId: 'p', closeStdin: true });
    expect(await write({ deltaBase64: base64('x') })).toBe('-32600 stdin is already closed');
    for (const processId of ['p', 'deaf']) await client.ok('command/exec/terminate', { processId });
    expect((await Promise.all([running, deaf])).map(({ exitCode }) => exitCode)).toEqual([143, 143]);
  });
});

describe('a name', () => {
  test('is taken while its command runs, and free again after', async () => {
    const client = await connect();
    const running = begin(client, { command: ['sleep', '60'], processId: 'p' });
    expect(await client.refused('command/exec', { command: ['true'], processId: 'p' })).toBe(
      '-32600 duplicate active command/exec process id: "p"',
    );
    await client.ok('command/exec/terminate', { processId: 'p' });
    await running;
    expect(await exec(client, { command: ['true'], processId: 'p' })).toMatchObject({ exitCode: 0 });
  });

  test("is the session's: another one neither sees it nor is in its way", async () => {
    const sessions = serviceSessions();
    const [ada, bob] = [await sessions.connect(), await sessions.connect()];
    const running = begin(ada, sh('read line; echo "$line"', { processId: 'p', streamStdin: true }));
    expect(await bob.refused('command/exec/terminate', { processId: 'p' })).toBe('-32600 no active command/exec for process id "p"');
    expect(await exec(bob, sh('echo bob', { processId: 'p', streamStdoutStderr: true }))).toMatchObject({ exitCode: 0 });
    await ada.ok('command/exec/write', { processId: 'p', deltaBase64: base64('ada\n') });
    expect(await running).toMatchObject({ stdout: 'ada\n' });
    expect(deltas(ada)).toEqual([]);
  });
});

describe('the end of the session', () => {
  const stubborn = sh('trap "" TERM HUP; sleep 60 & echo "$$ "; while :; do sleep 0.05; done', {
    processId: 'p',
    streamStdoutStderr: true,
    disableTimeout: true,
  });

  test.each([{}, { tty: true }])('ends its commands with their whole groups %j', async (more) => {
    const sessions = serviceSessions();
    const client = await sessions.connect();
    client.request('command/exec', { ...stubborn, ...more }).catch(() => {}); // never answered
    await output(client, ' ');
    const group = Number.parseInt(streamed(client), 10);
    expect(livingInGroup(group)).not.toEqual([]);
    client.channel.close();
    await expect.poll(() => livingInGroup(group), { timeout: 5_000 }).toEqual([]);
  });

  test('and so does the end of the agent, which waits for it', async () => {
    const sessions = serviceSessions();
    const client = await sessions.connect();
    client.request('command/exec', stubborn).catch(() => {}); // never answered
    await output(client, ' ');
    await sessions.close();
    expect(livingInGroup(Number.parseInt(streamed(client), 10))).toEqual([]);
  });
});

describe('a terminal', () => {
  test('is one, of the size that was asked for', async () => {
    const client = await connect({ ...process.env, TERM: 'dumb' });
    // It ends when it is told to: node-pty gives the last output of a terminal 200 ms to arrive, which a busy machine exceeds.
    const script = 'stty size; test -t 0 && test -t 1 && test -t 2 && echo "$TERM"; read line; exit 3';
    const size = { rows: 11, cols: 33 };
    const enter = (processId: string) => client.ok('command/exec/write', { processId, deltaBase64: base64('\r') });
    const first = begin(client, sh(script, { tty: true, processId: 'p', size, env: { TERM: 'vt100' } }));
    await output(client, 'vt100\r\n');
    expect(streamed(client)).toBe('11 33\r\nvt100\r\n');
    await enter('p');
    expect(await first).toEqual({ exitCode: 3, stdout: '', stderr: '' });
    const second = begin(client, sh(script, { tty: true, processId: 'q' }));
    await output(client, '24 80\r\nxterm-256color\r\n');
    await enter('q');
    expect(await second).toMatchObject({ exitCode: 3 });
  });

  test('takes keys and a new size, and ends as by hanging up', async () => {
    const client = await connect();
    const running = begin(
      client,
      sh('trap "stty size" WINCH; echo ready; while :; do read line && echo "<$line>"; done', { tty: true, processId: 'p' }),
    );
    await output(client, 'ready');
    await client.ok('command/exec/write', { processId: 'p', deltaBase64: base64('häkeln\r') });
    await output(client, '<häkeln>');
    await client.ok('command/exec/resize', { processId: 'p', size: { rows: 7, cols: 9 } });
    await output(client, '7 9');
    await client.ok('command/exec/terminate', { processId: 'p' });
    expect((await running).exitCode).toBe(129);
  });

  test('sees the end of its input', async () => {
    const client = await connect();
    const running = begin(client, sh('echo ready; cat', { tty: true, processId: 'p' }));
    await output(client, 'ready');
    await client.ok('command/exec/write', { processId: 'p', deltaBase64: base64('last'), closeStdin: true });
    expect((await running).exitCode).toBe(0);
    expect(streamed(client)).toContain('last');
  });

  test('only a terminal has a size', async () => {
    const client = await connect();
    const running = begin(client, { command: ['sleep', '60'], processId: 'p' });
    const resize = (size?: object) => client.refused('command/exec/resize', { processId: 'p', size });
    expect(await resize({ rows: 1, cols: 1 })).toBe('-32600 failed to resize PTY: process is not attached to a PTY');
    expect(await resize({ rows: 70_000, cols: 1 })).toBe('-32600 Invalid request: invalid value: integer `70000`, expected u16');
    expect(await resize()).toBe('-32600 Invalid request: missing field `size`');
    await client.ok('command/exec/terminate', { processId: 'p' });
    await running;
  });

  test('that can not be had says what is missing, and the rest goes on', async () => {
    const commands = new CommandExec({
      env: () => process.env,
      loadPty: () => Promise.reject(new Error("Cannot find package '@lydell/node-pty'\nRequire stack:")),
    });
    const call = (params: object) => {
      const { promise, resolve } = Promise.withResolvers<unknown>();
      const session = { closed: new Promise<never>(() => {}), notify: () => {} };
      const run = async () => commands.handlers['command/exec']({ session, params: new Params(params), reply: resolve } as never);
      return Promise.race([promise, run().then(() => promise)]);
    };
    await expect(call({ command: ['true'], tty: true, processId: 'p' })).rejects.toThrow(
      "a terminal (tty) needs the optional package @lydell/node-pty, which can't be loaded on that computer: install heddle there again without --omit=optional. Cannot find package '@lydell/node-pty'",
    );
    expect(await call({ command: ['true'] })).toMatchObject({ exitCode: 0 });
  });
});
