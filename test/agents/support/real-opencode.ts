// The real opencode, as the proofs want it.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { threadIdOf } from '../../../packages/bridges/src/opencode/thread-id.ts';
import { agentPaths } from '../../../scripts/install-agents.ts';
import { startModelServer } from '../../model-server/server.ts';
import { makeOpencodeHome, opencodeConfig, type OpencodeHome } from './opencode-home.ts';
import { opencodeUnderTest } from './opencode-under-test.ts';
import type { RealAgent } from './real-agent.ts';

const TERMINAL_TIMEOUT_MS = 60_000;

export interface RealOpencode extends RealAgent {
  home: OpencodeHome;
  /** opencode's own id of the session that a thread is. */
  sessionOf(threadId: string): string;
  /** What opencode has written down of the newest session of a folder, as text. */
  transcriptIn(folder: string): Promise<string>;
}

export interface RealOpencodeOptions {
  /** What the user's configuration says besides. */
  config?: Record<string, unknown>;
  /** Further models of the scripted server. */
  models?: Record<string, unknown>;
}

export async function makeRealOpencode(options: RealOpencodeOptions = {}): Promise<RealOpencode> {
  const modelServer = await startModelServer();
  const home = await makeOpencodeHome(modelServer.url);
  const { opencode } = agentPaths();
  // Without titles of the model's making lists show what was said, as they do for the other agents.
  const config = { ...opencodeConfig(modelServer.url), agent: { title: { disable: true } }, ...options.config };
  Object.assign(config.provider.fake.models, options.models);
  const env = { ...home.env, OPENCODE_CONFIG_CONTENT: JSON.stringify(config) };
  const sessions = new Map<string, string>();
  const run = async (args: readonly string[], cwd: string, input = '') => {
    const running = promisify(execFile)(opencode, [...args], { cwd, env: { ...env, PWD: cwd }, timeout: TERMINAL_TIMEOUT_MS });
    running.child.stdin?.end(input); // it would quote words that are arguments
    return (await running).stdout;
  };
  const sessionOf = (threadId: string) => {
    const sessionId = sessions.get(threadId);
    if (sessionId === undefined) throw new Error(`no session of a terminal is the thread ${threadId}`);
    return sessionId;
  };
  return {
    name: 'opencode',
    modelServer,
    home,
    toml: `[agents.opencode]\ncommand = "${opencode}"\n`,
    env,
    isDriven: (args) => / serve --hostname 127\.0\.0\.1 /.test(args),
    underTest: (access) => opencodeUnderTest({ ...access, modelServer }),
    sessionOf,
    async transcriptIn(folder) {
      const [newest] = JSON.parse(await run(['session', 'list', '--format', 'json'], folder)) as { id: string; directory: string }[];
      return run(['export', newest?.id ?? ''], folder);
    },
    terminal: {
      async say(words, { cwd, threadId }) {
        const printed = await run(['run', ...(threadId === undefined ? [] : ['--session', sessionOf(threadId)])], cwd, words);
        const listed = JSON.parse(await run(['session', 'list', '--format', 'json'], cwd)) as { id: string }[];
        for (const { id } of listed) sessions.set(threadIdOf(id), id);
        return printed;
      },
      resumeCommand: (threadId, cwd) => `cd ${cwd} && opencode --session ${sessionOf(threadId)}`,
    },
    otherModel: { title: 'Fake Two', name: 'fake-2', hasEfforts: false },
    async end() {
      await modelServer.close();
      await home.remove();
    },
  };
}
