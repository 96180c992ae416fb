// Owns how a Node program keeps being the same device: its key from a seed that it has saved.

import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import type { PrivateKey } from '@libp2p/interface';

/** The key of the device whose Ed25519 seed (32 bytes, a secret) this is; for `dialHost`'s `privateKey`. */
export function deviceKeyFromSeed(seed: Uint8Array): Promise<PrivateKey> {
  return generateKeyPairFromSeed('Ed25519', seed);
}
