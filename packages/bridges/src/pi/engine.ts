// Owns the private configuration with which pi runs on a model server of the user's own: a folder of its own instead of
// the user's, with that server as the only provider. The key stays in the environment; the file names the variable.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HeddleError } from '@heddle/wire';
import type { InstalledPi } from './agent-processes.ts';

export interface PiEngine {
  /** Of an OpenAI-compatible server, `/v1` included. */
  baseUrl: string;
  model: string;
  /** Name of the environment variable that has the key; `undefined`: the server wants none. */
  apiKeyEnv: string | undefined;
}

const PROVIDER = 'engine';
/** Servers without keys take any; pi wants one. */
const NO_KEY = 'none';

/**
 * Writes the configuration, and gives the environment to start pi with.
 * @param folder private, for this alone; pi keeps its sessions there too
 * @throws HeddleError `agent_unavailable` when no model is named, or the variable with the key is not set
 */
export async function engineEnvironment(
  engine: PiEngine,
  folder: string,
  env: NodeJS.ProcessEnv,
  pi: Pick<InstalledPi, 'takesSessionId'>,
): Promise<NodeJS.ProcessEnv> {
  assertUsable(engine, env);
  const agentDir = engineFolder(folder);
  await mkdir(agentDir, { recursive: true, mode: 0o700 });
  const provider = {
    baseUrl: engine.baseUrl,
    api: 'openai-completions',
    apiKey: keyReference(engine, pi),
    models: [{ id: engine.model, name: engine.model, input: ['text', 'image'] }],
  };
  await writeFile(join(agentDir, 'models.json'), `${JSON.stringify({ providers: { [PROVIDER]: provider } }, null, 2)}\n`, { mode: 0o600 });
  const { PI_CODING_AGENT_SESSION_DIR: _users, ...rest } = env;
  return { ...rest, PI_CODING_AGENT_DIR: agentDir };
}

/** Where the configuration is. */
export function engineFolder(folder: string): string {
  return join(folder, 'pi-engine');
}

/** As pi's `--model` takes it. */
export function engineModel({ model }: PiEngine): string {
  return `${PROVIDER}/${model}`;
}

function assertUsable({ model, apiKeyEnv }: PiEngine, env: NodeJS.ProcessEnv): void {
  if (model.trim() === '') {
    throw new HeddleError('agent_unavailable', 'pi has no model to run on: [agents.pi.engine] names none', {
      hint: 'Set "model" under [agents.pi.engine] in host.toml to a model that the server has.',
    });
  }
  if (apiKeyEnv !== undefined && (env[apiKeyEnv] ?? '') === '') {
    throw new HeddleError(
      'agent_unavailable',
      `the environment variable ${apiKeyEnv} is not set, which [agents.pi.engine] names for the key`,
      {
        hint: `Set ${apiKeyEnv} in your shell profile, then run \`heddle reload\`.`,
      },
    );
  }
}

/** A pi that takes session ids wants a dollar before a variable's name, an older one the name alone (0.73.1, 0.87.1, measured). */
function keyReference({ apiKeyEnv }: PiEngine, { takesSessionId }: Pick<InstalledPi, 'takesSessionId'>): string {
  if (apiKeyEnv === undefined) return NO_KEY;
  return takesSessionId ? `$${apiKeyEnv}` : apiKeyEnv;
}
