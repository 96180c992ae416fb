// Owns what the benches know of pi 0.87: it is started in its RPC mode, one process for each session that is used.

import { randomUUID } from 'node:crypto';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePiHome } from '../../../test/agents/support/pi-home.ts';
import { agentPaths } from '../../install-agents.ts';
import type { AgentUse, BenchedAgent, PlainAgent } from './benched-agent.ts';
import { writePiHistory } from './pi-history.ts';
import { startPlainProcess, type StdioDialect, type StdioStart } from './plain-stdio.ts';
import { withStdioTap } from './stdio-taps.ts';

const dialect: StdioDialect = {
  name: 'pi',
  pieceOf(line) {
    if (!line.includes('"text_delta"')) return undefined;
    const { assistantMessageEvent: event } = JSON.parse(line) as { assistantMessageEvent?: { type?: string; delta?: string } };
    return event?.type === 'text_delta' && event.delta !== undefined ? { of: '', text: event.delta } : undefined;
  },
  isEnd: (line) => line.includes('"type":"agent_settled"'),
  say: (said) => JSON.stringify({ id: 'said', type: 'prompt', message: said }),
};

export const pi: BenchedAgent = {
  name: 'pi',
  plainName: 'pi --mode rpc',
  async settle(modelServerUrl) {
    const home = await makePiHome(modelServerUrl);
    const cwd = realpathSync(mkdtempSync(join(tmpdir(), 'heddle-bench-')));
    const command = agentPaths().pi;
    const use = (program: string): AgentUse => ({
      env: home.env,
      toml: `[agents.pi]\ncommand = "${program}"\n`,
      cwd,
      startPlain: () => Promise.resolve(plainPi({ command: program, env: home.env, cwd })),
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
  writeHistory: writePiHistory,
};

function plainPi(where: Omit<StdioStart, 'args'>): PlainAgent {
  const start = (args: string[]) => startPlainProcess({ ...where, args: ['--mode', 'rpc', ...args] }, dialect);
  return {
    async ask(said, stored) {
      const sessionId = stored ?? randomUUID();
      const process = start([stored === undefined ? '--session-id' : '--session', sessionId]);
      const answer = await process.turn(said);
      await process.end();
      return { answer, sessionId };
    },
    begin: () => Promise.resolve(start(['--session-id', randomUUID()])),
    end: () => Promise.resolve(),
  };
}
