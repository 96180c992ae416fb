// Owns a CODEX_HOME for one test run: fresh, pointed at the scripted model server, with nothing of the user's own.
// It lies in the checkout: under the system's temporary folder codex refuses to make its helper aliases.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { agentPaths, agentsRoot } from '../../../scripts/install-agents.ts';

/** A model that codex drives with its classic tools (exec_command, apply_patch, update_plan). */
export const codexModel = 'gpt-5.5';
/** A model that only the catalog of these homes has. */
export const ownCodexModel = 'scripted-1';

export interface CodexHome {
  path: string;
  /** For starting codex: this process's, without what would lead codex to the user's account or settings. */
  env: NodeJS.ProcessEnv;
  remove(): Promise<void>;
}

/** @param modelServerUrl base URL of the scripted model server, without a path. */
export async function makeCodexHome(modelServerUrl: string): Promise<CodexHome> {
  const homes = path.join(agentsRoot, 'homes');
  await mkdir(homes, { recursive: true, mode: 0o700 });
  const home = await mkdtemp(path.join(homes, 'codex-'));
  const codexHome = path.join(home, '.codex');
  await mkdir(codexHome, { mode: 0o700 });
  const inherited = Object.entries(process.env).filter(([name]) => !/^(?:OPENAI|CODEX)_/.test(name));
  const env = { ...Object.fromEntries(inherited), HOME: home, USERPROFILE: home, CODEX_HOME: codexHome };
  const catalog = path.join(codexHome, 'models.json');
  await writeFile(catalog, await modelCatalog(env), { mode: 0o600 });
  await writeFile(path.join(codexHome, 'config.toml'), configFor(modelServerUrl, catalog), { mode: 0o600 });
  return {
    path: codexHome,
    env,
    remove: () => rm(home, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** What codex ships with, and one more. */
async function modelCatalog(env: NodeJS.ProcessEnv): Promise<string> {
  const { stdout } = await promisify(execFile)(agentPaths().codex, ['debug', 'models', '--bundled'], { env, maxBuffer: 16 * 1024 * 1024 });
  const { models } = JSON.parse(stdout) as { models: { slug: string }[] };
  const like = models.find(({ slug }) => slug === codexModel);
  if (like === undefined) throw new Error(`codex ships without ${codexModel}`);
  return JSON.stringify({ models: [...models, { ...like, slug: ownCodexModel, display_name: 'Scripted' }] });
}

/** One retry shows how retries look, and takes no time. */
function configFor(modelServerUrl: string, catalog: string): string {
  return `model = "${codexModel}"
model_provider = "scripted"
model_catalog_json = ${JSON.stringify(catalog)}
check_for_update_on_startup = false

[analytics]
enabled = false

[tools.update_plan]
enabled = true

# Seen already: the TUI's page that offers a newer model.
[notice.model_migrations]
"${codexModel}" = "gpt-6-sol"

[model_providers.scripted]
name = "Scripted"
base_url = "${modelServerUrl}/v1"
wire_api = "responses"
request_max_retries = 1
stream_max_retries = 1
stream_idle_timeout_ms = 20000
`;
}
