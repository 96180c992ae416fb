// Owns what the benches know of claude: it is started as `claude -p`, one process for each session that is used.

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeClaudeHome } from '../../../test/agents/support/claude-home.ts';
import { agentPaths } from '../../install-agents.ts';
import type { AgentUse, BenchedAgent, PlainAgent } from './benched-agent.ts';
import { writeClaudeHistory } from './claude-history.ts';
import { startPlainProcess, type StdioDialect, type StdioStart } from './plain-stdio.ts';
import { withStdioTap } from './stdio-taps.ts';

const dialect: StdioDialect = {
  name: 'claude',
  pieceOf(line) {
    if (!line.includes('"text_delta"')) return undefined;
    const { event } = JSON.parse(line) as { event?: { type?: string; delta?: { type?: string; text?: string } } };
    const { text } = event?.delta ?? {};
    return event?.type === 'content_block_delta' && event.delta?.type === 'text_delta' && text !== undefined ? { of: '', text } : undefined;
  },
  isEnd: (line) => line.includes('"type":"result"'),
  say: (said) => JSON.stringify({ type: 'user', message: { role: 'user', content: said } }),
};

export const claude: BenchedAgent = {
  name: 'claude',
  plainName: 'claude -p',
  async settle(modelServerUrl) {
    const home = await makeClaudeHome(modelServerUrl);
    const cwd = mkdtempSync(join(tmpdir(), 'heddle-bench-'));
    const command = agentPaths().claude;
    const use = (program: string): AgentUse => ({
      env: home.env,
      toml: `[agents.claude]\ncommand = "${program}"\n`,
      cwd,
      startPlain: () => Promise.resolve(plainClaude({ command: program, env: home.env, cwd })),
    });
    return {
      ...use(command),
      tapped: (measure) => withStdioTap({ command, pieceOf: dialect.pieceOf }, (tap) => measure(use(tap))),
      async end() {
        await home.remove();
        rmSync(cwd, { recursive: true });
      },
    };
  },
  writeHistory: writeClaudeHistory,
};

function plainClaude(where: Omit<StdioStart, 'args'>): PlainAgent {
  const start = (args: string[]) => {
    const output = ['--output-format', 'stream-json', '--verbose', '--include-partial-messages'];
    return startPlainProcess({ ...where, args: ['-p', ...output, ...args] }, dialect);
  };
  return {
    async ask(said, stored) {
      const sessionId = stored ?? randomUUID();
      const process = start([stored === undefined ? '--session-id' : '--resume', sessionId, said]);
      const answer = await process.turn();
      await process.end();
      return { answer, sessionId };
    },
    begin: () => Promise.resolve(start(['--session-id', randomUUID(), '--input-format', 'stream-json'])),
    end: () => Promise.resolve(),
  };
}
