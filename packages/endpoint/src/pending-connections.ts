// Owns the places of connections that have not finished their key exchange. It refuses no newcomer: when there is no
// place left, the oldest gives way, since an honest dialer is done within some hundred milliseconds.

import type { MultiaddrConnection } from '@libp2p/interface';
import { addressKey } from './gate.ts';

export interface PendingLimits {
  maxPending: number;
  /** Generous: phones behind one NAT share an address, and so does everything on loopback. */
  maxPendingPerAddress: number;
}

/** Connections under way, by remote address. */
export class PendingConnections {
  readonly #limits: PendingLimits;
  /** The oldest first, in each set. */
  readonly #byAddress = new Map<string, Set<MultiaddrConnection>>();
  #count = 0;

  constructor(limits: PendingLimits) {
    this.#limits = limits;
  }

  /** Gives a place, taking it from another connection when there is none; returns what gives the place back. */
  enter(connection: MultiaddrConnection): () => void {
    const address = networkOf(connection);
    if ((this.#byAddress.get(address)?.size ?? 0) >= this.#limits.maxPendingPerAddress) this.#evictFrom(address);
    else if (this.#count >= this.#limits.maxPending) this.#evictFrom(this.#mostCrowdedAddress());
    const peers = this.#byAddress.get(address) ?? new Set();
    this.#byAddress.set(address, peers.add(connection));
    this.#count++;
    return () => this.#leave(address, connection);
  }

  #leave(address: string, connection: MultiaddrConnection): void {
    const peers = this.#byAddress.get(address);
    if (peers?.delete(connection) !== true) return;
    this.#count--;
    if (peers.size === 0) this.#byAddress.delete(address);
  }

  #evictFrom(address: string): void {
    const [oldest] = this.#byAddress.get(address) ?? [];
    if (oldest === undefined) return;
    this.#leave(address, oldest);
    oldest.abort(new Error('too many connections are under way'));
  }

  /** Of many addresses, the one that takes most gives way: a phone alone at its own is the last to. */
  #mostCrowdedAddress(): string {
    let crowded = '';
    let most = 0;
    for (const [address, { size }] of this.#byAddress) if (size > most) [crowded, most] = [address, size];
    return crowded;
  }
}

/** Without the port, and without the zone of a link-local address: one place for all that one network sends. */
function networkOf(connection: MultiaddrConnection): string {
  const ip = connection.remoteAddr.getComponents().find(({ name }) => name === 'ip4' || name === 'ip6');
  return ip === undefined ? '' : addressKey(`/${ip.name}/${ip.value}`);
}
