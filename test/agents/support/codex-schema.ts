// Owns getting codex's JSON schema from the codex that is installed. It takes a fifth of a second, so nothing is kept.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { agentPaths, agentsRoot } from '../../../scripts/install-agents.ts';
import { bundleSchema, type SchemaBundle } from '../../conformance/schema-bundle.ts';

const run = promisify(execFile);

/** @throws Error when codex is not installed (with what to type) or generates something else than expected. */
export async function generateSchema(): Promise<SchemaBundle> {
  const { codex } = agentPaths();
  const { stdout } = await run(codex, ['--version']);
  const version = /(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  if (version === undefined) throw new Error(`codex --version says: ${stdout}`);
  await mkdir(agentsRoot, { recursive: true });
  const folder = await mkdtemp(path.join(agentsRoot, 'schema-'));
  try {
    await run(codex, ['app-server', 'generate-json-schema', '--experimental', '--out', folder]);
    return bundleSchema(folder, version);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
