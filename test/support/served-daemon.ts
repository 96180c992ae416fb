// `heddle serve` as a process of its own, in a home of its own: for what can't be told apart inside of one process, such
// as what the daemon holds and how long its messages take.

import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dialHost, type HostConnection } from '@heddle/client/node';
import { callControl } from '@heddle/control/client';
import { type HostPaths, resolvePaths } from '@heddle/host';
import { generateKeyPair } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { freePort } from './echo-endpoint.ts';
import type { Weight } from './weigh-process.ts';

const heddle = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));
const weighing = new URL('./weigh-process.ts', import.meta.url).href;
/** Printed last. */
const SERVING = 'Ctrl-C stops heddle';

export interface ServedDaemon {
  pid: number;
  paths: HostPaths;
  /** As a device of its own, enrolled through the control socket as `heddle probe` is. */
  dial(): Promise<HostConnection>;
  /** What the daemon's process holds, without garbage. It stands still for a quarter of a second. */
  weigh(): Promise<Weight>;
  end(): Promise<void>;
}

/** @param options `toml`: what follows token and endpoint in host.toml; `env`: of the daemon and of what it starts. */
export async function startServedDaemon({ toml, env }: { toml: string; env: NodeJS.ProcessEnv }): Promise<ServedDaemon> {
  const home = mkdtempSync(join(tmpdir(), 'heddle-'));
  chmodSync(home, 0o700);
  const endpoint = `token = "${randomBytes(32).toString('hex')}"\n[endpoint]\nlisten = ["127.0.0.1"]\nport = ${await freePort()}\n`;
  writeFileSync(join(home, 'host.toml'), `${endpoint}${toml}`, { mode: 0o600 });
  const ownEnv = { ...env, HEDDLE_HOME: home };
  const paths = resolvePaths(ownEnv);
  const daemon = fork(heddle, ['serve'], {
    env: ownEnv,
    execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning', '--import', weighing],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  await isServing(daemon);
  return {
    pid: daemon.pid as number,
    paths,
    async dial() {
      const privateKey = await generateKeyPair('Ed25519');
      const device = { peer_id: peerIdFromPrivateKey(privateKey).toString(), name: 'test phone' };
      return dialHost((await callControl(paths.controlSocket, 'devices.enrol', device)).payload, { privateKey });
    },
    async weigh() {
      const answer = once(daemon, 'message') as Promise<[{ weight: Weight }]>;
      daemon.send('weigh');
      return (await answer)[0].weight;
    },
    async end() {
      const gone = once(daemon, 'exit');
      if (daemon.exitCode === null && daemon.signalCode === null) {
        await callControl(paths.controlSocket, 'stop', {});
        await gone;
      }
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function isServing(daemon: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = '';
    daemon.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (seen.length < 64 * 1024) seen += text;
      if (seen.includes(SERVING)) resolve();
    });
    daemon.once('exit', (code) => reject(new Error(`the daemon ended with ${code} before it served`)));
  });
}
