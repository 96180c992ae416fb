import { once } from 'node:events';
import { get } from 'node:http';
import { PassThrough } from 'node:stream';
import { type Channel, type CloseReason, memoryChannelPair } from '@heddle/rpc';
import { HeddleError } from '@heddle/wire';
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { attachStdio } from '../../../packages/cli/src/attach/attach-stdio.ts';
import { parseListenAddress } from '../../../packages/cli/src/attach/listen-address.ts';
import { startWebSocketListener, type WebSocketListener } from '../../../packages/cli/src/attach/websocket-listener.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const string = (message: Uint8Array) => new TextDecoder().decode(message);

/** An agent's end that hands over each message it gets. */
function agent(onMessage: (text: string, channel: Channel) => void): Channel {
  const [ours, theirs] = memoryChannelPair();
  void (async () => {
    for await (const message of theirs.incoming) onMessage(string(message), theirs);
  })();
  return ours;
}
function stdio() {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  const out: Buffer[] = [];
  stdout.on('data', (chunk: Buffer) => out.push(chunk));
  return { stdin, stdout, out: () => Buffer.concat(out).toString() };
}

test('stdio: what was asked before stdin ended is still answered', async () => {
  const io = stdio();
  const channel = agent((text, end) => {
    const { id } = JSON.parse(text) as { id?: number };
    setTimeout(() => void end.send(bytes(JSON.stringify({ id, result: { ok: true } }))), 50);
  });
  io.stdin.end('{"id":1,"method":"a"}\n\n{"id":"1","method":"b"}'); // the last line has no end
  expect(await attachStdio(channel, io)).toMatchObject({ code: 'closed' });
  expect(io.out()).toBe('{"id":1,"result":{"ok":true}}\n{"id":"1","result":{"ok":true}}\n');
});

test('stdio: the end of stdin ends the session at once when nothing is open', async () => {
  const io = stdio();
  const ended = attachStdio(
    agent(() => {}),
    io,
  );
  const startedMs = performance.now();
  io.stdin.end('{"method":"initialized"}\n{"id":3,"result":{}}\n');
  expect(await ended).toMatchObject({ code: 'closed' });
  expect(performance.now() - startedMs).toBeLessThan(1_000);
});

test('stdio: an agent that never answers does not keep the session', async () => {
  const io = stdio();
  io.stdin.end('{"id":1,"method":"a"}\n');
  expect(
    await attachStdio(
      agent(() => {}),
      io,
    ),
  ).toMatchObject({ code: 'closed' });
});

test('stdio: the last words of an agent come before its end, and the reason is given back', async () => {
  const io = stdio();
  const reason: CloseReason = { code: 'agent_exited', message: 'gone' };
  const channel = agent((_text, end) => {
    void end.send(bytes('{"method":"last"}'));
    end.close(reason);
  });
  io.stdin.write('{"id":1,"method":"a"}\n');
  expect(await attachStdio(channel, io)).toEqual(reason);
  expect(io.out()).toBe('{"method":"last"}\n');
});

test('stdio: characters cut by chunks arrive whole, and pretty-printed JSON becomes one line', async () => {
  const io = stdio();
  const got: string[] = [];
  const channel = agent((text, end) => {
    got.push(text);
    void end.send(bytes('{\n  "id": 1,\n  "result": "ü"\n}'));
  });
  const line = Buffer.from('{"id":1,"method":"ü"}\n');
  io.stdin.write(line.subarray(0, 18));
  io.stdin.end(line.subarray(18));
  await attachStdio(channel, io);
  expect(got).toEqual(['{"id":1,"method":"ü"}']);
  expect(io.out().split('\n')).toHaveLength(2);
  expect(JSON.parse(io.out())).toEqual({ id: 1, result: 'ü' });
});

test('stdio: a reader that has gone ends the session', async () => {
  const io = stdio();
  io.stdout.on('error', () => {});
  const channel = agent((_text, end) => void end.send(bytes('{"id":1,"result":1}')));
  io.stdout.destroy();
  io.stdin.write('{"id":1,"method":"a"}\n');
  expect(await attachStdio(channel, io)).toMatchObject({ code: 'closed' });
});

test.each([
  ['ws://127.0.0.1:4500', { host: '127.0.0.1', port: 4500 }],
  ['ws://127.0.0.1:80/', { host: '127.0.0.1', port: 80 }],
  ['ws://localhost:0', { host: '127.0.0.1', port: 0 }],
  ['ws://[::1]:4500', { host: '::1', port: 4500 }],
  ['ws://127.9.9.9:1', { host: '127.9.9.9', port: 1 }],
])('%s may be listened on', (text, address) => {
  expect(parseListenAddress(text)).toEqual(address);
});

