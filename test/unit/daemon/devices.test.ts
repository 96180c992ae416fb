// Pairing, revoking and guessing, as phones and strangers do it: over libp2p, against a whole daemon.

import { generateKeyPair } from '@libp2p/crypto/keys';
import type { PrivateKey } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { dialHost, type HostConnection } from '@heddle/client/node';
import { callControl } from '@heddle/control/client';
import type { ControlParams, QuestionOp } from '@heddle/control/protocol';
import type { HeddleError, PairPayload } from '@heddle/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTestDaemon, type TestDaemon } from '../../support/test-daemon.ts';

let running: TestDaemon;
const toEnd: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  running = await startTestDaemon({
    toml: '[agents.codex]\nenabled = false\n[agents.claude]\nenabled = false\n[agents.opencode]\nenabled = false\n[agents.pi]\nenabled = false\n',
  });
  toEnd.push(() => running.end());
});
afterEach(async () => {
  for (const end of toEnd.splice(0).toReversed()) await end();
});

const ask = <Op extends QuestionOp>(op: Op, params: ControlParams<Op>) => callControl(running.paths.controlSocket, op, params);
const newKey = () => generateKeyPair('Ed25519');
const idOf = (key: PrivateKey) => peerIdFromPrivateKey(key).toString();

async function connect(payload: PairPayload, privateKey: PrivateKey): Promise<HostConnection> {
  const phone = await dialHost(payload, { privateKey });
  toEnd.push(() => phone.close());
  return phone;
}
/** What became of a handshake on a connection of its own: `in`, or the code of the refusal. */
async function attempt(payload: PairPayload, privateKey: PrivateKey): Promise<string> {
  try {
    await (await connect(payload, privateKey)).listAgents();
    return 'in';
  } catch (error) {
    return (error as HeddleError).code;
  }
}
/** A stranger is cut off at the gate; when it notices is up to the library. */
const cutOff = expect.stringMatching(/^(unreachable|connection_lost)$/) as string;
const clientInfo = { name: 'test', version: '1' };

describe('a device that says its name', () => {
  it('is called by it', async () => {
    const { payload } = await ask('pair', {});
    const phone = await dialHost(payload, { deviceName: "Ada's phone" });
    toEnd.push(() => phone.close());
    await phone.listAgents();
    expect((await ask('devices', {})).devices).toMatchObject([{ name: "Ada's phone" }]);
  });
});

describe('a new device', () => {
  it('is enrolled by the first good handshake in the window, and is a device from then on', async () => {
    const { payload, window } = await ask('pair', {});
    expect(window.devices).toBe(1);
    expect(window.until_ms - Date.now()).toBeGreaterThan(9.9 * 60_000);
    expect(window.until_ms - Date.now()).toBeLessThanOrEqual(10 * 60_000);
    const key = await newKey();
    expect(await attempt(payload, key)).toBe('in');
    const { devices, window: after } = await ask('devices', {});
    expect(devices).toMatchObject([
      {
        peer_id: idOf(key),
        name: `device ${idOf(key).slice(-6)}`,
        scope: 'drive',
        connected: true,
        agents: [],
        last_address: expect.stringMatching(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+$/) as string,
        revoked_at_ms: null,
      },
    ]);
    expect(after).toBeNull();
    expect(await attempt(payload, key)).toBe('in');
  });

  it('is refused outside the window with the right token: told so before there is any device, cut off at the gate after', async () => {
    const payload = running.daemon.pairPayload();
    expect(await attempt(payload, await newKey())).toBe('pairing_closed');
    await running.dial().then((phone) => toEnd.push(() => phone.close())); // a program of this computer is not a first device
    expect(await attempt(payload, await newKey())).toBe('pairing_closed');
    await ask('pair', {});
    expect(await attempt(payload, await newKey())).toBe('in');
    expect(await attempt(payload, await newKey())).toEqual(cutOff);
    expect((await ask('devices', {})).devices).toHaveLength(2);
  });

  it('with a photographed QR comes too late when the first device has paired, also on a connection that it had before', async () => {
    const { payload } = await ask('pair', {});
    const early = await connect(payload, await newKey());
    expect(await attempt(payload, await newKey())).toBe('in');
    await expect(early.listAgents()).rejects.toMatchObject({
      code: 'pairing_closed',
      hint: expect.stringContaining('heddle pair') as string,
    });
    expect(await attempt(payload, await newKey())).toEqual(cutOff);
    expect((await ask('devices', {})).devices).toHaveLength(1);
  });

  it('pairs while a window for several is open', async () => {
    const { payload } = await ask('pair', { minutes: 1, devices: 3 });
    for (let n = 0; n < 3; n++) expect(await attempt(payload, await newKey())).toBe('in');
    expect(await attempt(payload, await newKey())).toEqual(cutOff);
  });

  it('needs the right token in the window as well', async () => {
    const { payload } = await ask('pair', {});
    expect(await attempt({ ...payload, token: 'f'.repeat(64) }, await newKey())).toBe('unauthorized');
    expect((await ask('devices', {})).window).toMatchObject({ devices: 1 });
  });

  it('survives a restart of the daemon, without a window', async () => {
    const { payload } = await ask('pair', {});
    const key = await newKey();
    expect(await attempt(payload, key)).toBe('in');
    await running.daemon.stop();
    const { startDaemon } = await import('@heddle/daemon');
    const next = await startDaemon({ paths: running.paths, version: '2' });
    toEnd.push(() => next.stop());
    expect(next.deviceCount()).toBe(1);
    expect(next.openFirstPairing()).toBeUndefined();
    expect(await attempt(payload, key)).toBe('in');
    expect(await attempt(payload, await newKey())).toEqual(cutOff);
  });
});

