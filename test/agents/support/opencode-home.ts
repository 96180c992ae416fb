// Owns a home for opencode for one test run: fresh, pointed at the scripted model server, with nothing of the user's own.
// It says nothing about permissions, as most people's configuration: opencode then asks for nothing.

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface OpencodeHome {
  /** HOME, which XDG's folders lie in as they do by default. */
  path: string;
  /** Where opencode keeps its database and logs. */
  dataDir: string;
  /** For starting opencode: this process's, without what would lead it to the user's accounts or settings. */
  env: NodeJS.ProcessEnv;
  remove(): Promise<void>;
}

/** The user's configuration. The title of a session is made by the small model. */
export const opencodeConfig = (modelServerUrl: string) => ({
  autoupdate: false,
  share: 'disabled',
  model: 'fake/fake-1',
  small_model: 'fake/fake-2',
  enabled_providers: ['fake'],
  provider: {
    fake: {
      npm: '@ai-sdk/openai-compatible',
      name: 'Fake',
      options: { baseURL: `${modelServerUrl}/v1`, apiKey: 'scripted' },
      models: {
        'fake-1': {
          name: 'Fake One',
          tool_call: true,
          reasoning: true,
          attachment: true,
          modalities: { input: ['text', 'image'], output: ['text'] },
          limit: { context: 128_000, output: 8_000 },
        },
        'fake-2': { name: 'Fake Two', tool_call: true, reasoning: false, limit: { context: 64_000, output: 4_000 } },
      },
    },
  },
});

/** @param modelServerUrl base URL of the scripted model server, without a path. */
export async function makeOpencodeHome(modelServerUrl: string): Promise<OpencodeHome> {
  const home = await mkdtemp(path.join(tmpdir(), 'heddle-opencode-home-'));
  const folders = { DATA: '.local/share', STATE: '.local/state', CONFIG: '.config', CACHE: '.cache' };
  const xdg = Object.entries(folders).map(([name, folder]) => [`XDG_${name}_HOME`, path.join(home, folder)] as const);
  for (const [, folder] of xdg) await mkdir(folder, { recursive: true, mode: 0o700 });
  // A key of the user's would be another provider; a proxy would take the model server's requests. opencode believes
  // PWD more than its working folder.
  const inherited = Object.entries(process.env).filter(
    ([name]) =>
      !/^(?:OPENCODE|ANTHROPIC_|OPENAI_|AWS_|GOOGLE_|XDG_|npm_config_|PWD$|https?_proxy$|all_proxy$)|_API_KEY$|_TOKEN$/i.test(name),
  );
  return {
    path: home,
    dataDir: path.join(home, folders.DATA, 'opencode'),
    env: {
      ...Object.fromEntries(inherited),
      ...Object.fromEntries(xdg),
      HOME: home,
      USERPROFILE: home,
      OPENCODE_CONFIG_CONTENT: JSON.stringify(opencodeConfig(modelServerUrl)),
      OPENCODE_DISABLE_MODELS_FETCH: '1',
      OPENCODE_DISABLE_AUTOUPDATE: '1',
      OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
      // In each new folder it looks for a plugin helper on npm, and goes on without: nobody listens here.
      npm_config_registry: 'http://127.0.0.1:9/',
    },
    remove: () => rm(home, { recursive: true, force: true, maxRetries: 5 }),
  };
}
