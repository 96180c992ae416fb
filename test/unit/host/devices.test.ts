import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Devices, loadDevices } from '@heddle/host';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const token = 'ab'.repeat(32);
const phone = '12D3KooWGRUqbmzs5vMgnpbpp2rPEuYbFmTMvcA1YWqPcGFnGTxe';
const tablet = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5';
let dir: string;
let file: string;
let nowMs: number;
let devices: Devices;
const load = (withToken = token) => loadDevices({ file, token: withToken, nowMs: () => nowMs });
const onDisk = () => JSON.parse(readFileSync(file, 'utf8')) as { devices: Record<string, unknown>[] };

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'heddle-devices-'));
  file = join(dir, 'devices.json');
  nowMs = 1_000;
  devices = await load();
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('the registry', () => {
  it('is empty and makes no file before there is a device', () => {
    expect([devices.list(), devices.hasBeenPaired(), existsSync(file)]).toEqual([[], false, false]);
  });

  it('keeps a device over a restart, in a file that is for its owner alone', async () => {
    await devices.enrol(phone, "Ada's phone");
    const { mode } = statSync(file);
    expect(mode & 0o777).toBe(0o600);
    expect(readdirSync(dir)).toEqual(['devices.json']);
    const again = await load();
    expect(again.list()).toEqual([
      {
        peer_id: phone,
        name: "Ada's phone",
        scope: 'drive',
        is_local: false,
        paired_at_ms: 1_000,
        last_seen_ms: null,
        last_address: null,
        revoked_at_ms: null,
      },
    ]);
    expect(again.find(phone)).toEqual({ scope: 'drive', isRevoked: false });
  });

  it('gives a name to a device that says none, and no name twice', async () => {
    expect((await devices.enrol(phone, undefined)).name).toBe(`device ${phone.slice(-6)}`);
    expect((await devices.enrol(tablet, 'x\u0007\u202E')).name).toBe('x');
    expect((await devices.enrol(`${phone}2`, 'x')).name).toBe('x (2)');
    expect((await devices.enrol(`${phone}3`, ' \n')).name).toMatch(/^device /);
  });

  it('lets a program of this computer be a device, which does not count as the first that was paired', async () => {
    await devices.enrol(phone, 'heddle probe', { isLocal: true });
    expect([devices.find(phone)?.isRevoked, devices.hasBeenPaired()]).toEqual([false, false]);
    await devices.enrol(tablet, 'tablet');
    expect(devices.hasBeenPaired()).toBe(true);
  });

  it('finds a device by its name, its peer id or the last letters of that', async () => {
    await devices.enrol(phone, 'phone');
    await devices.enrol(tablet, 'tablet');
    for (const id of ['phone', phone, phone.slice(-4)]) expect(devices.resolve(id).peer_id).toBe(phone);
    for (const id of ['', 'e', phone.slice(-3), 'nobody']) {
      expect(() => devices.resolve(id)).toThrowError(expect.objectContaining({ code: 'unknown_device' }));
    }
  });

  it('renames, but not to nothing and not to what another one is called', async () => {
    await devices.enrol(phone, 'phone');
    await devices.enrol(tablet, 'tablet');
    expect((await devices.rename('phone', ' Ada ')).name).toBe('Ada');
    for (const name of ['', ' ', 'tablet', 'x'.repeat(65)]) {
      await expect(devices.rename('Ada', name)).rejects.toMatchObject({ code: 'bad_request' });
    }
    expect((await load()).list().map(({ name }) => name)).toEqual(['Ada', 'tablet']);
  });

  it('refuses a revoked device from the moment of the call; one that is paired again has a new record', async () => {
    await devices.enrol(phone, 'phone');
    await devices.setScope('phone', 'watch');
    nowMs = 2_000;
    const revoking = devices.revoke('phone');
    expect(devices.find(phone)).toEqual({ scope: 'watch', isRevoked: true });
    await revoking;
    expect((await load()).find(phone)).toEqual({ scope: 'watch', isRevoked: true });
    nowMs = 3_000;
    await devices.enrol(phone, 'new phone');
    expect(devices.list()).toMatchObject([{ peer_id: phone, name: 'new phone', scope: 'drive', paired_at_ms: 3_000, revoked_at_ms: null }]);
  });

  it('refuses a revoked device even when that can not be saved, and says so', async () => {
    await devices.enrol(phone, 'phone');
    rmSync(dir, { recursive: true });
    writeFileSync(dir, 'no folder');
    await expect(devices.revoke('phone')).rejects.toMatchObject({ code: 'state_unreadable' });
    expect(devices.find(phone)?.isRevoked).toBe(true);
  });

  it('does not take a device that can not be saved', async () => {
    rmSync(dir, { recursive: true });
    writeFileSync(dir, 'no folder');
    await expect(devices.enrol(phone, 'phone')).rejects.toMatchObject({ code: 'state_unreadable' });
    expect(devices.find(phone)).toBeUndefined();
  });

  it('saves changes that come at once, each on top of the one before', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, n) => devices.enrol(`${phone}${n}`, `device ${n}`)));
    await Promise.all(Array.from({ length: 20 }, (_, n) => devices.setScope(`device ${n}`, n % 2 === 0 ? 'watch' : 'drive')));
    expect((await load()).list()).toHaveLength(20);
    expect((await load()).list().filter(({ scope }) => scope === 'watch')).toHaveLength(10);
  });

  it('knows when and where a device was seen; that is on disk at the latest when it is closed', async () => {
    await devices.enrol(phone, 'phone');
    nowMs = 5_000;
    devices.seen(phone, '/ip4/192.168.1.7/tcp/5000');
    devices.seen('nobody', '/ip4/192.168.1.8/tcp/5000');
    expect(devices.list()).toMatchObject([{ last_seen_ms: 5_000, last_address: '/ip4/192.168.1.7/tcp/5000' }]);
    expect(onDisk().devices).toMatchObject([{ last_seen_ms: null }]);
    await devices.close();
    expect(onDisk().devices).toMatchObject([{ last_seen_ms: 5_000 }]);
  });

  it('forgets all devices with another token, one that is being enrolled too, and over a restart', async () => {
    await devices.enrol(phone, 'phone');
    const enrolling = devices.enrol(tablet, 'tablet');
    const forgetting = devices.forgetAll('cd'.repeat(32));
    expect(devices.hasBeenPaired()).toBe(false);
    await Promise.all([enrolling, forgetting]);
    expect([devices.list(), onDisk().devices]).toEqual([[], []]);
  });

  it('forgets devices whose token was replaced while nobody was looking', async () => {
    await devices.enrol(phone, 'phone');
    expect((await load('cd'.repeat(32))).list()).toEqual([]);
    expect((await load()).list()).toHaveLength(1);
    expect(readFileSync(file, 'utf8')).not.toContain(token);
  });
});

describe('devices.json', () => {
  const good = { v: 1, token_sha256: '0'.repeat(64), devices: [] };
  it.each([
    ['cut off', '{"v":1'],
    ['empty', ''],
    ['of another version', JSON.stringify({ ...good, v: 2 })],
    ['with a member that is not known', JSON.stringify({ ...good, more: 1 })],
    ['with a device that lacks a name', JSON.stringify({ ...good, devices: [{ peer_id: phone }] })],
  ])('that is %s is reported and left as it is', async (_, text) => {
    writeFileSync(file, text, { mode: 0o600 });
    await expect(load()).rejects.toMatchObject({ code: 'state_unreadable', message: expect.stringContaining(file) });
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('that others can open is refused', async () => {
    await devices.enrol(phone, 'phone');
    chmodSync(file, 0o660);
    await expect(load()).rejects.toMatchObject({ code: 'state_unreadable', hint: expect.stringContaining('chmod 600') });
  });
});
