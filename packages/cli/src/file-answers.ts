// Owns what the files alone can tell while no daemon runs. It asks nobody and starts nothing.

import { access } from 'node:fs/promises';
import { createPairPayload, type HostPaths, loadConfig, loadIdentity, reachableAddresses } from '@heddle/host';
import type { PairPayload } from '@heddle/wire';

export interface FileStatus {
  /** `null`: there is no identity yet. */
  peerId: string | null;
  /** `null`: there is no configuration yet. */
  port: number | null;
  hostName: string | null;
  addrs: string[];
  warnings: readonly string[];
}

/**
 * Reads what is there and makes nothing that is not.
 * @throws HeddleError `config_invalid`, `state_unreadable`
 */
export async function readFileStatus(paths: HostPaths): Promise<FileStatus> {
  const identity = (await exists(paths.keyFile)) ? await loadIdentity(paths.keyFile) : undefined;
  const config = (await exists(paths.configFile)) ? await loadConfig(paths.configFile) : undefined;
  return {
    peerId: identity?.peerId ?? null,
    port: config?.endpoint.port ?? null,
    hostName: config?.endpoint.hostName ?? null,
    addrs: config === undefined ? [] : reachableAddresses(config.endpoint),
    warnings: config?.warnings ?? [],
  };
}

/**
 * The pair payload that the daemon will accept once it runs. Missing files are made: they are what it will use.
 * @throws HeddleError `config_invalid`, `state_unreadable`, `unreachable`
 */
export async function readPairPayload(paths: HostPaths): Promise<PairPayload> {
  const config = await loadConfig(paths.configFile);
  const identity = await loadIdentity(paths.keyFile);
  return createPairPayload({ config, identity, addresses: reachableAddresses(config.endpoint) });
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