describe('a revoked device', () => {
  it('loses its live streams within a second, is told why, and is refused with the right token', async () => {
    const { payload } = await ask('pair', { devices: 2 });
    const [lostKey, otherKey] = [await newKey(), await newKey()];
    const [lost, other] = [await connect(payload, lostKey), await connect(payload, otherKey)];
    const [gone, stays] = [await lost.openAgent('demo', { clientInfo }), await other.openAgent('demo', { clientInfo })];
    expect((await ask('devices', {})).devices.map(({ agents }) => agents)).toEqual([['demo'], ['demo']]);

    const startedMs = performance.now();
    expect(await ask('devices.revoke', { id: idOf(lostKey).slice(-8) })).toMatchObject({ peer_id: idOf(lostKey), ended_sessions: 1 });
    expect((await gone.closed).code).toBe('device_revoked');
    await expect.poll(async () => (await ask('status', {})).connections).toBe(1);
    expect(performance.now() - startedMs).toBeLessThan(1_000);

    expect(await attempt(payload, lostKey)).toBe('device_revoked');
    expect((await stays.request('thread/list', {})).data).toEqual([]);
    expect((await ask('devices', {})).devices).toMatchObject([
      { connected: expect.any(Boolean) as boolean, agents: [] },
      { agents: ['demo'] },
    ]);
  });

  it('that pairs again in a window replaces its old record', async () => {
    const { payload } = await ask('pair', {});
    const key = await newKey();
    expect(await attempt(payload, key)).toBe('in');
    await ask('devices.rename', { id: idOf(key), name: 'phone' });
    await ask('devices.scope', { id: 'phone', scope: 'watch' });
    await ask('devices.revoke', { id: 'phone' });
    await ask('pair', {});
    expect(await attempt(payload, key)).toBe('in');
    expect((await ask('devices', {})).devices).toMatchObject([{ peer_id: idOf(key), scope: 'drive', revoked_at_ms: null }]);
  });
});

describe('rotate', () => {
  it('cuts every stream within a second, forgets all devices and opens no window', async () => {
    const { payload } = await ask('pair', {});
    const key = await newKey();
    const session = await (await connect(payload, key)).openAgent('demo', { clientInfo });
    await ask('pair', {}); // a window for those who have seen the old code
    const startedMs = performance.now();
    const { payload: next } = await ask('rotate', {});
    expect((await session.closed).code).toBe('token_rotated');
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    expect(await ask('devices', {})).toEqual({ devices: [], window: null });
    expect(await attempt(payload, key)).toBe('unauthorized');
    expect(await attempt(next, key)).toBe('pairing_closed');
    await ask('pair', {});
    expect(await attempt(next, key)).toBe('in');
  });
});

describe('a device that may only watch', () => {
  it('follows what another one drives, its answer to an approval does not count, and it restarts nothing', async () => {
    const { payload } = await ask('pair', { devices: 2 });
    const [driverKey, watcherKey] = [await newKey(), await newKey()];
    const [drivingPhone, watchingPhone] = [await connect(payload, driverKey), await connect(payload, watcherKey)];
    const driver = await drivingPhone.openAgent('demo', { clientInfo });
    const watcher = await watchingPhone.openAgent('demo', { clientInfo });
    await ask('devices.scope', { id: idOf(watcherKey), scope: 'watch' }); // holds in the session that is open

    await expect(watcher.request('thread/start', {})).rejects.toMatchObject({
      code: -32600,
      message: expect.stringContaining('watch') as string,
    });
    const { thread } = await driver.request('thread/start', {});
    await watcher.request('thread/resume', { threadId: thread.id });
    const { turn } = await driver.request('turn/start', { threadId: thread.id, input: [{ type: 'text', text: 'command: echo hi' }] });
    const asked = async (session: typeof driver) => {
      for await (const event of session.events()) if (event.kind === 'request') return event;
      throw new Error('the session ended');
    };
    const [atDriver, atWatcher] = await Promise.all([asked(driver), asked(watcher)]);
    atWatcher.reply({ decision: 'accept' } as never);
    await expect(watcher.request('turn/interrupt', { threadId: thread.id, turnId: turn.id })).rejects.toMatchObject({ code: -32600 });
    atDriver.reply({ decision: 'decline' } as never);
    const ended = (async () => {
      for await (const event of watcher.events())
        if (event.kind === 'notification' && event.method === 'turn/completed') return event.params.turn.status;
      return 'the session ended';
    })();
    expect(await ended).toBe('completed');
    const { thread: read } = await watcher.request('thread/read', { threadId: thread.id, includeTurns: true });
    expect(JSON.stringify(read)).toContain('"declined"');

    await expect(watchingPhone.restartAgent('demo')).rejects.toMatchObject({ code: 'forbidden' });
    await ask('devices.scope', { id: idOf(watcherKey), scope: 'drive' });
    expect((await watcher.request('thread/start', {})).thread.id).toBeDefined();
  });
});
