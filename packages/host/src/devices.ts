// Owns the registry of devices: who is paired, under what name, with what scope, seen when and where. It decides
// nothing about who may pair; that is the endpoint's gate. One process at a time may have it: the daemon.

import { createHash } from 'node:crypto';
import { cleanDeviceName, type DeviceScope, HeddleError, MAX_DEVICE_NAME_LENGTH } from '@heddle/wire';
import { type DeviceRecord, readDevicesFile, writeDevicesFile } from './devices-file.ts';

export interface DevicesOptions {
  /** `devices.json`; made when the first device is enrolled. */
  file: string;
  /** The token that is valid now. Devices that were paired with another one are forgotten. */
  token: string;
  /** Unix milliseconds. */
  nowMs?: () => number;
  /** Told when something could not be saved that nobody waits for. */
  onError?: (error: unknown) => void;
}

/** How long a new "last seen" may wait before it is saved; a crash loses no more than that. */
const SAVE_SEEN_AFTER_MS = 30_000;
/** Fewer letters of a peer id would hit the wrong device too easily. */
const MIN_ENDING_LENGTH = 4;

/**
 * Reads the registry.
 * @throws HeddleError `state_unreadable` when the file is broken; it is left as it is.
 */
export async function loadDevices(options: DevicesOptions): Promise<Devices> {
  const content = await readDevicesFile(options.file);
  const isOurs = content?.token_sha256 === fingerprint(options.token);
  return new Devices(options, isOurs ? content.devices : []);
}

/** The devices of this computer. Changes resolve when they are on disk; of several, each sees the one before. */
export class Devices {
  readonly #options: DevicesOptions;
  readonly #nowMs: () => number;
  #tokenHash: string;
  #records: ReadonlyMap<string, DeviceRecord>;
  /** Newer than what the records say. */
  readonly #seen = new Map<string, { last_seen_ms: number; last_address: string }>();
  /** Refused already; on disk soon, unless that fails. */
  readonly #beingRevoked = new Set<string>();
  #seenTimer: NodeJS.Timeout | undefined;
  #lastChange: Promise<unknown> = Promise.resolve();

