// Owns a home for claude for one test run: fresh, pointed at the scripted model server, with nothing of the user's own.

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface ClaudeHome {
  /** CLAUDE_CONFIG_DIR: settings, and the sessions under `projects`. */
  path: string;
  /** For starting claude: this process's, without what would lead claude to the user's account or settings. */
  env: NodeJS.ProcessEnv;
  remove(): Promise<void>;
}

/** @param modelServerUrl base URL of the scripted model server, without a path. */
export async function makeClaudeHome(modelServerUrl: string): Promise<ClaudeHome> {
  const home = await mkdtemp(path.join(tmpdir(), 'heddle-claude-home-'));
  const configDir = path.join(home, '.claude');
  await mkdir(configDir, { mode: 0o700 });
  // CLAUDECODE is set for us when claude itself runs the tests; a proxy would take the model server's requests.
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(?:ANTHROPIC_|CLAUDE|AWS_|GOOGLE_|https?_proxy$|all_proxy$)/i.test(name),
  );
  return {
    path: configDir,
    env: {
      ...Object.fromEntries(inherited),
      HOME: home,
      USERPROFILE: home,
      CLAUDE_CONFIG_DIR: configDir,
      ANTHROPIC_BASE_URL: modelServerUrl,
      ANTHROPIC_API_KEY: 'sk-ant-scripted',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_AUTOUPDATER: '1',
      // One retry shows how retries look, and takes little time; the default is ten in three minutes.
      CLAUDE_CODE_MAX_RETRIES: '1',
    },
    remove: () => rm(home, { recursive: true, force: true, maxRetries: 5 }),
  };
}
