// Owns what opencode says of a folder: its models, commands, skills and MCP servers. Each may differ from folder to
// folder, because projects have configurations of their own; an answer is kept for a moment. Keys that come with the
// answers are never kept.

import { fieldsOf, type McpServer, type Skill, textOf } from '@heddle/bridge-kit';
import { mcpServersOf } from './mcp-servers.ts';
import { type ModelCatalog, readCatalog } from './models.ts';
import type { OpencodeApi } from './server/api.ts';
import type { AskServer } from './server/opencode-server.ts';
import { namesOf, skillsOf } from './skills.ts';

const KEEP_MS = 10_000;
const MAX_KEPT = 200;

export class FolderFacts {
  readonly #ask: AskServer;
  readonly #kept = new Map<string, { untilMs: number; fact: Promise<unknown> }>();

  constructor(ask: AskServer) {
    this.#ask = ask;
  }

  catalog(directory: string): Promise<ModelCatalog> {
    return this.#fact('models', directory, async (api) => {
      const [providers, configuration] = await Promise.all([
        api.get('/config/providers', { directory }),
        api.get('/config', { directory }),
      ]);
      return readCatalog(providers, textOf(fieldsOf(configuration)['model']));
    });
  }

  commandNames(directory: string): Promise<string[]> {
    return this.#fact('commands', directory, async (api) => namesOf(await api.get('/command', { directory })).map(({ name }) => name));
  }

  skills(directory: string): Promise<Skill[]> {
    return this.#fact('skills', directory, async (api) => {
      const [commands, skills] = await Promise.all([api.get('/command', { directory }), api.get('/skill', { directory })]);
      return skillsOf(commands, skills, directory);
    });
  }

  mcpServers(directory: string): Promise<McpServer[]> {
    return this.#fact('mcp', directory, async (api) => mcpServersOf(await api.get('/mcp', { directory })));
  }

  async mcpServerNames(directory: string): Promise<string[]> {
    return (await this.mcpServers(directory)).map(({ name }) => name);
  }

  /** The server was ended: another may say something else. */
  forget(): void {
    this.#kept.clear();
  }

  #fact<T>(kind: string, directory: string, ask: (api: OpencodeApi) => Promise<T>): Promise<T> {
    const key = `${kind} ${directory}`;
    const nowMs = performance.now();
    const kept = this.#kept.get(key);
    if (kept !== undefined && nowMs < kept.untilMs) return kept.fact as Promise<T>;
    const fact = this.#ask(ask);
    this.#kept.delete(key);
    this.#kept.set(key, { untilMs: nowMs + KEEP_MS, fact });
    fact.catch(() => this.#kept.delete(key)); // whoever asked is told
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MAX_KEPT) break;
      this.#kept.delete(oldest);
    }
    return fact;
  }
}
