// The real claude, as the proofs want it.

import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { agentPaths } from '../../../scripts/install-agents.ts';
import { startModelServer } from '../../model-server/server.ts';
import { type ClaudeHome, makeClaudeHome } from './claude-home.ts';
import { claudeUnderTest, ownModel } from './claude-under-test.ts';
import type { RealAgent } from './real-agent.ts';

const TERMINAL_TIMEOUT_MS = 30_000;

export interface RealClaude extends RealAgent {
  home: ClaudeHome;
  /** What claude has written down of a conversation, as text; '' when there is nothing. */
  transcriptOf(threadId: string): string;
}

export async function makeRealClaude(): Promise<RealClaude> {
  const modelServer = await startModelServer();
  const home = await makeClaudeHome(modelServer.url);
  const { claude } = agentPaths();
  const env = { ...home.env, ANTHROPIC_CUSTOM_MODEL_OPTION: ownModel };
  return {
    name: 'claude',
    modelServer,
    home,
    toml: `[agents.claude]\ncommand = "${claude}"\n`,
    env,
    isDriven: (args) => args.includes('--input-format stream-json'),
    underTest: (access) => claudeUnderTest({ ...access, modelServer }),
    terminal: {
      async say(words, { cwd, threadId }) {
        const args = ['-p', ...(threadId === undefined ? [] : ['--resume', threadId]), words];
        const running = promisify(execFile)(claude, args, { cwd, env, timeout: TERMINAL_TIMEOUT_MS });
        running.child.stdin?.end(); // else it waits for more to be piped in
        return (await running).stdout;
      },
      resumeCommand: (threadId, cwd) => `cd ${cwd} && claude --resume ${threadId}`,
    },
    otherModel: { title: ownModel, name: ownModel, hasEfforts: true },
    fullAccessEnv: { IS_SANDBOX: '1' }, // claude refuses it to root otherwise
    transcriptOf(threadId) {
      const projects = join(home.path, 'projects');
      const files = readdirSync(projects).map((folder) => join(projects, folder, `${threadId}.jsonl`));
      return files.map((file) => (existsSync(file) ? readFileSync(file, 'utf8') : '')).join('');
    },
    async end() {
      await modelServer.close();
      await home.remove();
    },
  };
}