  constructor(options: DevicesOptions, records: readonly DeviceRecord[]) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now;
    this.#tokenHash = fingerprint(options.token);
    this.#records = new Map(records.map((record) => [record.peer_id, record]));
  }

  /** All of them, revoked ones too, in the order in which they were paired. */
  list(): DeviceRecord[] {
    return [...this.#records.values()].map((record) => this.#withSeen(record)).toSorted((a, b) => a.paired_at_ms - b.paired_at_ms);
  }

  /** Whether any device was ever paired with this token, revoked ones included; programs of this computer don't count. */
  hasBeenPaired(): boolean {
    return [...this.#records.values()].some((record) => !record.is_local);
  }

  find(peerId: string): { scope: DeviceScope; isRevoked: boolean } | undefined {
    const record = this.#records.get(peerId);
    if (record === undefined) return undefined;
    return { scope: record.scope, isRevoked: record.revoked_at_ms !== null || this.#beingRevoked.has(peerId) };
  }

  /** Enrols a device with full rights; an old record of the same peer id is replaced. A name that is taken gets a number. */
  enrol(peerId: string, name: string | undefined, { isLocal = false } = {}): Promise<DeviceRecord> {
    return this.#change(() => {
      const others = [...this.#records.values()].filter((other) => other.peer_id !== peerId);
      const wanted = name === undefined ? '' : cleanDeviceName(name).slice(0, MAX_DEVICE_NAME_LENGTH);
      const nowMs = this.#nowMs();
      this.#seen.delete(peerId);
      this.#beingRevoked.delete(peerId);
      return {
        peer_id: peerId,
        name: freeName(wanted === '' ? `device ${peerId.slice(-6)}` : wanted, others),
        scope: 'drive',
        is_local: isLocal,
        paired_at_ms: nowMs,
        last_seen_ms: null,
        last_address: null,
        revoked_at_ms: null,
      };
    });
  }

  /**
   * @param id a peer id, its last four or more letters, or a name
   * @throws HeddleError `unknown_device`; `bad_request` when the name is empty, too long or taken.
   */
  rename(id: string, name: string): Promise<DeviceRecord> {
    return this.#change(() => {
      const record = this.resolve(id);
      const cleaned = cleanDeviceName(name);
      if (cleaned === '' || cleaned.length > MAX_DEVICE_NAME_LENGTH) {
        throw new HeddleError('bad_request', `the name of a device has 1 to ${MAX_DEVICE_NAME_LENGTH} characters`);
      }
      const taken = [...this.#records.values()].some((other) => other.name === cleaned && other.peer_id !== record.peer_id);
      if (taken) throw new HeddleError('bad_request', `another device is called "${cleaned}" already`);
      return { ...record, name: cleaned };
    });
  }

  /** @throws HeddleError `unknown_device` */
  setScope(id: string, scope: DeviceScope): Promise<DeviceRecord> {
    return this.#change(() => ({ ...this.resolve(id), scope }));
  }

  /**
   * The device is refused from the moment of this call, even when that can't be saved.
   * @throws HeddleError `unknown_device`; `state_unreadable` when it would be let in again after a restart.
   */
  async revoke(id: string): Promise<DeviceRecord> {
    const { peer_id: peerId } = this.resolve(id);
    this.#beingRevoked.add(peerId);
    const record = await this.#change(() => {
      const known = this.resolve(peerId);
      return { ...known, revoked_at_ms: known.revoked_at_ms ?? this.#nowMs() };
    });
    this.#beingRevoked.delete(peerId);
    return record;
  }

  /** A handshake of a device was granted. Saved later: it happens often and is worth little. */
  seen(peerId: string, address: string): void {
    if (!this.#records.has(peerId)) return;
    this.#seen.set(peerId, { last_seen_ms: this.#nowMs(), last_address: address });
    this.#seenTimer ??= setTimeout(() => {
      this.#saveSeen().catch((error: unknown) => this.#options.onError?.(error));
    }, SAVE_SEEN_AFTER_MS).unref();
  }

  /** Another token holds from now on: no device is known any more, from the moment of this call. */
  async forgetAll(newToken: string): Promise<void> {
    this.#tokenHash = fingerprint(newToken);
    this.#records = new Map();
    this.#seen.clear();
    this.#beingRevoked.clear();
    await this.#serially(() => {
      // Once more: a device that was being enrolled meanwhile came with the old token.
      this.#records = new Map();
      return this.#save(this.#records);
    });
  }

  /** Saves what is not saved yet. */
  async close(): Promise<void> {
    await this.#lastChange.catch(() => {}); // told to its caller
    if (this.#seenTimer !== undefined) await this.#saveSeen();
  }

  /**
   * @param id a peer id, its last four or more letters, or a name
   * @throws HeddleError `unknown_device` when none or several fit.
   */
  resolve(id: string): DeviceRecord {
    const all = this.list();
    const exact = all.find((record) => record.peer_id === id) ?? all.find((record) => record.name === id);
    if (exact !== undefined) return exact;
    const ending = id.length < MIN_ENDING_LENGTH ? [] : all.filter((record) => record.peer_id.endsWith(id));
    const [only] = ending;
    if (only !== undefined && ending.length === 1) return only;
    throw new HeddleError('unknown_device', ending.length > 1 ? `"${id}" fits several devices` : `there is no device "${id}"`, {
      hint: '`heddle devices list` shows them: a name, a peer id or its last letters.',
    });
  }

  #change(next: () => DeviceRecord): Promise<DeviceRecord> {
    return this.#serially(async () => {
      const record = next();
      await this.#save(new Map(this.#records).set(record.peer_id, record));
      this.#records = new Map(this.#records).set(record.peer_id, record);
      return record;
    });
  }

  #serially<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#lastChange.then(run, run);
    this.#lastChange = result.catch(() => {}); // told to its caller
    return result;
  }

  async #saveSeen(): Promise<void> {
    clearTimeout(this.#seenTimer);
    this.#seenTimer = undefined;
    await this.#serially(() => this.#save(this.#records));
  }

  #save(records: ReadonlyMap<string, DeviceRecord>): Promise<void> {
    const devices = [...records.values()].map((record) => this.#withSeen(record));
    return writeDevicesFile(this.#options.file, { v: 1, token_sha256: this.#tokenHash, devices });
  }

  #withSeen(record: DeviceRecord): DeviceRecord {
    return { ...record, ...this.#seen.get(record.peer_id) };
  }
}

function fingerprint(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function freeName(wanted: string, others: readonly DeviceRecord[]): string {
  const taken = new Set(others.map(({ name }) => name));
  let name = wanted;
  for (let n = 2; taken.has(name); n++) name = `${wanted.slice(0, MAX_DEVICE_NAME_LENGTH - 4 - String(n).length)} (${n})`;
  return name;
}
