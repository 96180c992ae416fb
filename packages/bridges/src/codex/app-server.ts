// Owns the app-server that heddle starts itself: one process on a private socket, from spawn until nothing of it is
// left. The npm `codex` is a shim around the real binary; the process group holds both.

import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type ChildProcess, explainExit, startChildProcess } from '@heddle/bridge-kit';
import type { Channel, Log } from '@heddle/rpc';
import { HeddleError } from '@heddle/wire';
import { connectAppServer } from './app-server-socket.ts';

const START_TIMEOUT_MS = 20_000;
const RETRY_MS = 25;

export interface AppServerOptions {
  path: string;
  env: NodeJS.ProcessEnv;
  runtimeDir: string;
  log: Log;
}

/** A running app-server of our own. */
export interface AppServer {
  readonly socketPath: string;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

/**
 * Starts an app-server; it is ready when it has answered on its socket.
 * @throws HeddleError `agent_unavailable` with what codex itself said.
 */
export async function startAppServer(options: AppServerOptions): Promise<AppServer> {
  const { runtimeDir } = options;
  // A new name each time: the socket of a server that is being ended may still be there.
  const socketName = `codex-${randomBytes(4).toString('hex')}.sock`;
  const socketPath = join(runtimeDir, socketName);
  const process = await startChildProcess({
    command: options.path,
    args: ['app-server', '--listen', `unix://${socketPath}`],
    env: options.env,
    cwd: options.env['HOME'] ?? homedir(), // where a client that names no folder works; not where the daemon happened to be started
    log: options.log,
    runtimeDir,
    files: [socketName],
  });
  process.stdout.resume();
  process.stdin.end(); // it listens on its socket only, and does not end with its input
  const stop = async () => {
    await process.stop();
  };
  try {
    (await firstAnswer(socketPath, process)).close();
  } catch (error) {
    await stop();
    throw error;
  }
  return { socketPath, process, stop };
}

async function firstAnswer(socketPath: string, process: ChildProcess): Promise<Channel> {
  let hasExited = false;
  void process.exited.then(() => {
    hasExited = true;
  });
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      return await connectAppServer(socketPath);
    } catch (cause) {
      if (hasExited) throw await explainFailedStart(process);
      if (Date.now() > deadline)
        throw new HeddleError('agent_unavailable', `codex app-server did not answer within ${START_TIMEOUT_MS / 1000} s`, { cause });
    }
    await Promise.race([process.exited, new Promise((resolve) => setTimeout(resolve, RETRY_MS))]);
  }
}

async function explainFailedStart(process: ChildProcess): Promise<HeddleError> {
  const { message, hint } = explainExit('codex app-server', await process.exited);
  return new HeddleError('agent_unavailable', `at its start ${message}`, { hint });
}
