import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolvePaths } from '@heddle/host';
import { silentLog } from '@heddle/rpc';
import { decodePairPayload, HeddleError } from '@heddle/wire';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runProgram } from '../../../packages/cli/src/run-program.ts';
import { version } from '../../../packages/cli/src/version.ts';
import { type ControlHandlers, type ControlServer, startControlServer } from '../../../packages/control/src/server.ts';
import { exampleDevices, examplePayload, exampleStatus, fakeHandlers } from '../control/fixtures/handlers.ts';
import { captureIo } from './fixtures/captured-io.ts';
import { decodeQr } from './fixtures/decode-qr.ts';

let home: string;
let server: ControlServer | undefined;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'heddle-cli-'));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(home, { recursive: true });
});

async function startDaemon(overrides: Partial<ControlHandlers> = {}, daemonVersion = version) {
  const socketPath = resolvePaths({ HEDDLE_HOME: home }).controlSocket;
  const handlers = fakeHandlers({ version: daemonVersion }, overrides);
  server = await startControlServer({ socketPath, version: daemonVersion, handlers, log: silentLog });
}
async function run(argv: string[], options: Parameters<typeof captureIo>[0] = {}) {
  const io = captureIo({ ...options, env: { HEDDLE_HOME: home } });
  const exitCode = await runProgram(argv, io);
  return { exitCode, out: io.out(), err: io.err() };
}
const notRunning = 'heddle: the heddle daemon is not running\n  hint: Start it with `heddle serve`.\n';

test('status without a daemon: from the files, which are not made for it', async () => {
  const { exitCode, out } = await run(['status', '--json']);
  expect(exitCode).toBe(3);
  expect(JSON.parse(out)).toEqual({
    running: false,
    version,
    peer_id: null,
    port: null,
    addrs: [],
    config_file: join(home, 'host.toml'),
    log_dir: join(home, 'logs'),
    warnings: [],
  });
  expect(await readdir(home)).toEqual([]);
  expect((await run(['status'])).out).toContain('heddle is not running\n  peer id      none yet\n');
});

test('pair without a daemon: what the daemon will accept, and a note', async () => {
  const { exitCode, out, err } = await run(['pair', '--json']);
  expect([exitCode, err]).toEqual([
    0,
    'heddle: note: the daemon is not running, so no phone can connect yet\n  hint: Start it with `heddle serve`, then run `heddle pair` again.\n',
  ]);
  const payload = decodePairPayload(out);
  const config = await readFile(join(home, 'host.toml'), 'utf8');
  expect(config).toContain(`token = "${payload.token}"`);
  const status = JSON.parse((await run(['status', '--json'])).out) as Record<string, unknown>;
  expect(status).toMatchObject({ running: false, peer_id: payload.peer_id, addrs: payload.addrs });
});

test('rotate without a daemon: another token in the file, the same peer id', async () => {
  const before = decodePairPayload((await run(['pair', '--json'])).out);
  const { exitCode, out } = await run(['rotate']);
  expect([exitCode, out]).toEqual([0, 'The token was replaced. All phones have to pair again: `heddle pair` shows the new code.\n']);
  const after = decodePairPayload((await run(['pair', '--json'])).out);
  expect(after.token).not.toBe(before.token);
  expect({ ...after, token: '' }).toEqual({ ...before, token: '' });
});

test.each([['agents', 'list'], ['devices', 'list'], ['reload'], ['stop'], ['attach', 'codex', '--stdio'], ['probe', 'hello']])(
  '%s %s needs a daemon, and says so',
  async (...argv) => {
    expect(await run(argv.filter((word) => word !== undefined))).toEqual({ exitCode: 3, out: '', err: notRunning });
    expect(existsSync(join(home, 'host.toml'))).toBe(false);
  },
);

test('status of a daemon', async () => {
  await startDaemon({
    status: () => ({
      ...exampleStatus,
      version,
      uptime_ms: 7_500_000,
      connections: 1,
      sessions: [
        { id: 'a', agent: 'codex', peer_id: '12D3KooWphone', since_ms: Date.now() - 61_000, attached: true },
        { id: 'b', agent: 'demo', peer_id: '12D3KooWtablet', since_ms: Date.now() - 61_000, attached: false },
        { id: 'c', agent: 'demo', peer_id: null, since_ms: Date.now() - 3_600_000, attached: true },
      ],
      warnings: ['mind the gap'],
    }),
  });
  const { exitCode, out, err } = await run(['status']);
  expect([exitCode, err]).toEqual([0, '']);
  expect(out).toBe(
    [
      `heddle ${version} is running for 2 h 5 min (pid 4711)`,
      '  peer id     12D3KooWGRUqbmzs5vMgnpbpp2rPEuYbFmTMvcA1YWqPcGFnGTxe',
      '  listens on  /ip4/192.168.1.5/tcp/4747',
      '              /ip6/fd00::5/tcp/4747',
      '  phones      1 connected',
      '  sessions    codex  1 min       12D3KooWphone   attached',
      '              demo   1 min       12D3KooWtablet  waiting for its phone',
      '              demo   1 h         this computer   attached',
      '  config      /home/ada/host.toml',
      '  logs        /home/ada/logs',
      '  warning: mind the gap',
      '',
    ].join('\n'),
  );
  expect(JSON.parse((await run(['status', '--json'])).out)).toMatchObject({
    running: true,
    pid: 4711,
    connections: 1,
    sessions: [{ attached: true }, { attached: false }, { attached: true }],
  });
});

