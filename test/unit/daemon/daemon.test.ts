import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { callControl } from '@heddle/control/client';
import { startDaemon } from '@heddle/daemon';
import { logFiles } from '@heddle/host';
import { JsonRpcPeer } from '@heddle/rpc';
import { afterEach, describe, expect, it } from 'vitest';
import { isAlive } from '../../support/process.ts';
import { startTestDaemon, type TestDaemon } from '../../support/test-daemon.ts';

const fakeCodex = join(import.meta.dirname, '../bridges/fixtures/fake-codex.ts');
const toEnd: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of toEnd.splice(0).toReversed()) await end();
});

async function start(toml = '', fake = 'missing'): Promise<TestDaemon> {
  const command = fake === 'missing' ? 'codex-that-is-not-there' : fakeCodex;
  const running = await startTestDaemon({
    toml: `${toml}\n[agents.codex]\ncommand = "${command}"\n[agents.claude]\nenabled = false\n[agents.opencode]\nenabled = false\n[agents.pi]\nenabled = false\n`,
    env: { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, HOME: '/nonexistent', FAKE_CODEX: fake },
  });
  toEnd.push(() => running.end());
  return running;
}
async function dial(running: TestDaemon) {
  const phone = await running.dial();
  toEnd.push(() => phone.close());
  return phone;
}
const edit = (running: TestDaemon, from: string | RegExp, to: string) => {
  const before = readFileSync(running.paths.configFile, 'utf8');
  const after = before.replace(from, to);
  expect(after).not.toBe(before);
  writeFileSync(running.paths.configFile, after);
};

describe('the list of agents', () => {
  it('has the demo when nothing else is available, and says why codex is not', async () => {
    const phone = await dial(await start());
    expect(await phone.listAgents()).toMatchObject([
      {
        name: 'codex',
        available: false,
        unavailable: { reason: expect.stringContaining('not installed'), fix: expect.stringContaining('npm install') },
      },
      { name: 'demo', available: true },
    ]);
  });

  it('has no demo when codex is there, unless host.toml asks for it', async () => {
    const names = async (running: TestDaemon) =>
      (await (await dial(running)).listAgents()).map(({ name, available }) => `${name} ${available}`);
    expect(await names(await start('', 'ok'))).toEqual(['codex true']);
    expect(await names(await start('[agents.demo]\nenabled = true', 'ok'))).toEqual(['codex true', 'demo true']);
    expect(await names(await start('[agents.demo]\nenabled = false'))).toEqual(['codex false']);
  });

  it('says which names there are, and which are switched off', async () => {
    const phone = await dial(await start('[agents.demo]\nenabled = false'));
    await expect(phone.openChannel('demo')).rejects.toMatchObject({
      code: 'agent_disabled',
      hint: expect.stringContaining('heddle reload'),
    });
    await expect(phone.openChannel('nobody')).rejects.toMatchObject({ code: 'unknown_agent', hint: 'Known here: codex.' });
    await expect(phone.openChannel('codex')).rejects.toMatchObject({
      code: 'agent_unavailable',
      hint: expect.stringContaining('npm install'),
    });
  });
});

