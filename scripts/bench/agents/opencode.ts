// Owns what the benches know of opencode: one `opencode serve` has all sessions, and is spoken to over HTTP.

import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeOpencodeHome } from '../../../test/agents/support/opencode-home.ts';
import { agentPaths } from '../../install-agents.ts';
import { type PieceOfLine, TapNotes } from '../tap-notes.ts';
import type { AgentUse, BenchedAgent } from './benched-agent.ts';
import { writeOpencodeHistory } from './opencode-history.ts';
import { type OpencodeStart, startOpencode, throughTap } from './opencode-server.ts';
import { eventOfLine, usePlainly } from './plain-opencode.ts';

const pieceOf: PieceOfLine = (line) => {
  if (!line.includes('"message.part.delta"')) return undefined;
  const { type, properties } = eventOfLine(line) ?? {};
  if (type !== 'message.part.delta' || properties?.field !== 'text') return undefined;
  return { of: properties.sessionID ?? '', text: properties.delta ?? '' };
};

export const opencode: BenchedAgent = {
  name: 'opencode',
  plainName: 'opencode serve',
  async settle(modelServerUrl) {
    const home = await makeOpencodeHome(modelServerUrl);
    const cwd = realpathSync(mkdtempSync(join(tmpdir(), 'heddle-bench-')));
    const start: OpencodeStart = { command: agentPaths().opencode, env: home.env, cwd };
    const use: AgentUse = {
      env: home.env,
      toml: `[agents.opencode]\ncommand = "${start.command}"\n`,
      cwd,
      startPlain: async () => usePlainly(await startOpencode(start), cwd),
    };
    return {
      ...use,
      tapped: (measure) => tapped(use, start, measure),
      async end() {
        await home.remove();
        rmSync(cwd, { recursive: true });
      },
    };
  },
  writeHistory: writeOpencodeHistory,
};

/** The daemon and the plain program have a server each: neither hears of the other's sessions. */
async function tapped<T>(
  use: AgentUse,
  start: OpencodeStart,
  measure: (use: AgentUse) => Promise<T>,
): Promise<{ measured: T; notes: TapNotes }> {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-bench-tap-'));
  const startTapped = async () => throughTap(await startOpencode(start), folder);
  const server = await startTapped();
  const toml = `[agents.opencode]\nserver = "${server.url}"\nserver_password = "${server.password}"\n`;
  const startPlain = async () => usePlainly(await startTapped(), use.cwd);
  try {
    const measured = await measure({ ...use, toml, startPlain });
    await server.end(); // its notes are written
    return { measured, notes: new TapNotes(folder, pieceOf) };
  } finally {
    await server.end();
    rmSync(folder, { recursive: true });
  }
}
