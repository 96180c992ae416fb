// A daemon whose opencode is the real one, which talks to the scripted model server.

import { expect } from 'vitest';
import { agentPaths } from '../../../scripts/install-agents.ts';
import { type ModelServer, startModelServer } from '../../model-server/server.ts';
import { isAlive } from '../../support/process.ts';
import { startTestDaemon, type TestDaemon } from '../../support/test-daemon.ts';
import { processes } from './claude-daemon.ts';
import { makeOpencodeHome, type OpencodeHome } from './opencode-home.ts';

export interface OpencodeDaemon extends TestDaemon {
  modelServer: ModelServer;
  opencodeHome: OpencodeHome;
  /** The servers that this test's daemon has started: they are children of this very process. */
  serverPids(): number[];
  /** Ends them with SIGKILL. */
  killServers(): Promise<void>;
}

export interface OpencodeDaemonOptions {
  /** Further lines of `[agents.opencode]`. */
  toml?: string;
  /** What opencode finds besides its home. */
  env?: NodeJS.ProcessEnv;
  /** A daemon on the same computer: opencode's home and the model server are its. */
  beside?: OpencodeDaemon;
}

export async function startOpencodeDaemon(options: OpencodeDaemonOptions = {}): Promise<OpencodeDaemon> {
  const modelServer = options.beside?.modelServer ?? (await startModelServer());
  const opencodeHome = options.beside?.opencodeHome ?? (await makeOpencodeHome(modelServer.url));
  const toml = `[agents.opencode]\ncommand = "${agentPaths().opencode}"\n${options.toml ?? ''}`;
  const running = await startTestDaemon({ toml, env: { ...opencodeHome.env, ...options.env } });
  const serverPids = () =>
    processes().flatMap(({ pid, parent, args }) => (parent === process.pid && / serve --hostname 127\.0\.0\.1/.test(args) ? [pid] : []));
  return {
    ...running,
    modelServer,
    opencodeHome,
    serverPids,
    async killServers() {
      const pids = serverPids();
      for (const pid of pids) process.kill(pid, 'SIGKILL');
      await expect.poll(() => pids.some(isAlive)).toBe(false);
    },
    async end() {
      await running.end();
      if (options.beside !== undefined) return;
      await modelServer.close();
      await opencodeHome.remove();
    },
  };
}
