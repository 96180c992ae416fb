// Owns the demo as an agent: a folder for each thread, and a performance for each turn.

import type { AgentLabels, HubAgent, RunningTurn } from '@heddle/bridge-kit';
import type { Log } from '@heddle/rpc';
import type { ThreadId } from '@heddle/wire';
import { Performance } from './performance.ts';
import { makePrivateFolder, removePrivateFolder } from './private-folder.ts';

export class DemoAgent implements HubAgent {
  readonly labels: AgentLabels;
  readonly #env: NodeJS.ProcessEnv;
  readonly #log: Log;
  readonly #folders = new Map<ThreadId, { path: string; removal?: Promise<void> }>();

  constructor(options: { labels: AgentLabels; env: NodeJS.ProcessEnv; log: Log }) {
    this.labels = options.labels;
    this.#env = options.env;
    this.#log = options.log;
  }

  /** The folder that a client asks for is never used: the demo acts in one of its own. */
  async createThread(threadId: ThreadId): Promise<{ cwd: string }> {
    const cwd = await makePrivateFolder();
    this.#folders.set(threadId, { path: cwd });
    return { cwd };
  }

  async runTurn(turn: RunningTurn): Promise<void> {
    await new Performance(turn, this.#env).play();
  }

  async removeThread(threadId: ThreadId): Promise<void> {
    const folder = this.#folders.get(threadId);
    if (folder === undefined) return;
    folder.removal ??= removePrivateFolder(folder.path, this.#log);
    await folder.removal;
    this.#folders.delete(threadId);
  }

  /** Removes every folder. No turn runs any more. */
  async removeAll(): Promise<void> {
    await Promise.all([...this.#folders.keys()].map((threadId) => this.removeThread(threadId)));
  }
}
