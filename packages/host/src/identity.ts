// Owns host.key: the Ed25519 seed that this computer's PeerId comes from. It never overwrites one.

import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { asError, HeddleError } from '@heddle/wire';
import { base58btc } from 'multiformats/bases/base58';
import { octal } from './private-dir.ts';
import { createPrivateFile } from './private-file.ts';

export interface HostIdentity {
  /** 32 bytes. A secret. */
  seed: Uint8Array;
  /** base58btc, `12D3KooW…` */
  peerId: string;
}

const SEED_BYTES = 32;
const RESTORE_HINT =
  'Restore it from a backup. If there is none, delete it: a new one is made at the next start, and every phone has to pair again.';

/**
 * Reads the identity of this computer; a missing one is made (0600).
 * @throws HeddleError `state_unreadable` when the file is broken, or open to other users; it is left as it is.
 */
export async function loadIdentity(keyFile: string): Promise<HostIdentity> {
  try {
    const text = (await readKey(keyFile)) ?? (await createKey(keyFile));
    if (!/^[0-9a-f]{64}$/i.test(text.trim())) {
      throw new HeddleError(
        'state_unreadable',
        `${keyFile} must hold 64 hex digits, but holds something else (${text.length} characters)`,
        {
          hint: RESTORE_HINT,
        },
      );
    }
    const seed = new Uint8Array(Buffer.from(text.trim(), 'hex'));
    return { seed, peerId: peerIdOf(seed) };
  } catch (caught) {
    if (caught instanceof HeddleError) throw caught;
    const cause = asError(caught);
    throw new HeddleError('state_unreadable', `can't read or make ${keyFile}: ${cause.message}`, {
      cause,
      hint: 'It must be a file that belongs to you, with mode 0600.',
    });
  }
}

/** @returns undefined when there is no such file */
async function readKey(keyFile: string): Promise<string | undefined> {
  let handle;
  try {
    handle = await open(keyFile, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { mode } = await handle.stat();
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      // Unlike a token, a key that somebody has copied can't be replaced without new pairing: the user must know.
      throw new HeddleError('state_unreadable', `${keyFile} is a private key, but other users can open it (${octal(mode)})`, {
        hint: `Run: chmod 600 '${keyFile}'. If somebody may have copied it, delete it instead; every phone has to pair again.`,
      });
    }
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

async function createKey(keyFile: string): Promise<string> {
  const text = `${randomBytes(SEED_BYTES).toString('hex')}\n`;
  if (await createPrivateFile(keyFile, text)) return text;
  return (await readKey(keyFile)) ?? ''; // another process was first
}

/** DER before the seed in a PKCS #8 Ed25519 key (RFC 8410, section 7). */
const PKCS8_ED25519_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
/** Identity multihash (0x00) of 36 bytes: protobuf `{Type: Ed25519 (1), Data: 32 bytes}` (libp2p specs, peer-ids.md). */
const PEER_ID_PREFIX = Buffer.from('0024080112', 'hex');

function peerIdOf(seed: Uint8Array): string {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_ED25519_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  const { x } = createPublicKey(key).export({ format: 'jwk' });
  if (x === undefined) throw new Error('an Ed25519 key has no public part');
  const publicKey = Buffer.from(x, 'base64url');
  return base58btc.baseEncode(Buffer.concat([PEER_ID_PREFIX, Buffer.of(publicKey.byteLength), publicKey]));
}
