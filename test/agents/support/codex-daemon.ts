// A daemon whose codex is the real one, which talks to the scripted model server.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { agentPaths } from '../../../scripts/install-agents.ts';
import { type ModelServer, startModelServer } from '../../model-server/server.ts';
import { startTestDaemon, type TestDaemon } from '../../support/test-daemon.ts';
import { type CodexHome, makeCodexHome } from './codex-home.ts';

export interface CodexDaemon extends TestDaemon {
  modelServer: ModelServer;
  codexHome: CodexHome;
  /**
   * The processes of the app-server; the real binary is the last. The npm shim puts it in its own place where Node
   * can (process.execve), else it starts a child.
   */
  appServerPids(): number[];
}

/** @param command another program to be taken for codex. */
export async function startCodexDaemon(command = agentPaths().codex): Promise<CodexDaemon> {
  const modelServer = await startModelServer();
  const codexHome = await makeCodexHome(modelServer.url);
  const running = await startTestDaemon({
    toml: `[agents.codex]\ncommand = "${command}"\n${['claude', 'opencode', 'pi'].map((name) => `[agents.${name}]\nenabled = false\n`).join('')}`,
    env: codexHome.env,
  });
  return {
    ...running,
    modelServer,
    codexHome,
    appServerPids() {
      const { runtimeDir } = running.paths;
      const records = readdirSync(runtimeDir).filter((name) => /^child-.*\.json$/.test(name));
      const read = records.map((name) => JSON.parse(readFileSync(join(runtimeDir, name), 'utf8')) as { pid: number; command: string });
      const pid = read.find((record) => record.command === command)?.pid;
      const all = spawnSync('ps', ['-A', '-ww', '-o', 'pid=,pgid=,args='], { encoding: 'utf8' }).stdout.split('\n');
      const processes = all.map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line)?.slice(1) ?? []);
      const ours = processes.filter(([, group, args]) => Number(group) === pid && args?.includes('app-server --listen unix://'));
      return ours.map(([id]) => Number(id)).toSorted((one, other) => one - other);
    },
    async end() {
      await running.end();
      await modelServer.close();
      await codexHome.remove();
    },
  };
}
