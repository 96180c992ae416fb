// Owns who may connect, who may shake hands and who becomes a device. Pure policy: it is given the clock and the
// registry, and knows neither libp2p nor what a token looks like.

import { type DeviceScope, HeddleError } from '@heddle/wire';
import { RateLimiter } from './rate-limiter.ts';

/** The devices, as far as the gate needs them. */
export interface DeviceRegistry {
  /** Whether any device was ever paired with the token that is valid now. */
  hasBeenPaired(): boolean;
  find(peerId: string): { scope: DeviceScope; isRevoked: boolean } | undefined;
  /** Makes it a device; the old record of the same peer id is replaced. Resolves when that is saved. */
  enrol(peerId: string, name: string | undefined): Promise<unknown>;
  /** A handshake of a device was granted. */
  seen(peerId: string, address: string): void;
}

export interface GateOptions {
  devices: DeviceRegistry;
  /** Unix milliseconds. */
  nowMs?: () => number;
}

/** Who stands in front of the gate. The peer id is proven, the address is where the connection comes from. */
export interface Visitor {
  peerId: string;
  /** Multiaddr. */
  address: string;
}

/** While it is open, peers with the right token become devices. */
export interface PairingWindow {
  /** Unix milliseconds. */
  untilMs: number;
  /** How many more it takes. */
  devices: number;
}

/** A wrong code is typed, a stale one tried again; more than that is guessing. */
const FREE_FAILURES_OF_PEER = 5;
/** Many honest peers may share an address. */
const FREE_FAILURES_OF_ADDRESS = 20;

export class Gate {
  readonly #devices: DeviceRegistry;
  readonly #nowMs: () => number;
  readonly #peers: RateLimiter;
  readonly #addresses: RateLimiter;
  readonly #enrolling = new Map<string, Promise<unknown>>();
  #window: PairingWindow | undefined;

  constructor({ devices, nowMs = Date.now }: GateOptions) {
    this.#devices = devices;
    this.#nowMs = nowMs;
    this.#peers = new RateLimiter({ freeFailures: FREE_FAILURES_OF_PEER, nowMs });
    this.#addresses = new RateLimiter({ freeFailures: FREE_FAILURES_OF_ADDRESS, nowMs });
  }

  /** The window that is open now. */
  get window(): PairingWindow | undefined {
    if (this.#window !== undefined && this.#window.untilMs <= this.#nowMs()) this.#window = undefined;
    return this.#window === undefined ? undefined : { ...this.#window };
  }

  /**
   * Opens the window, or replaces the one that is open. Earlier failures are forgotten: a phone that tried before the
   * window was open is let in at once.
   */
  openWindow({ forMs, devices }: { forMs: number; devices: number }): PairingWindow {
    this.#window = { untilMs: this.#nowMs() + forMs, devices };
    this.#peers.forgetAll();
    this.#addresses.forgetAll();
    return { ...this.#window };
  }

  closeWindow(): void {
    this.#window = undefined;
  }

  /** Whether it is a device that was not revoked. */
  isDevice(peerId: string): boolean {
    return this.#devices.find(peerId)?.isRevoked === false;
  }

  /** What a peer may do in the sessions it has; the least for one that is no device any more. */
  scopeOf(peerId: string): DeviceScope {
    const device = this.#devices.find(peerId);
    return device === undefined || device.isRevoked ? 'watch' : device.scope;
  }

  /**
   * Whether a connection is kept. Once a device was paired, strangers get in only through an open window; a revoked
   * device gets in to be told so.
   */
  mayConnect(visitor: Visitor): boolean {
    if (this.isDevice(visitor.peerId)) return true;
    if (this.#pauseOf(visitor) > 0) return false;
    const isKnown = this.#devices.find(visitor.peerId) !== undefined;
    return isKnown || this.window !== undefined || !this.#devices.hasBeenPaired();
  }

  /**
   * Asked before a token is compared.
   * @throws HeddleError `too_many_requests`
   */
  assertMayTry(visitor: Visitor): void {
    const pauseMs = this.#pauseOf(visitor);
    if (pauseMs === 0) return;
    throw new HeddleError('too_many_requests', 'too many handshakes of this device or address have failed', {
      hint: `Try again in ${Math.ceil(pauseMs / 1000)} s, or open a new pairing window: \`heddle pair\` on the computer.`,
    });
  }

  /**
   * A peer has shown the right token: it is a device, or becomes one if the window is open.
   * @throws HeddleError `device_revoked`, `pairing_closed`; the registry's error when a new device can't be saved.
   */
  async admit(visitor: Visitor, name?: string): Promise<void> {
    const { peerId } = visitor;
    if (!this.isDevice(peerId)) await this.#enrol(peerId, name);
    this.#peers.forget(peerId);
    this.#devices.seen(peerId, visitor.address);
  }

  /** A handshake was refused. A device's failures are its own; they don't count against others at its address. */
  failed(visitor: Visitor): void {
    this.#peers.failed(visitor.peerId);
    if (!this.isDevice(visitor.peerId)) this.#addresses.failed(addressKey(visitor.address));
  }

  async #enrol(peerId: string, name: string | undefined): Promise<void> {
    const underWay = this.#enrolling.get(peerId); // a phone may open several streams at once
    if (underWay !== undefined) return void (await underWay);
    const window = this.#window;
    if (window === undefined || this.window === undefined) throw this.#refusalOf(peerId);
    // The place is taken before anything is waited for: two that come at once can't both have the last one.
    window.devices -= 1;
    if (window.devices === 0) this.#window = undefined;
    const enrolling = this.#devices.enrol(peerId, name);
    this.#enrolling.set(peerId, enrolling);
    try {
      await enrolling;
    } catch (error) {
      window.devices += 1;
      if (window.devices === 1 && this.#window === undefined) this.#window = window;
      throw error;
    } finally {
      this.#enrolling.delete(peerId);
    }
  }

  #refusalOf(peerId: string): HeddleError {
    if (this.#devices.find(peerId)?.isRevoked === true) {
      return new HeddleError('device_revoked', 'this device was removed from that computer', {
        hint: 'Run `heddle pair` there and pair again.',
      });
    }
    return new HeddleError('pairing_closed', 'that computer takes no new devices at the moment', {
      hint: 'Run `heddle pair` there, then pair again.',
    });
  }

  #pauseOf({ peerId, address }: Visitor): number {
    const ofPeer = this.#peers.pauseOf(peerId);
    return this.isDevice(peerId) ? ofPeer : Math.max(ofPeer, this.#addresses.pauseOf(addressKey(address)));
  }
}

/** From a connection's two facts; the address without the peer id at its end. */
export function visitorOf(peer: { toString(): string }, address: { toString(): string }): Visitor {
  const peerId = peer.toString();
  const suffix = `/p2p/${peerId}`;
  const text = address.toString();
  return { peerId, address: text.endsWith(suffix) ? text.slice(0, -suffix.length) : text };
}

/** One network is one address: an IPv4 address, or the 64 bits of IPv6 that a single customer has. */
export function addressKey(address: string): string {
  const [, kind, host] = address.split('/');
  if (kind === 'ip6' && host !== undefined && !host.toLowerCase().startsWith('::ffff:')) return `${network64(host)}/64`;
  return kind === 'ip4' || kind === 'ip6' ? (host ?? address).replace(/^::ffff:/i, '') : address;
}

function network64(ip6: string): string {
  const [head = '', tail] = (ip6.split('%')[0] ?? '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  const groups = [...left, ...zeros, ...right].slice(0, 4);
  return groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':');
}
