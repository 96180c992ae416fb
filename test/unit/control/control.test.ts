import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeFrame, FrameReader, type Log, readJsonFrame, silentLog } from '@heddle/rpc';
import { HeddleError } from '@heddle/wire';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { attachThroughControl, callControl } from '../../../packages/control/src/client.ts';
import { type ControlHandlers, type ControlServer, startControlServer } from '../../../packages/control/src/server.ts';
import { controlOps, type Permission } from '../../../packages/control/src/protocol.ts';
import { socketDuplex } from '../../../packages/control/src/socket-duplex.ts';
import { exampleStatus, examplePayload, exampleWindowEndMs, fakeHandlers } from './fixtures/handlers.ts';

let folder: string;
let socketPath: string;
let server: ControlServer | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heddle-control-'));
  socketPath = join(folder, 'control.sock');
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

async function serve(overrides: Partial<ControlHandlers> = {}, options: { permission?: Permission; log?: Log } = {}) {
  server = await startControlServer({ socketPath, version: '1.2.3', handlers: fakeHandlers({}, overrides), log: silentLog, ...options });
}

/** Sends bytes as they are and reads one answer. */
async function sendRaw(bytes: Uint8Array): Promise<unknown> {
  const socket = connect({ path: socketPath, allowHalfOpen: true });
  const duplex = socketDuplex(socket);
  socket.write(bytes);
  try {
    return await readJsonFrame(new FrameReader(duplex.source), duplex, { maxBytes: 65_536, timeoutMs: 5_000 });
  } finally {
    socket.destroy();
  }
}
const frame = (value: unknown) => encodeFrame(new TextEncoder().encode(JSON.stringify(value)));

test('the table of operations: names and permissions', () => {
  expect(Object.fromEntries(Object.entries(controlOps).map(([op, { permission }]) => [op, permission]))).toEqual({
    status: 'read',
    agents: 'read',
    pair: 'admin',
    devices: 'read',
    'devices.rename': 'admin',
    'devices.scope': 'admin',
    'devices.revoke': 'admin',
    'devices.enrol': 'admin',
    rotate: 'admin',
    reload: 'admin',
    stop: 'admin',
    attach: 'admin',
  });
});

test('every question is answered, with the version of the daemon beside', async () => {
  await serve();
  const versions: string[] = [];
  const onVersion = (version: string) => versions.push(version);
  expect(await callControl(socketPath, 'status', {}, { onVersion })).toEqual(exampleStatus);
  expect(await callControl(socketPath, 'pair', {}, { onVersion })).toEqual({
    payload: examplePayload,
    window: { until_ms: exampleWindowEndMs, devices: 1 },
  });
  expect(await callControl(socketPath, 'rotate', {})).toEqual({
    payload: { ...examplePayload, token: 'cd'.repeat(32) },
    ended_sessions: 2,
  });
  expect(await callControl(socketPath, 'reload', {})).toEqual({ applied: ['agents.echo'], needs_restart: ['endpoint.port'], warnings: [] });
  expect((await callControl(socketPath, 'agents', {})).agents.map(({ name }) => name)).toEqual(['echo']);
  expect(versions).toEqual(['1.2.3', '1.2.3']);
});

test('the answer on the wire is what the protocol says, byte for byte', async () => {
  await serve();
  expect(await sendRaw(frame({ v: 1, op: 'reload' }))).toEqual({
    v: 1,
    version: '1.2.3',
    ok: true,
    data: { applied: ['agents.echo'], needs_restart: ['endpoint.port'], warnings: [] },
  });
  expect(await sendRaw(frame({ v: 1, op: 'attach', agent: 'nobody' }))).toEqual({
    v: 1,
    version: '1.2.3',
    ok: false,
    error: { code: 'unknown_agent', message: 'there is no agent "nobody"', hint: 'There is: echo.' },
  });
});

test.each([
  ['another version', frame({ v: 2, op: 'status' }), 'unsupported_version'],
  ['an operation that does not exist', frame({ v: 1, op: 'explode' }), 'bad_request'],
  ['a name from the prototype', frame({ v: 1, op: 'toString' }), 'bad_request'],
  ['no operation', frame({ v: 1 }), 'bad_request'],
  ['a missing parameter', frame({ v: 1, op: 'attach' }), 'bad_request'],
  ['what is no JSON', encodeFrame(new TextEncoder().encode('{')), 'bad_request'],
  ['a frame over 8 KiB', frame({ v: 1, op: 'status', padding: 'x'.repeat(9_000) }), 'message_too_large'],
])('%s is refused', async (_, bytes, code) => {
  await serve();
  expect(await sendRaw(bytes)).toMatchObject({ v: 1, version: '1.2.3', ok: false, error: { code } });
});

