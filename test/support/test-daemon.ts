// A whole daemon in this process, in a home of its own, as a phone and the command line meet it.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { generateKeyPair } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { dialHost, type HostConnection } from '@heddle/client/node';
import { callControl } from '@heddle/control/client';
import { type Daemon, startDaemon } from '@heddle/daemon';
import { type HostPaths, resolvePaths } from '@heddle/host';
import { freePort } from './echo-endpoint.ts';

export interface TestDaemon {
  daemon: Daemon;
  paths: HostPaths;
  /** For commands that should meet this daemon. */
  env: NodeJS.ProcessEnv;
  /**
   * As a device of its own, enrolled through the control socket as `heddle probe` is.
   * @param addrs other multiaddrs than those of the pair payload, such as a proxy's
   */
  dial(addrs?: string[]): Promise<HostConnection>;
  end(): Promise<void>;
}

/** @param options `toml`: what follows token and endpoint in host.toml; `env`: what agents are started with. */
export async function startTestDaemon(options: { toml?: string; env?: NodeJS.ProcessEnv } = {}): Promise<TestDaemon> {
  const home = mkdtempSync(join(tmpdir(), 'heddle-'));
  chmodSync(home, 0o700);
  const token = randomBytes(32).toString('hex');
  const endpoint = `token = "${token}"\n[endpoint]\nlisten = ["127.0.0.1"]\nport = ${await freePort()}\n`;
  writeFileSync(join(home, 'host.toml'), `${endpoint}${options.toml ?? ''}`, { mode: 0o600 });
  const env = { ...(options.env ?? process.env), HEDDLE_HOME: home };
  const paths = resolvePaths(env);
  const daemon = await startDaemon({ paths, version: '0.0.0-test', env });
  return {
    daemon,
    paths,
    env,
    async dial(addrs) {
      const privateKey = await generateKeyPair('Ed25519');
      const device = { peer_id: peerIdFromPrivateKey(privateKey).toString(), name: 'test phone' };
      const { payload } = await callControl(paths.controlSocket, 'devices.enrol', device);
      return dialHost({ ...payload, ...(addrs === undefined ? {} : { addrs }) }, { privateKey });
    },
    async end() {
      await daemon.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
