import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadIdentity } from '../../../packages/host/src/index.ts';

let dir: string;
let keyFile: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heddle-test-'));
  keyFile = join(dir, 'state', 'host.key');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe('loadIdentity', () => {
  it('makes a key once and keeps it', async () => {
    const identity = await loadIdentity(keyFile);
    expect(identity.seed).toHaveLength(32);
    expect(identity.peerId).toMatch(/^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/);
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
    expect((await stat(join(dir, 'state'))).mode & 0o777).toBe(0o700);
    expect(await readFile(keyFile, 'utf8')).toBe(`${Buffer.from(identity.seed).toString('hex')}\n`);
    expect(await readdir(join(dir, 'state'))).toEqual(['host.key']);
    expect(await loadIdentity(keyFile)).toEqual(identity);
  });

  it('has one key when it is asked many times at once', async () => {
    const identities = await Promise.all(Array.from({ length: 20 }, () => loadIdentity(keyFile)));
    expect(new Set(identities.map(({ peerId }) => peerId)).size).toBe(1);
  });

  it('computes the PeerId that libp2p computes', async () => {
    for (let n = 0; n < 20; n += 1) {
      const { seed, peerId } = await loadIdentity(join(dir, `key-${n}`));
      expect(peerId).toBe(peerIdFromPrivateKey(await generateKeyPairFromSeed('Ed25519', seed)).toString());
    }
  });

  it('has a fixed PeerId for a fixed seed', async () => {
    const file = join(dir, 'fixed');
    await writeFile(file, `${'0'.repeat(64)}\n`, { mode: 0o600 });
    expect((await loadIdentity(file)).peerId).toBe('12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN');
  });

  it.each(['', 'abc', `${'0'.repeat(63)}\n`, `${'0'.repeat(63)}g`, '0'.repeat(128)])('never overwrites a broken file: %j', async (text) => {
    const file = join(dir, 'broken');
    await writeFile(file, text, { mode: 0o600 });
    const error = await loadIdentity(file).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'state_unreadable',
      message: `${file} must hold 64 hex digits, but holds something else (${text.length} characters)`,
      hint: expect.stringContaining('every phone has to pair again'),
    });
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  it('refuses a key that others can open', async () => {
    const { peerId } = await loadIdentity(keyFile);
    await chmod(keyFile, 0o640);
    await expect(loadIdentity(keyFile)).rejects.toMatchObject({
      code: 'state_unreadable',
      message: `${keyFile} is a private key, but other users can open it (mode 0640)`,
    });
    await chmod(keyFile, 0o400);
    expect((await loadIdentity(keyFile)).peerId).toBe(peerId);
  });

  it('says what is in the way', async () => {
    await expect(loadIdentity(dir)).rejects.toMatchObject({ code: 'state_unreadable' });
    await writeFile(join(dir, 'file'), '');
    await expect(loadIdentity(join(dir, 'file', 'host.key'))).rejects.toThrow('ENOTDIR');
  });
});
