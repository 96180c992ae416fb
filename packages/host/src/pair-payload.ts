// Owns what this computer puts into the pair payload, and how much fits into a QR code.

import { encodePairPayload, HeddleError, PAIR_PAYLOAD_VERSION, type PairPayload } from '@heddle/wire';
import type { HostConfig } from './config.ts';
import type { HostIdentity } from './identity.ts';

const MAX_ADDRESSES = 4;
const MAX_HOST_NAME_BYTES = 40;
/**
 * What a version 14 code holds in byte mode at error correction L (ISO/IEC 18004, table 7). It is 73 modules wide;
 * version 16 no longer fits 80 columns with its border.
 */
const MAX_QR_BYTES = 458;

export interface PairPayloadSources {
  config: HostConfig;
  identity: HostIdentity;
  /** Multiaddrs to dial, best first. */
  addresses: readonly string[];
}

/**
 * What a phone needs to know to pair. Holds the token: a secret.
 * The worst addresses are left out where the QR code would not fit a terminal of 80 columns; the best one never is.
 * @throws HeddleError `unreachable` when there is no address at all.
 */
export function createPairPayload({ config, identity, addresses }: PairPayloadSources): PairPayload {
  const [best, ...others] = addresses;
  if (best === undefined) {
    throw new HeddleError('unreachable', 'this computer has no network address that a phone could dial', {
      hint: 'Connect it to a network, or look at "listen" and "announce" under [endpoint] in host.toml.',
    });
  }
  const payload: PairPayload = {
    v: PAIR_PAYLOAD_VERSION,
    peer_id: identity.peerId,
    token: config.token,
    host_name: shorten(config.endpoint.hostName, MAX_HOST_NAME_BYTES),
    addrs: [best],
  };
  for (const address of others.slice(0, MAX_ADDRESSES - 1)) {
    const longer = { ...payload, addrs: [...payload.addrs, address] };
    if (Buffer.byteLength(encodePairPayload(longer)) > MAX_QR_BYTES) break;
    payload.addrs = longer.addrs;
  }
  return payload;
}

/** Cuts at a character as people see it; 40 Latin letters are 40 bytes, other scripts get fewer. */
function shorten(name: string, maxBytes: number): string {
  let short = '';
  for (const { segment } of new Intl.Segmenter().segment(name)) {
    if (Buffer.byteLength(short + segment) > maxBytes) break;
    short += segment;
  }
  return short;
}
