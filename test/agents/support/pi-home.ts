// Owns a home for pi, in either of its names, for one test run: fresh, pointed at the scripted model server, with
// nothing of the user's own.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface PiHome {
  /** PI_CODING_AGENT_DIR: settings, models, and the sessions under `sessions`. */
  path: string;
  /** For starting pi: this process's, without what would lead pi to the user's accounts or settings. */
  env: NodeJS.ProcessEnv;
  remove(): Promise<void>;
}

const modelsFor = (modelServerUrl: string) => ({
  providers: {
    fake: {
      baseUrl: `${modelServerUrl}/v1`,
      api: 'openai-completions',
      apiKey: 'scripted',
      models: [
        { id: 'fake-1', name: 'Fake One', reasoning: true, input: ['text', 'image'], contextWindow: 128_000, maxTokens: 8_000 },
        { id: 'fake-2', name: 'Fake Two', reasoning: false, input: ['text'], contextWindow: 64_000, maxTokens: 4_000 },
      ],
    },
  },
});

/** One retry shows how retries look, and takes little time; the default is three in fourteen seconds. */
const settings = {
  defaultProvider: 'fake',
  defaultModel: 'fake-1',
  retry: { enabled: true, maxRetries: 1, baseDelayMs: 100, provider: { maxRetries: 0 } },
};

/** @param modelServerUrl base URL of the scripted model server, without a path. */
export async function makePiHome(modelServerUrl: string): Promise<PiHome> {
  const home = await mkdtemp(path.join(tmpdir(), 'heddle-pi-home-'));
  const agentDir = path.join(home, '.pi', 'agent');
  await mkdir(agentDir, { recursive: true, mode: 0o700 });
  await writeFile(path.join(agentDir, 'models.json'), JSON.stringify(modelsFor(modelServerUrl)), { mode: 0o600 });
  await writeFile(path.join(agentDir, 'settings.json'), JSON.stringify(settings), { mode: 0o600 });
  // A key of the user's would be another provider; a proxy would take the model server's requests.
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(?:PI_|ANTHROPIC_|OPENAI_|AWS_|GOOGLE_|XDG_|https?_proxy$|all_proxy$)|_API_KEY$|_TOKEN$/i.test(name),
  );
  return {
    path: agentDir,
    env: {
      ...Object.fromEntries(inherited),
      HOME: home,
      USERPROFILE: home,
      PI_CODING_AGENT_DIR: agentDir,
      PI_OFFLINE: '1',
      PI_TELEMETRY: '0',
      PI_SKIP_VERSION_CHECK: '1',
    },
    remove: () => rm(home, { recursive: true, force: true, maxRetries: 5 }),
  };
}
