// Owns the life of an `opencode serve` that a bench starts for itself, and of the tap before it.

import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';

const tap = new URL('../http-tap.ts', import.meta.url);
/** Nothing but this bench uses it, for as long as it runs. */
const password = 'bench';

export interface OpencodeServer {
  /** Without a path. */
  url: string;
  password: string;
  /** Resolves when it has ended. */
  end(): Promise<void>;
}

export interface OpencodeStart {
  command: string;
  env: NodeJS.ProcessEnv;
  cwd: string;
}

export async function startOpencode({ command, env, cwd }: OpencodeStart): Promise<OpencodeServer> {
  const ownEnv = { ...env, OPENCODE_SERVER_PASSWORD: password, PWD: cwd };
  const server = spawn(command, ['serve', '--hostname', '127.0.0.1', '--port', '0'], {
    env: ownEnv,
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  const url = await new Promise<string>((resolve, reject) => {
    server.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (said.length < 64 * 1024) said += text;
      const listening = /listening on (http:\/\/\S+)\s/.exec(said)?.[1];
      if (listening !== undefined) resolve(listening);
    });
    server.once('exit', (code) => reject(new Error(`opencode serve ended with ${code} before it listened`)));
  });
  return { url, password, end: () => ended(server, () => server.kill()) };
}

/** The same server as who comes through a tap has it. @param notes the folder where the tap puts them at the end */
export async function throughTap(server: OpencodeServer, notes: string): Promise<OpencodeServer> {
  const process = fork(tap, [notes, server.url]);
  const [{ url }] = (await once(process, 'message')) as [{ url: string }];
  return {
    url,
    password: server.password,
    async end() {
      await ended(process, () => process.disconnect());
      await server.end();
    },
  };
}

async function ended(process: ChildProcess, end: () => unknown): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return;
  const gone = once(process, 'exit');
  end();
  await gone;
}