test('a failure that is no HeddleError is logged, and its text stays here', async () => {
  const logged: unknown[] = [];
  const log: Log = { ...silentLog, error: (message, fields) => logged.push({ message, fields }) };
  const failure = new Error('secret detail');
  await serve({ status: () => Promise.reject(failure) }, { log });
  await expect(callControl(socketPath, 'status', {})).rejects.toMatchObject({ code: 'internal', message: 'the daemon failed to answer' });
  expect(logged).toEqual([{ message: 'a control request failed', fields: { op: 'status', error: failure } }]);
});

test('a socket that gives only "read" refuses the rest', async () => {
  await serve({}, { permission: 'read' });
  expect(await callControl(socketPath, 'status', {})).toEqual(exampleStatus);
  await expect(callControl(socketPath, 'pair', {})).rejects.toMatchObject({ code: 'unauthorized' });
  await expect(attachThroughControl(socketPath, 'echo')).rejects.toMatchObject({ code: 'unauthorized' });
});

test('no daemon: said so, with what to do', async () => {
  await expect(callControl(socketPath, 'status', {})).rejects.toMatchObject({
    code: 'daemon_not_running',
    message: 'the heddle daemon is not running',
    hint: 'Start it with `heddle serve`.',
  });
});

test('something that is no daemon is recognised', async () => {
  const stranger = createServer((socket) => socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await new Promise<void>((resolve) => stranger.listen(socketPath, resolve));
  await expect(callControl(socketPath, 'status', {})).rejects.toMatchObject({ code: 'connection_lost' });
  await new Promise((resolve) => stranger.close(resolve));
});

test('an aborted call ends with the reason of the signal', async () => {
  await serve({ agents: () => new Promise(() => {}) });
  const reason = new Error('enough');
  const controller = new AbortController();
  const call = callControl(socketPath, 'agents', {}, { signal: controller.signal });
  controller.abort(reason);
  await expect(call).rejects.toBe(reason);
});

test('attach carries messages both ways, large ones too', async () => {
  await serve();
  const channel = await attachThroughControl(socketPath, 'echo');
  const large = new Uint8Array(3_000_000).fill(7);
  void channel.send(new TextEncoder().encode('{"id":1}')).then(() => channel.send(large));
  const received: Uint8Array[] = [];
  for await (const message of channel.incoming) {
    received.push(message);
    if (received.length === 2) channel.close();
  }
  expect(new TextDecoder().decode(received[0])).toBe('{"id":1}');
  expect(Buffer.compare(received[1] as Uint8Array, large)).toBe(0);
});

test('the end of an agent reaches the attached program with its reason', async () => {
  const { promise: opened, resolve } = Promise.withResolvers<{ kill: () => void }>();
  await serve({
    attach: async () => {
      const { memoryChannelPair } = await import('@heddle/rpc');
      const [ours, agent] = memoryChannelPair();
      resolve({ kill: () => agent.close({ code: 'agent_exited', message: 'echo ended with code 3', hint: 'Look at its log.' }) });
      return ours;
    },
  });
  const channel = await attachThroughControl(socketPath, 'echo');
  (await opened).kill();
  expect(await channel.closed).toEqual({ code: 'agent_exited', message: 'echo ended with code 3', hint: 'Look at its log.' });
});

test('close ends attached sessions with `shutting_down`, and `stop` returns only then', async () => {
  let isStopped = false;
  await serve({
    stop: () => {
      void server?.close().then(() => (isStopped = true));
      return {};
    },
  });
  const channel = await attachThroughControl(socketPath, 'echo');
  await callControl(socketPath, 'stop', {});
  expect(isStopped).toBe(true);
  expect(await channel.closed).toMatchObject({ code: 'shutting_down' });
  await expect(callControl(socketPath, 'status', {})).rejects.toMatchObject({ code: 'daemon_not_running' });
});

test('the 65th connection is told why it is refused', async () => {
  await serve();
  const idle: Socket[] = [];
  for (let n = 0; n < 64; n++) {
    idle.push(
      await new Promise<Socket>((resolve) => {
        const socket = connect(socketPath, () => resolve(socket));
      }),
    );
  }
  const refused = await callControl(socketPath, 'status', {}).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(HeddleError);
  expect(refused).toMatchObject({ code: 'too_many_requests' });
  for (const socket of idle) socket.destroy();
});

test('a caller that says nothing is dropped after five seconds', async () => {
  await serve();
  const startedMs = performance.now();
  await new Promise<void>((resolve) =>
    connect(socketPath)
      .resume()
      .on('close', () => resolve()),
  );
  expect(performance.now() - startedMs).toBeGreaterThan(4_900);
  expect(performance.now() - startedMs).toBeLessThan(8_000);
});
