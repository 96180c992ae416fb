// Owns a CODEX_HOME for one test run: fresh, pointed at the scripted model server, with nothing of the user's own.
// It lies in the checkout: under the system's temporary folder codex refuses to make its helper aliases.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { agentsRoot } from '../../../scripts/install-agents.ts';

/** A model that codex drives with its classic tools (exec_command, apply_patch, update_plan). */
export const codexModel = 'gpt-5.5';

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
  await writeFile(path.join(codexHome, 'config.toml'), configFor(modelServerUrl), { mode: 0o600 });
  const inherited = Object.entries(process.env).filter(([name]) => !/^(?:OPENAI|CODEX)_/.test(name));
  return {
    path: codexHome,
    env: { ...Object.fromEntries(inherited), HOME: home, USERPROFILE: home, CODEX_HOME: codexHome },
    remove: () => rm(home, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** One retry shows how retries look, and takes no time. */
function configFor(modelServerUrl: string): string {
  return `model = "${codexModel}"
model_provider = "scripted"
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