test('a daemon of another version is noticed once, beside the answer', async () => {
  await startDaemon({}, '9.9.9');
  const { exitCode, out, err } = await run(['agents', 'list', '--json']);
  expect([exitCode, JSON.parse(out)]).toMatchObject([0, { agents: [{ name: 'echo' }] }]);
  expect(err).toBe(
    `heddle: note: the running daemon is heddle 9.9.9, this command is ${version}\n  hint: Restart it: \`heddle stop\`, then \`heddle serve\`.\n`,
  );
});

test('pair: text into a pipe, code and text on a terminal, the code alone', async () => {
  await startDaemon();
  const json = `${JSON.stringify(examplePayload)}\n`;
  const err = expect.stringMatching(/^heddle: .*note:.* the pairing window is open until 15:02 \(.+\), for one device\n$/) as string;
  expect(await run(['pair'])).toEqual({ exitCode: 0, out: json, err });
  expect(await run(['pair', '--json'], { isTTY: true })).toEqual({ exitCode: 0, out: json, err });
  const qr = await run(['pair', '--qr']);
  expect(decodePairPayload(decodeQr(qr.out.trimEnd()).text)).toEqual(examplePayload);
  const terminal = await run(['pair'], { isTTY: true, columns: 100 });
  expect(terminal.out).toContain('\u001B[38;5;231;48;5;16m');
  expect(terminal.out).toContain(`or paste this text:\n\n${json}`);
  expect(terminal.out).toMatch(/^The pairing window is open until 15:02 \(.+\), for one device\.$/m);
  expect(terminal.err).toBe('');
});

test('pair: a terminal that is too narrow for the code is told', async () => {
  await startDaemon();
  const { err } = await run(['pair', '--qr'], { isTTY: true, columns: 40 });
  expect(err).toMatch(/the code is \d+ columns wide, this terminal 40/);
});

test("pair: for how long and how many is the daemon's to decide, in its limits", async () => {
  const asked: unknown[] = [];
  await startDaemon({
    pair: ({ minutes, devices }) => {
      asked.push([minutes, devices]);
      return { payload: examplePayload, window: { until_ms: Date.now() + 120_500, devices: devices ?? 1 } };
    },
  });
  expect((await run(['pair', '--json', '--minutes', '2', '--devices', '3'])).err).toContain('(2 min), for 3 devices');
  await run(['pair', '--json']);
  expect(asked).toEqual([
    [2, 3],
    [undefined, undefined],
  ]);
});

test('devices: listed for people and as JSON, renamed, restricted, removed', async () => {
  await startDaemon();
  const list = await run(['devices', 'list']);
  expect(list.out.replace(/seen .* ago/, 'seen')).toBe(
    [
      "● Ada's phone  drive  connected  uses codex, demo",
      '  12D3KooWphone  from /ip4/192.168.1.7/tcp/50000',
      '○ tablet       watch  not seen yet',
      '  12D3KooWtablet',
      '',
    ].join('\n'),
  );
  expect(JSON.parse((await run(['devices', 'list', '--json'])).out)).toEqual({ devices: exampleDevices, window: null });
  expect((await run(['devices', 'rename', 'tablet', 'kitchen'])).out).toBe(
    `The device ${examplePayload.peer_id} is called "kitchen" now.\n`,
  );
  expect((await run(['devices', 'scope', 'tablet', 'watch'])).out).toBe('"tablet" may only watch now.\n');
  expect((await run(['devices', 'scope', 'tablet', 'drive'])).out).toBe('"tablet" may drive now.\n');
  const revoked = await run(['devices', 'revoke', 'tablet']);
  expect(revoked.out).toBe('"tablet" was removed; 2 sessions were ended.\n');
  expect(revoked.err).toContain('heddle rotate');
});

test('devices: none yet, and one that is not there', async () => {
  await startDaemon({
    devices: () => ({ devices: [], window: { until_ms: Date.now() + 60_500, devices: 2 } }),
    'devices.revoke': () => {
      throw new HeddleError('unknown_device', 'there is no device "x"');
    },
  });
  expect((await run(['devices', 'list'])).out).toMatch(
    /^No device is paired.*\nThe pairing window is open until .* \(1 min\), for 2 devices\.\n$/,
  );
  expect(await run(['devices', 'revoke', 'x'])).toEqual({ exitCode: 2, out: '', err: 'heddle: there is no device "x"\n' });
});

