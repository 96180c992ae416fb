// Owns finding threads wherever they are: in memory, in the agent's store, or in both. What is in memory is right about
// what happened here, the store about everything else.

import type { Thread, ThreadId, Turn } from '@heddle/wire';
import { mergeTurns, type PlacedTurn, turnsInMemory } from './history.ts';
import type { HubThread } from './hub-thread.ts';
import { noRollout, type ThreadHub } from './thread-hub.ts';
import type { StoredThread } from './thread-store.ts';
import type { ThreadUsage } from './thread-usage.ts';
import { type AgentLabels, factsOfStored, gitInfoOfStored, labelsOf, type ThreadFacts, threadView } from './thread-view.ts';

/** A thread that exists; at least one of the two is there. */
export interface FoundThread {
  id: ThreadId;
  inMemory: HubThread | undefined;
  stored: StoredThread | undefined;
}

export class ThreadCatalog {
  readonly #hub: ThreadHub;

  constructor(hub: ThreadHub) {
    this.#hub = hub;
  }

  async find(id: ThreadId): Promise<FoundThread | undefined> {
    const stored = await this.#hub.agent.store?.find(id);
    const inMemory = this.#hub.loaded.find(id);
    return inMemory === undefined && stored === undefined ? undefined : { id, inMemory, stored };
  }

  /** @throws RpcError `no rollout found …`. */
  async require(id: ThreadId): Promise<FoundThread> {
    const found = await this.find(id);
    if (found === undefined || (found.stored === undefined && found.inMemory?.isUnloading === true)) throw noRollout(id);
    return found;
  }

  async allFacts(): Promise<ThreadFacts[]> {
    const { agent, notes, loaded } = this.#hub;
    const stored = (await agent.store?.list()) ?? [];
    const inMemory = new Map(loaded.all.map((thread) => [thread.id, thread]));
    const facts = stored.map((row) => {
      const thread = inMemory.get(row.id);
      inMemory.delete(row.id);
      return thread === undefined ? factsOfStored(row, notes.of(row.id)) : overlaid(thread, row);
    });
    for (const thread of inMemory.values()) facts.push(thread.facts());
    return facts;
  }

  facts({ id, inMemory, stored }: FoundThread): ThreadFacts {
    if (inMemory !== undefined) return stored === undefined ? inMemory.facts() : overlaid(inMemory, stored);
    if (stored === undefined) throw noRollout(id);
    return factsOfStored(stored, this.#hub.notes.of(id));
  }

  view(found: FoundThread, turns: Turn[] = []): Thread {
    return threadView(this.facts(found), this.labels, turns);
  }

  viewOf(facts: ThreadFacts): Thread {
    return threadView(facts, this.labels, []);
  }

  /** Oldest first; the running turn with what it has so far, open items included. */
  async turns({ id, inMemory, stored }: FoundThread): Promise<{ turns: PlacedTurn[]; usage: ThreadUsage | undefined }> {
    const live = inMemory?.record.turns ?? [];
    if (stored === undefined) return { turns: turnsInMemory(live), usage: inMemory?.record.usage };
    const history = await this.#hub.agent.store?.read(id);
    const now = this.#hub.loaded.find(id) ?? inMemory; // it may have gone on while the store was read
    if (now !== undefined) now.record.usage ??= history?.usage; // what was spent before is counted on
    return { turns: mergeTurns(history?.turns ?? [], now?.record.turns ?? []), usage: now?.record.usage ?? history?.usage };
  }

  get labels(): AgentLabels {
    return labelsOf(this.#hub.agent);
  }
}

function overlaid(inMemory: HubThread, stored: StoredThread): ThreadFacts {
  const facts = inMemory.facts();
  const updatedAtMs = Math.floor(stored.updatedAtMs);
  return {
    ...facts,
    isUsed: true,
    createdAtMs: Math.min(facts.createdAtMs, Math.floor(stored.createdAtMs)),
    updatedAtMs: Math.max(facts.updatedAtMs, updatedAtMs),
    recencyAtMs: Math.max(facts.recencyAtMs, updatedAtMs),
    preview: facts.preview === '' ? stored.preview : facts.preview,
    name: facts.name ?? stored.name,
    path: stored.path,
    gitInfo: facts.gitInfo ?? gitInfoOfStored(stored),
  };
}