describe('a running daemon', () => {
  it('lets a phone drive an agent, and knows of the session', async () => {
    const running = await start();
    const phone = await dial(running);
    const session = await phone.openAgent('demo', { clientInfo: { name: 'test', version: '1' } });
    const { thread } = await session.request('thread/start', {});
    expect((await session.request('thread/read', { threadId: thread.id })).thread.id).toBe(thread.id);
    const status = await callControl(running.paths.controlSocket, 'status', {});
    expect(status).toMatchObject({
      connections: 1,
      pid: process.pid,
      sessions: [{ agent: 'demo', peer_id: expect.stringMatching(/^12D3KooW/), attached: true }],
    });
    session.close();
    await session.closed;
    await expect.poll(async () => (await callControl(running.paths.controlSocket, 'status', {})).sessions).toEqual([]);
  });

  it('ends every session at once when the token is replaced; the old one opens nothing any more', async () => {
    const running = await start();
    const phone = await dial(running);
    const channel = await phone.openChannel('demo');
    const { payload, ended_sessions: ended } = await callControl(running.paths.controlSocket, 'rotate', {});
    expect(ended).toBe(1);
    expect(await channel.closed).toMatchObject({ code: 'token_rotated' });
    await expect(phone.listAgents()).rejects.toMatchObject({ code: 'unauthorized' });
    expect(payload.token).not.toBe(undefined);
    const again = await dial(running);
    expect(await again.listAgents()).toHaveLength(2);
  });

  it('takes over what it can from host.toml, says what needs a restart, and says it again', async () => {
    const running = await start();
    const phone = await dial(running);
    const channel = await phone.openChannel('demo');
    edit(running, /port = \d+/, 'port = 1\nhost_name = "loom"');
    edit(running, /$/, '[agents.demo]\nenabled = false\n');
    const reload = () => callControl(running.paths.controlSocket, 'reload', {});
    expect(await reload()).toEqual({
      applied: ['endpoint.host_name', 'agents.demo.enabled'],
      needs_restart: ['endpoint.port'],
      warnings: [],
    });
    expect(await reload()).toEqual({ applied: [], needs_restart: ['endpoint.port'], warnings: [] });
    const { payload } = await callControl(running.paths.controlSocket, 'pair', {});
    expect(payload.host_name).toBe('loom');
    expect(payload.addrs[0]).not.toContain('/tcp/1/');
    await expect(phone.openChannel('demo')).rejects.toMatchObject({ code: 'agent_disabled' });
    channel.close(); // what was open stayed open until here
    expect((await channel.closed).code).toBe('closed');
  });

  it('keeps its configuration when host.toml has become wrong', async () => {
    const running = await start();
    edit(running, 'port', 'prot');
    await expect(callControl(running.paths.controlSocket, 'reload', {})).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('prot'),
    });
    expect(await (await dial(running)).listAgents()).toHaveLength(2);
  });

  it('replaces the token through reload as well', async () => {
    const running = await start();
    const channel = await (await dial(running)).openChannel('demo');
    edit(running, /token = "\w+"/, `token = "${'0'.repeat(64)}"`);
    expect(await callControl(running.paths.controlSocket, 'reload', {})).toMatchObject({ applied: ['token'] });
    expect(await channel.closed).toMatchObject({ code: 'token_rotated' });
  });

  it('is the only one of its home', async () => {
    const running = await start();
    const second = startDaemon({ paths: running.paths, version: '2' });
    await expect(second).rejects.toMatchObject({ code: 'daemon_running', message: expect.stringContaining(String(process.pid)) });
    expect(await (await dial(running)).listAgents()).toHaveLength(2);
  });

  it('stops by the control socket: phones are told, and its home is free again', async () => {
    const running = await start();
    const channel = await (await dial(running)).openChannel('demo');
    await callControl(running.paths.controlSocket, 'stop', {});
    expect(await channel.closed).toMatchObject({ code: 'shutting_down' });
    await running.daemon.stopped;
    const next = await startDaemon({ paths: running.paths, version: '2' });
    toEnd.push(() => next.stop());
    expect(next.peerId).toBe(running.daemon.peerId);
    expect(next.pairPayload()).toEqual(running.daemon.pairPayload());
  });

  it('writes no token into its log', async () => {
    const running = await start();
    const phone = await dial(running);
    await phone.listAgents();
    const { token } = running.daemon.pairPayload();
    await callControl(running.paths.controlSocket, 'rotate', {});
    await running.daemon.stop();
    const written = (await logFiles(running.paths.logDir)).map((file) => readFileSync(file, 'utf8')).join('');
    expect(written).toContain('daemon started');
    expect(written).not.toContain(token);
    expect(written).not.toContain(running.daemon.pairPayload().token);
  });
});

describe('a daemon that was killed', () => {
  /** A daemon in a process of its own, in the home of one that has been stopped. */
  async function serve(running: TestDaemon): Promise<ChildProcess> {
    const cli = join(import.meta.dirname, '../../../packages/cli/src/main.ts');
    const env = { ...running.env, HOME: running.paths.stateDir };
    const daemon = spawn(process.execPath, [cli, 'serve', '--no-qr'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    toEnd.push(() => kill(daemon));
    for await (const chunk of daemon.stdout as AsyncIterable<Buffer>) if (chunk.toString().includes('peer id')) return daemon;
    throw new Error('the daemon ended');
  }
  async function kill(daemon: ChildProcess): Promise<void> {
    if (daemon.exitCode !== null || daemon.signalCode !== null) return;
    const gone = once(daemon, 'exit');
    daemon.kill('SIGKILL');
    await gone;
  }
  async function stop(daemon: ChildProcess): Promise<void> {
    const gone = once(daemon, 'exit');
    daemon.kill('SIGTERM');
    expect(await gone).toEqual([0, null]);
  }

  it('leaves nothing that keeps the next one from starting', async () => {
    const running = await start();
    await running.daemon.stop();
    await kill(await serve(running));
    const second = await serve(running);
    expect((await callControl(running.paths.controlSocket, 'status', {})).pid).toBe(second.pid);
    await stop(second);
  });

  it('leaves an agent, which the next one ends before it serves', async () => {
    const running = await start('', 'ok');
    await running.daemon.stop();
    const first = await serve(running);
    const phone = await dial(running);
    const { pid } = (await new JsonRpcPeer(await phone.openChannel('codex')).request('who')) as { pid: number };
    await kill(first);
    expect(isAlive(pid)).toBe(true);
    const second = await serve(running);
    expect(isAlive(pid)).toBe(false);
    await stop(second);
  });
});
