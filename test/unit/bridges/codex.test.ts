import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Bridge } from '@heddle/bridge-kit';
import { createCodexBridge } from '../../../packages/bridges/src/codex/bridge.ts';
import { type Channel, JsonRpcPeer, silentLog } from '@heddle/rpc';
import { WebSocketServer } from 'ws';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAlive } from '../../support/process.ts';

const fake = join(import.meta.dirname, 'fixtures/fake-codex.ts');
let folder: string;
let bridges: Bridge[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-codex-'));
  bridges = [];
});
afterEach(async () => {
  await Promise.all(bridges.map((bridge) => bridge.close()));
  rmSync(folder, { recursive: true, force: true });
});

function codex(kind: string, options: { command?: string; server?: string } = {}): Bridge {
  const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, CODEX_HOME: folder, FAKE_CODEX: kind };
  const context = { log: silentLog, launchEnv: () => Promise.resolve(env), runtimeDir: folder, stateDir: folder, heddleVersion: '1.2.3' };
  const bridge = createCodexBridge(context, { command: fake, ...options });
  bridges.push(bridge);
  return bridge;
}

async function pidBehind(channel: Channel): Promise<number> {
  const { pid } = (await new JsonRpcPeer(channel).request('who')) as { pid: number };
  return pid;
}

describe('a codex that can not be used', () => {
  it.each([
    ['missing', { command: 'codex-that-is-not-there' }, /not installed.*codex-that-is-not-there/, /npm install -g @openai\/codex/],
    ['old', {}, /0\.99\.1 is too old/, /Update/],
  ])('is said to be %s, in the list and at connect', async (kind, options, reason, fix) => {
    const bridge = codex(kind, options);
    const availability = await bridge.probe();
    expect(availability).toMatchObject({ isAvailable: false, reason: expect.stringMatching(reason), fix: expect.stringMatching(fix) });
    await expect(bridge.open()).rejects.toMatchObject({
      code: 'agent_unavailable',
      message: expect.stringMatching(reason),
      hint: expect.stringMatching(fix),
    });
  });

  it('is said to be broken in its own words, and is tried again once repaired', async () => {
    const command = join(folder, 'codex');
    const install = (kind: string) => {
      writeFileSync(command, `#!/bin/sh\nFAKE_CODEX=${kind} exec "${process.execPath}" "${fake}" "$@"\n`);
      chmodSync(command, 0o755);
    };
    install('broken');
    const bridge = codex('unused', { command });
    await expect(bridge.open()).rejects.toMatchObject({
      code: 'agent_unavailable',
      message: expect.stringContaining('Error: config.toml:3: unknown field `modle`'),
    });
    expect(await bridge.probe()).toMatchObject({
      isAvailable: false,
      reason: expect.stringContaining('config.toml:3'),
      fix: expect.stringContaining('heddle logs'),
    });
    install('ok');
    expect(await bridge.probe()).toMatchObject({ isAvailable: true, version: '0.99.1' });
    (await bridge.open()).close();
  });
});

describe('the app-server of our own', () => {
  it('is shared by all sessions, and ends with the bridge', async () => {
    const bridge = codex('ok');
    const [first, second] = await Promise.all([bridge.open(), bridge.open()]);
    const pid = await pidBehind(first);
    expect(await pidBehind(second)).toBe(pid);
    first.close();
    expect(isAlive(pid)).toBe(true);
    await bridge.close();
    expect(isAlive(pid)).toBe(false);
    expect(await second.closed).toMatchObject({ code: 'agent_exited' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is started again after a crash; sessions learn of it', async () => {
    const bridge = codex('ok');
    const channel = await bridge.open();
    const peer = new JsonRpcPeer(channel);
    await expect(peer.request('die')).rejects.toMatchObject({ code: 'agent_exited', hint: expect.stringContaining('Connect again') });
    expect(await channel.closed).toMatchObject({ code: 'agent_exited' });
    const again = await bridge.open();
    expect(await pidBehind(again)).toBeGreaterThan(0);
  });

  it('ends with restart, and not before the next open is there again', async () => {
    const bridge = codex('ok');
    const channel = await bridge.open();
    const pid = await pidBehind(channel);
    await bridge.restart();
    expect(isAlive(pid)).toBe(false);
    expect(await channel.closed).toMatchObject({ code: 'agent_exited' });
    expect(await pidBehind(await bridge.open())).not.toBe(pid);
  });

  it('is noted with its socket, for the daemon that finds it when this one was killed', async () => {
    const pid = await pidBehind(await codex('ok').open());
    const [note = ''] = readdirSync(folder).filter((name) => name.startsWith('child-'));
    const [socket] = readdirSync(folder).filter((name) => name.endsWith('.sock'));
    expect(JSON.parse(readFileSync(join(folder, note), 'utf8'))).toMatchObject({ pid, files: [socket] });
  });
});

describe('an app-server that runs already', () => {
  it('is used when it answers, and is not ended with us', async () => {
    const socketPath = join(folder, 'existing.sock');
    const server = createServer().listen(socketPath);
    const webSockets = new WebSocketServer({ server });
    webSockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
    const bridge = codex('ok', { command: 'codex-that-is-not-there', server: socketPath });
    expect(await bridge.probe()).toMatchObject({ isAvailable: true });
    const channel = await bridge.open();
    await bridge.close();
    await expect.poll(() => webSockets.clients.size).toBe(1); // the probe's own has left
    channel.close();
    await new Promise((resolve) => server.close(resolve).closeAllConnections());
  });
});

describe('a codex without a socket', () => {
  it('gets an app-server of its own for each session, ended with it', async () => {
    const bridge = codex('stdio-only');
    const [first, second] = [await bridge.open(), await bridge.open()];
    const [firstPid, secondPid] = [await pidBehind(first), await pidBehind(second)];
    expect(firstPid).not.toBe(secondPid);
    first.close();
    await expect.poll(() => isAlive(firstPid)).toBe(false);
    process.kill(secondPid, 'SIGKILL');
    expect(await second.closed).toMatchObject({ code: 'agent_exited' });
  });
});
