// An opencode server as a user starts one, and what somebody else does with it: without heddle.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { agentPaths } from '../../../scripts/install-agents.ts';
import { freePort } from '../../support/echo-endpoint.ts';

const password = 'a password of the user’s'.replaceAll(/[^a-z]/g, '-');

export interface OpencodeServer {
  url: string;
  password: string;
  /** Questions that are open in a folder. */
  pendingPermissions(directory: string): Promise<unknown[]>;
  /** Whether nothing runs in a folder. */
  isAtRest(directory: string): Promise<boolean>;
  /** Says something in the newest session of a folder. */
  say(directory: string, text: string): Promise<void>;
  end(): Promise<void>;
}

/** @param env what opencode is started with: its home, its configuration */
export async function startOpencodeServer(env: NodeJS.ProcessEnv): Promise<OpencodeServer> {
  const args = ['serve', '--port', String(await freePort())];
  const server = spawn(agentPaths().opencode, args, {
    env: { ...env, OPENCODE_SERVER_PASSWORD: password, PWD: tmpdir() },
    cwd: tmpdir(),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const url = await whereItListens(server);
  const ask = async (method: string, path: string, directory: string, body?: unknown): Promise<unknown> => {
    const asked = new URL(path, url);
    asked.searchParams.set('directory', directory);
    const authorization = `Basic ${Buffer.from(`opencode:${password}`).toString('base64')}`;
    const headers = { authorization, 'content-type': 'application/json' };
    const response = await fetch(asked, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await response.text();
    if (!response.ok) throw new Error(`opencode answers ${response.status}: ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  return {
    url,
    password,
    pendingPermissions: async (directory) => (await ask('GET', '/permission', directory)) as unknown[],
    isAtRest: async (directory) => Object.keys((await ask('GET', '/session/status', directory)) as object).length === 0,
    async say(directory, text) {
      const sessions = (await ask('GET', '/session', directory)) as { id: string; directory: string }[];
      const newest = sessions.find((session) => session.directory === directory);
      await ask('POST', `/session/${newest?.id}/prompt_async`, directory, { parts: [{ type: 'text', text }] });
    },
    async end() {
      const ended = once(server, 'exit');
      server.kill();
      await ended;
    },
  };
}

function whereItListens(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = '';
    server.stdout?.on('data', (chunk: Buffer) => {
      printed += chunk.toString('utf8');
      const url = /listening on (http:\/\/\S+)/.exec(printed)?.[1];
      if (url !== undefined) resolve(url);
    });
    server.once('exit', (code) => reject(new Error(`opencode serve ended with ${code}: ${printed}`)));
  });
}