test('rotate, reload, agents, stop of a daemon', async () => {
  await startDaemon({
    stop: () => {
      void server?.close();
      return {};
    },
  });
  expect((await run(['rotate'])).out).toBe(
    'The token was replaced; 2 sessions were ended. All phones have to pair again: `heddle pair` shows the new code.\n',
  );
  expect(JSON.parse((await run(['rotate', '--json'])).out)).toEqual({ running: true, ended_sessions: 2 });
  expect((await run(['reload'])).out).toBe(
    '✓ agents.echo holds now\n! endpoint.port has changed and needs a restart: `heddle stop`, then `heddle serve`\n',
  );
  expect((await run(['agents', 'list'])).out).toBe('✓ echo  Echo  acts without asking\n');
  expect(await run(['stop'])).toEqual({ exitCode: 0, out: 'heddle has stopped.\n', err: '' });
  expect((await run(['stop'])).exitCode).toBe(3);
});

test('attach --stdio: lines in, lines out, nothing else on stdout', async () => {
  await startDaemon();
  const { exitCode, out, err } = await run(['attach', 'echo', '--stdio'], { stdin: '{"id":1,"method":"a"}\n{"method":"b"}\n' });
  expect([exitCode, err]).toEqual([0, '']);
  expect(out.split('\n').slice(0, 1)).toEqual(['{"id":1,"method":"a"}']);
  for (const line of out.trimEnd().split('\n')) expect(() => JSON.parse(line) as unknown).not.toThrow();
});

test('attach: an agent that is not known', async () => {
  await startDaemon();
  const expected = { exitCode: 5, out: '', err: 'heddle: there is no agent "nobody"\n  hint: There is: echo.\n' };
  expect(await run(['attach', 'nobody', '--stdio'])).toEqual(expected);
  expect(await run(['attach', 'nobody', '--listen', 'ws://127.0.0.1:0'])).toEqual(expected);
});

test.each([
  [['statu'], "unknown command 'statu'"],
  [['status', '--jsn'], "unknown option '--jsn'"],
  [['attach'], "missing required argument 'agent'"],
  [['attach', 'codex'], 'either --stdio or --listen is needed'],
  [['attach', 'codex', '--stdio', '--listen', 'ws://127.0.0.1:0'], '--stdio and --listen exclude each other'],
  [['attach', 'codex', '--listen', 'ws://0.0.0.0:1'], '"0.0.0.0" is not an address of this computer alone'],
  [['pair', '--qr', '--json'], '--qr and --json exclude each other'],
  [['pair', '--minutes', '0'], 'must be a whole number from 1 to 1440'],
  [['pair', '--devices', 'many'], 'must be a whole number from 1 to 100'],
  [['devices', 'scope', 'x', 'all'], 'Allowed choices are watch, drive'],
  [['logs', '-n', 'x'], "argument 'x' is invalid"],
  [['probe'], 'what should be said to the agent?'],
  [['probe', '--payload', '{}', 'hi'], 'in the pair payload'],
  [['probe', '--payload', '@/nowhere/p.json', 'hi'], "can't read the payload from /nowhere/p.json"],
  [['probe', '--approve', 'ask', 'hi'], '--approve ask needs a terminal'],
])('%j is refused with exit code 2', async (argv, message) => {
  const { exitCode, out, err } = await run(argv);
  expect([exitCode, out]).toEqual([2, '']);
  expect(err).toContain(message);
  expect(err.startsWith(argv.includes('--json') ? '{"error":{"code":"usage",' : 'heddle: ')).toBe(true);
});

test('with --json an error is JSON, on stderr', async () => {
  const { exitCode, out, err } = await run(['reload', '--json']);
  expect([exitCode, out]).toEqual([3, '']);
  expect(JSON.parse(err)).toEqual({
    error: { code: 'daemon_not_running', message: 'the heddle daemon is not running', hint: 'Start it with `heddle serve`.' },
  });
});

test('help is everywhere, on stdout, within 100 columns for a terminal', async () => {
  const commands = ['serve', 'status', 'pair', 'devices', 'rotate', 'reload', 'stop', 'logs', 'agents', 'attach', 'probe'];
  const { exitCode, out } = await run(['--help']);
  expect(exitCode).toBe(0);
  for (const command of commands) expect(out).toMatch(new RegExp(`^  ${command} `, 'm'));
  expect(out).toContain('Exit codes:\n  0    done\n');
  for (const argv of [...commands.map((command) => [command]), ['agents', 'list']]) {
    const help = await run([...argv, '--help']);
    expect([help.exitCode, help.err]).toEqual([0, '']);
    expect(help.out).toContain(`Usage: heddle ${argv.join(' ')}`);
  }
});

test('--version, and no command at all', async () => {
  expect(await run(['--version'])).toEqual({ exitCode: 0, out: `${version}\n`, err: '' });
  const { exitCode, out, err } = await run([]);
  expect([exitCode, out]).toEqual([2, '']);
  expect(err).toContain('Usage: heddle');
});

test('logs: the last lines, for people and as they are', async () => {
  expect(await run(['logs'])).toEqual({ exitCode: 0, out: '', err: `heddle: note: there is no log yet in ${join(home, 'logs')}\n` });
});
