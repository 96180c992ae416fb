// Owns the `opencode serve` that heddle starts: one process on a loopback port of its own with a password of its own,
// from spawn until nothing of it is left. It is ready when it has answered with its version.

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { type ChildProcess, explainExit, fieldsOf, startChildProcess, textOf } from '@heddle/bridge-kit';
import type { Log } from '@heddle/rpc';
import { asError, HeddleError } from '@heddle/wire';
import { OpencodeApi } from './api.ts';

const START_TIMEOUT_MS = 30_000;
/** Of its first line, which says where it listens. */
const MAX_LINE_BYTES = 64 * 1024;

export interface OwnServerOptions {
  command: string;
  env: NodeJS.ProcessEnv;
  /** JSON, see configuration.ts. */
  configuration: string;
  runtimeDir: string;
  log: Log;
}

export interface OwnServer {
  readonly api: OpencodeApi;
  readonly version: string;
  /** Why it is gone. Never rejects. */
  readonly ended: Promise<HeddleError>;
  /** Resolves when nothing of it is left. */
  stop(): Promise<void>;
}

/** @throws HeddleError `agent_unavailable` with what opencode itself said. */
export async function startOwnServer(options: OwnServerOptions): Promise<OwnServer> {
  const { command, configuration, runtimeDir, log } = options;
  const password = randomBytes(32).toString('base64url');
  const port = await freePort();
  const child = await startChildProcess({
    command,
    args: ['serve', '--hostname', '127.0.0.1', '--port', String(port)],
    env: {
      ...options.env,
      OPENCODE_SERVER_USERNAME: 'opencode',
      OPENCODE_SERVER_PASSWORD: password,
      OPENCODE_CONFIG_CONTENT: configuration,
      OPENCODE_DISABLE_AUTOUPDATE: '1',
      PWD: runtimeDir, // opencode believes it more than its working folder
    },
    cwd: runtimeDir, // no project: its own folder counts for nothing, each request names one
    log,
    runtimeDir,
  });
  child.stdin.end(); // it does not end with its input
  const stop = async () => {
    await child.stop();
  };
  try {
    const url = await whereItListens(child);
    const api = new OpencodeApi({ url, password });
    const version = await whenHealthy(api);
    const ended = child.exited.then((exit) => explainExit('opencode serve', exit));
    return { api, version, ended, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Reads stdout on, whatever comes: nobody else does. */
async function whereItListens(child: ChildProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let head = Buffer.alloc(0);
  child.stdout.on('data', (chunk: Buffer) => {
    if (head.byteLength < MAX_LINE_BYTES) head = Buffer.concat([head, chunk]);
    const url = /listening on (http:\/\/\S+)\s/.exec(head.toString('utf8'))?.[1];
    if (url !== undefined) resolve(url);
  });
  void child.exited.then((exit) => {
    const { message, hint } = explainExit('opencode serve', exit);
    reject(new HeddleError('agent_unavailable', `at its start ${message}`, { hint }));
  });
  const late = new HeddleError('agent_unavailable', `opencode serve did not listen within ${START_TIMEOUT_MS / 1000} s`, {
    hint: 'Try `opencode serve` in a terminal; `heddle logs` has more.',
  });
  const timer = setTimeout(() => reject(late), START_TIMEOUT_MS);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

/** @returns its version */
export async function whenHealthy(api: OpencodeApi): Promise<string> {
  const health = fieldsOf(await api.get('/global/health'));
  if (health['healthy'] === true) return textOf(health['version']) ?? '';
  throw new HeddleError('agent_unavailable', `opencode at ${api.url} says that it is not well`, { hint: 'Restart it.' });
}

/** opencode has a fixed port that it prefers to a free one, and nobody should be able to foresee ours. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => reject(asError(error)));
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
