// A daemon whose claude is the real one, which talks to the scripted model server.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { agentPaths } from '../../../scripts/install-agents.ts';
import { type ModelServer, startModelServer } from '../../model-server/server.ts';
import { isAlive } from '../../support/process.ts';
import { startTestDaemon, type TestDaemon } from '../../support/test-daemon.ts';
import { type ClaudeHome, makeClaudeHome } from './claude-home.ts';
import { ownModel } from './claude-under-test.ts';

export interface ClaudeDaemon extends TestDaemon {
  modelServer: ModelServer;
  claudeHome: ClaudeHome;
  /** The claude processes that this test's daemon has started: they are children of this very process. */
  claudePids(): number[];
  /** What claude has written down of a conversation, as text; '' when there is nothing. */
  transcriptOf(threadId: string): string;
  /** Ends all of them with SIGKILL. */
  killClaudes(): Promise<void>;
}

export interface ClaudeDaemonOptions {
  /** Further lines of `[agents.claude]`. */
  toml?: string;
  /** What claude finds besides its home. */
  env?: NodeJS.ProcessEnv;
  /** A daemon on the same computer: claude's home and the model server are its. */
  beside?: ClaudeDaemon;
}

export async function startClaudeDaemon(options: ClaudeDaemonOptions = {}): Promise<ClaudeDaemon> {
  const modelServer = options.beside?.modelServer ?? (await startModelServer());
  const claudeHome = options.beside?.claudeHome ?? (await makeClaudeHome(modelServer.url));
  const toml = `[agents.claude]\ncommand = "${agentPaths().claude}"\n${options.toml ?? ''}`;
  const running = await startTestDaemon({ toml, env: { ...claudeHome.env, ANTHROPIC_CUSTOM_MODEL_OPTION: ownModel, ...options.env } });
  const claudePids = () =>
    processes().flatMap(({ pid, parent, args }) => (parent === process.pid && /--input-format stream-json/.test(args) ? [pid] : []));
  return {
    ...running,
    modelServer,
    claudeHome,
    claudePids,
    transcriptOf(threadId) {
      const projects = join(claudeHome.path, 'projects');
      const files = readdirSync(projects).map((folder) => join(projects, folder, `${threadId}.jsonl`));
      return files
        .filter((file) => existsSync(file))
        .map((file) => readFileSync(file, 'utf8'))
        .join('');
    },
    async killClaudes() {
      const pids = claudePids();
      for (const pid of pids) process.kill(pid, 'SIGKILL');
      await expect.poll(() => pids.some(isAlive)).toBe(false);
    },
    async end() {
      await running.end();
      if (options.beside !== undefined) return;
      await modelServer.close();
      await claudeHome.remove();
    },
  };
}

/** Every process of this computer. */
export function processes(): { pid: number; parent: number; args: string }[] {
  const lines = spawnSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,args='], { encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 }).stdout.split(
    '\n',
  );
  return lines.flatMap((line) => {
    const [, pid, parent, args] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return args === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), args }];
  });
}
