// Owns the demo as an agent: a folder for each thread, and a performance for each turn. It has no store: its threads
// are the hub's.

import { type HubAgent, type OpenedThread, type RunningTurn, type SettingsInForce, type Skill, uuidV7 } from '@heddle/bridge-kit';
import type { Log } from '@heddle/rpc';
import type { Model, ThreadId } from '@heddle/wire';
import { Performance } from './performance.ts';
import { makePrivateFolder, removePrivateFolder } from './private-folder.ts';

export const MODEL = 'demo';

const model: Model = {
  id: MODEL,
  model: MODEL,
  displayName: 'Demo script',
  description: 'No model: a script that streams text, asks for approvals, runs a command and writes a file.',
  isDefault: true,
  hidden: false,
  supportedReasoningEfforts: [{ reasoningEffort: 'none', description: 'The script does not think.' }],
  defaultReasoningEffort: 'none',
  inputModalities: ['text'],
  supportsPersonality: false,
};

export interface DemoAgentOptions {
  /** Version of heddle: the demo is part of it. */
  version: string;
  launchEnv: () => Promise<NodeJS.ProcessEnv>;
  log: Log;
}

export class DemoAgent implements HubAgent {
  readonly name = 'demo';
  readonly version: string;
  readonly modes = ['default'] as const;
  readonly #launchEnv: () => Promise<NodeJS.ProcessEnv>;
  readonly #log: Log;
  readonly #folders = new Map<ThreadId, { path: string; removal?: Promise<void> }>();

  constructor(options: DemoAgentOptions) {
    this.version = options.version;
    this.#launchEnv = options.launchEnv;
    this.#log = options.log;
  }

  /** The folder that a client asks for is never used: the demo acts in one of its own. */
  async createThread(): Promise<OpenedThread> {
    const id = uuidV7();
    const path = await makePrivateFolder();
    this.#folders.set(id, { path });
    return { id, settings: settingsIn(path) };
  }

  /** It has no store to open a thread from. */
  openThread(): Promise<OpenedThread> {
    return Promise.reject(new Error('the demo agent keeps no threads'));
  }

  /** Nothing about the demo can be changed. */
  changeSettings(threadId: ThreadId): Promise<SettingsInForce> {
    const folder = this.#folders.get(threadId);
    if (folder === undefined) return Promise.reject(new Error(`the demo agent has no thread ${threadId}`));
    return Promise.resolve(settingsIn(folder.path));
  }

  async runTurn(turn: RunningTurn): Promise<void> {
    await new Performance(turn, this.#launchEnv).play();
  }

  /** A script remembers nothing of what was said, so there is nothing to drop. */
  revertThread(): Promise<void> {
    return Promise.resolve();
  }

  async unloadThread(threadId: ThreadId): Promise<void> {
    const folder = this.#folders.get(threadId);
    if (folder === undefined) return;
    folder.removal ??= removePrivateFolder(folder.path, this.#log);
    await folder.removal;
    this.#folders.delete(threadId);
  }

  models(): Promise<Model[]> {
    return Promise.resolve([model]);
  }

  skills(): Promise<Skill[]> {
    return Promise.resolve([]);
  }

  rateLimits(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  /** Removes every folder. No turn runs any more. */
  async removeAll(): Promise<void> {
    await Promise.all([...this.#folders.keys()].map((threadId) => this.unloadThread(threadId)));
  }
}

/**
 * How every thread of the demo runs. It asks before each command and each write, which is what `untrusted` means, and
 * commands that were allowed run without a sandbox; saying anything else would be false.
 */
function settingsIn(cwd: string): SettingsInForce {
  return {
    cwd,
    model: MODEL,
    modelProvider: MODEL,
    reasoningEffort: null,
    approvalPolicy: 'untrusted',
    sandbox: { type: 'dangerFullAccess' },
    mode: 'default',
  };
}
