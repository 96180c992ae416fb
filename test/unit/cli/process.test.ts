// The command line as its users run it: real processes, a real daemon, the scripted demo agent.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';

const main = join(import.meta.dirname, '../../../packages/cli/src/main.ts');
let home: string;
let daemon: ChildProcessWithoutNullStreams;
const started: ChildProcessWithoutNullStreams[] = [];

function start(argv: string[]): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [main, ...argv], { env: { ...process.env, HEDDLE_HOME: home } });
  started.push(child);
  return child;
}
async function run(argv: string[], stdin = '') {
  const child = start(argv);
  child.stdin.end(stdin);
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, out, err };
}
/** Resolves with everything said so far once the stream has said `words`. */
function said(stream: NodeJS.ReadableStream, words: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes(words)) resolve(text);
    });
    stream.on('end', () => reject(new Error(`it ended without saying "${words}": ${text}`)));
  });
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'heddle-process-'));
  await run(['pair', '--json']); // makes the files
  const file = join(home, 'host.toml');
  const config = await readFile(file, 'utf8');
  await writeFile(
    file,
    config.replace('[agents.demo]\n#enabled', '[agents.demo]\nenabled').replace('#listen = ["0.0.0.0"]', 'listen = ["127.0.0.1"]'),
  );
  daemon = start(['serve']);
  await said(daemon.stdout, 'Ctrl-C stops heddle.');
});
afterAll(async () => {
  for (const child of started) child.kill('SIGKILL');
  await rm(home, { recursive: true, force: true });
});

test('a second daemon is refused with the pid of the first', async () => {
  const { exitCode, err } = await run(['serve']);
  expect([exitCode, err.split('\n')[0]]).toEqual([7, `heddle: a heddle daemon is running already, with pid ${daemon.pid}`]);
});

test('probe: a phone that says something and is answered', async () => {
  const { exitCode, out, err } = await run(['probe', '--agent', 'demo', '--approve', 'accept', 'command: echo from the demo']);
  expect([exitCode, err]).toEqual([0, '']);
  expect(out).toContain('$ echo from the demo\n  → accepted\n  from the demo\n  exit 0');
  expect(out).toMatch(/\n✓ completed in .*tokens.*\n$/);
});

test('probe --json: every event as a line, the end of the turn last', async () => {
  const { exitCode, out } = await run(['probe', '--agent', 'demo', '--json', 'text']);
  expect(exitCode).toBe(0);
  const events = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { method: string });
  expect(events.map(({ method }) => method)).toContain('item/agentMessage/delta');
  expect(events.at(-1)).toMatchObject({ kind: 'notification', method: 'turn/completed', params: { turn: { status: 'completed' } } });
});

test('probe: without a terminal an approval is declined, and a turn that fails is exit code 1', async () => {
  expect((await run(['probe', '--agent', 'demo', 'command: echo no'])).out).toContain('→ declined');
  expect((await run(['probe', '--agent', 'demo', 'fail'])).exitCode).toBe(1);
});

test('attach --stdio: the answers of what was piped in, as JSON lines', async () => {
  const requests = [
    '{"method":"initialize","id":1,"params":{"clientInfo":{"name":"t","version":"1"}}}',
    '{"method":"thread/list","id":2,"params":{}}',
  ];
  const { exitCode, out, err } = await run(['attach', 'demo', '--stdio'], requests.join('\n'));
  expect([exitCode, err]).toEqual([0, '']);
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { id?: number });
  expect(lines.flatMap(({ id }) => (id === undefined ? [] : [id]))).toEqual([1, 2]);
});

test('attach --listen: a WebSocket is a session, and an interrupt ends all in order', async () => {
  const listener = start(['attach', 'demo', '--listen', 'ws://127.0.0.1:0']);
  const exited = once(listener, 'close');
  const banner = await said(listener.stderr, '\n');
  const url = /ws:\/\/127\.0\.0\.1:\d+/.exec(banner)?.[0] as string;
  const socket = new WebSocket(url);
  await once(socket, 'open');
  socket.send('{"method":"initialize","id":1,"params":{"clientInfo":{"name":"t","version":"1"}}}');
  const [answer] = (await once(socket, 'message')) as [Buffer];
  expect(JSON.parse(answer.toString())).toMatchObject({ id: 1, result: { platformOs: expect.any(String) as string } });
  const status = JSON.parse((await run(['status', '--json'])).out) as { sessions: { agent: string; peer_id: string | null }[] };
  expect(status.sessions.map(({ agent, peer_id }) => [agent, peer_id])).toEqual([['demo', null]]);
  const closed = once(socket, 'close');
  listener.kill('SIGINT');
  expect(((await closed) as [number])[0]).toBe(1000);
  expect((await exited)[0]).toBe(0);
});

test('attach --stdio: an interrupt is exit code 130', async () => {
  const child = start(['attach', 'demo', '--stdio']);
  child.stdin.write('{"method":"initialize","id":1,"params":{"clientInfo":{"name":"t","version":"1"}}}\n');
  await said(child.stdout, '"id":1');
  child.kill('SIGINT');
  expect(((await once(child, 'close')) as [number])[0]).toBe(130);
});

test('rotate ends a running probe at once, and says why', async () => {
  const probe = start(['probe', '--agent', 'demo', 'slow 500']);
  const end = once(probe, 'close');
  const why = said(probe.stderr, 'hint');
  await said(probe.stdout, 'word2');
  const { out } = await run(['rotate']);
  expect(out).toContain('one session was ended');
  expect(((await end) as [number])[0]).toBe(4);
  expect(await why).toContain('the token was replaced');
});

test('logs: nobody reads to the end, and nobody minds', async () => {
  const child = start(['logs', '-f']);
  await said(child.stdout, 'daemon started');
  child.stdout.destroy();
  const rotated = run(['rotate']); // a new line for the log
  expect(((await once(child, 'close')) as [number])[0]).toBe(0);
  await rotated;
});

test('stop returns when the daemon has ended, and serve ends with 0', async () => {
  const exited = once(daemon, 'close');
  expect(await run(['stop'])).toEqual({ exitCode: 0, out: 'heddle has stopped.\n', err: '' });
  expect((await exited)[0]).toBe(0);
  expect((await run(['status'])).exitCode).toBe(3);
});

test('a killed daemon leaves nothing stuck; the next one ends in order on SIGTERM', async () => {
  const first = start(['serve']);
  await said(first.stdout, 'Ctrl-C stops heddle.');
  first.kill('SIGKILL');
  await once(first, 'close');
  const { exitCode, err } = await run(['stop']);
  expect(exitCode).toBe(3);
  expect(err).toContain('it did not end cleanly');
  const second = start(['serve']);
  await said(second.stdout, 'Ctrl-C stops heddle.');
  second.kill('SIGTERM');
  expect(((await once(second, 'close')) as [number])[0]).toBe(0);
});
