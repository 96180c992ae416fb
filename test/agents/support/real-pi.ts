// The real pi in both of its names, as the proofs want it.

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { agentPaths } from '../../../scripts/install-agents.ts';
import { startModelServer } from '../../model-server/server.ts';
import { makePiHome, type PiHome } from './pi-home.ts';
import { piUnderTest } from './pi-under-test.ts';
import type { RealAgent } from './real-agent.ts';

const TERMINAL_TIMEOUT_MS = 30_000;

export interface RealPi extends RealAgent {
  home: PiHome;
  /** What pi has written down of a conversation, as text; '' when there is nothing. */
  sessionOf(threadId: string): string;
}

/** 0.87, as `@earendil-works/pi-coding-agent`. */
export const makeRealPi = () => make(agentPaths().pi);
/** 0.74, as the same package. */
export const makeRealPi074 = () => make(agentPaths().pi074);
/** 0.73, the last as `@mariozechner/pi-coding-agent`. */
export const makeClassicPi = () => make(agentPaths().piClassic);

async function make(command: string): Promise<RealPi> {
  const modelServer = await startModelServer();
  const home = await makePiHome(modelServer.url);
  const { env } = home;
  return {
    name: 'pi',
    modelServer,
    home,
    toml: `[agents.pi]\ncommand = "${command}"\n`,
    env,
    isDriven: (args) => /^pi\b/.test(args) || args.includes('--mode rpc'), // pi gives itself that title
    underTest: (access) => piUnderTest({ ...access, modelServer }),
    terminal: {
      async say(words, { cwd, threadId }) {
        const args = ['-p', ...(threadId === undefined ? [] : ['--session', threadId]), words];
        const running = promisify(execFile)(command, args, { cwd, env, timeout: TERMINAL_TIMEOUT_MS });
        running.child.stdin?.end(); // else it waits for more to be piped in
        return (await running).stdout;
      },
      resumeCommand: (threadId, cwd) => `cd ${cwd} && pi --session ${threadId}`,
    },
    otherModel: { title: 'Fake Two', name: 'fake-2', hasEfforts: false },
    sessionOf(threadId) {
      const sessions = join(home.path, 'sessions');
      const files = readdirSync(sessions).flatMap((folder) =>
        readdirSync(join(sessions, folder)).map((name) => join(sessions, folder, name)),
      );
      return files.map((file) => (file.endsWith(`_${threadId}.jsonl`) ? readFileSync(file, 'utf8') : '')).join('');
    },
    async end() {
      await modelServer.close();
      await home.remove();
    },
  };
}