test.each([
  ['ws://0.0.0.0:4500', 'is not an address of this computer alone'],
  ['ws://192.168.1.5:4500', 'is not an address of this computer alone'],
  ['ws://[::]:4500', 'is not an address of this computer alone'],
  ['ws://127.0.0.1.example.org:4500', 'is not an address of this computer alone'],
  ['ws://127.0.0.1', 'has no port'],
  ['ws://127.0.0.1:70000', 'has no port'],
  ['wss://127.0.0.1:4500', 'is not an address of the form'],
  ['http://127.0.0.1:4500', 'is not an address of the form'],
  ['ws://user@127.0.0.1:4500', 'is not an address of the form'],
  ['ws://127.0.0.1:4500/path', 'is not an address of the form'],
  ['4500', 'is not an address of the form'],
])('%s may not: it %s', (text, why) => {
  expect(() => parseListenAddress(text)).toThrow(why);
});

let listener: WebSocketListener | undefined;
afterEach(async () => {
  await listener?.close();
  listener = undefined;
});
const events: string[] = [];
async function listenWith(openSession: () => Promise<Channel>): Promise<WebSocketListener> {
  events.length = 0;
  listener = await startWebSocketListener({
    host: '127.0.0.1',
    port: 0,
    openSession,
    onSessionOpened: () => events.push('opened'),
    onSessionEnded: ({ code }) => events.push(code),
    onSessionRefused: ({ message }) => events.push(message),
  });
  return listener;
}
const echo = async () => agent((text, end) => void end.send(bytes(`${text}!`)));
const status = (url: string, headers: Record<string, string> = {}) =>
  new Promise<number | undefined>((resolve, reject) => {
    get(url, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject);
  });

test('listen: health answers, and nothing for web pages', async () => {
  const { url } = await listenWith(echo);
  const base = url.replace('ws:', 'http:');
  expect(await status(`${base}/readyz`)).toBe(200);
  expect(await status(`${base}/healthz`)).toBe(200);
  expect(await status(`${base}/`)).toBe(400);
  expect(await status(`${base}/readyz`, { origin: 'https://evil.example' })).toBe(403);
  const socket = new WebSocket(url, { origin: 'https://evil.example' });
  const [error] = (await once(socket, 'error')) as [Error];
  expect(error.message).toBe('Unexpected server response: 403');
  expect(events).toEqual([]);
});

test('listen: each connection is a session, a message a text frame', async () => {
  const { url } = await listenWith(echo);
  const [first, second] = [new WebSocket(url), new WebSocket(url)];
  await Promise.all([once(first, 'open'), once(second, 'open')]);
  first.send('{"id":1}');
  second.send('{"id":2}');
  const [[one, isBinary], [two]] = await Promise.all([once(first, 'message'), once(second, 'message')]);
  expect([String(one), String(two), isBinary]).toEqual(['{"id":1}!', '{"id":2}!', false]);
  first.close();
  await once(first, 'close');
  expect(second.readyState).toBe(WebSocket.OPEN);
  second.terminate();
});

test('listen: a message over 16 MiB ends the connection with 1009', async () => {
  const { url } = await listenWith(echo);
  const socket = new WebSocket(url);
  await once(socket, 'open');
  socket.send('x'.repeat(16 * 1024 * 1024 + 1));
  socket.on('error', () => {});
  const [code] = (await once(socket, 'close')) as [number];
  expect(code).toBe(1009);
});

test('listen: an agent that is not there is told in the answer, and the next program may try again', async () => {
  let isThere = false;
  const { url } = await listenWith(async () => {
    if (isThere) return echo();
    throw new HeddleError('agent_unavailable', 'codex is not installed', { hint: 'Install it.' });
  });
  const refused = new WebSocket(url);
  refused.on('error', () => {});
  const [, response] = (await once(refused, 'unexpected-response')) as [unknown, NodeJS.ReadableStream & { statusCode: number }];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  expect([response.statusCode, body]).toEqual([503, 'codex is not installed\nInstall it.\n']);
  isThere = true;
  const socket = new WebSocket(url);
  await once(socket, 'open');
  socket.terminate();
});

test('listen: the end of a session closes the connection with its reason', async () => {
  const { url } = await listenWith(async () => agent((_text, end) => end.close({ code: 'agent_exited', message: 'codex has ended' })));
  const socket = new WebSocket(url);
  await once(socket, 'open');
  socket.send('{}');
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
  expect([code, reason.toString()]).toEqual([1011, 'codex has ended']);
  expect(events).toEqual(['opened', 'agent_exited']);
});

test('listen: a port that is taken is named', async () => {
  const { url } = await listenWith(echo);
  const port = Number(new URL(url).port);
  await expect(
    startWebSocketListener({
      host: '127.0.0.1',
      port,
      openSession: echo,
      onSessionOpened: () => {},
      onSessionEnded: () => {},
      onSessionRefused: () => {},
    }),
  ).rejects.toMatchObject({ code: 'port_in_use', message: `port ${port} is in use already` });
});
