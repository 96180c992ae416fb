// Owns one scenario's surroundings: an empty folder, clients that are all recorded, and the judgement at its end,
// which every scenario gets whether it asks for it or not.

import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ThreadSettings } from '@heddle/wire';
import { it } from 'vitest';
import type { AgentUnderTest, FeatureName } from './agent-under-test.ts';
import { noteFeature } from './capability-sheet.ts';
import { ConformanceClient } from './client.ts';
import { checkOrder, describeViolation } from './order.ts';
import { describeTail, type Entry, Recording } from './recording.ts';
import { loadSchemaCheck, type SchemaCheck } from './schema.ts';

let schemaCheck: SchemaCheck | undefined;

export class Stage {
  readonly agent: AgentUnderTest;
  /** Where threads are started. The agent may prefer a folder of its own: its answer's `cwd` counts. */
  readonly folder: string;
  readonly recording = new Recording();
  readonly #clients: ConformanceClient[] = [];
  readonly #asked = new Set<FeatureName>();

  constructor(agent: AgentUnderTest, folder: string) {
    this.agent = agent;
    this.folder = folder;
  }

  /** A session on which nothing has been sent yet. */
  async open(name: string): Promise<ConformanceClient> {
    const client = new ConformanceClient(await this.agent.connect(name), this.recording, name);
    this.#clients.push(client);
    return client;
  }

  /** A session that has been initialized. */
  async connect(name: string): Promise<ConformanceClient> {
    const client = await this.open(name);
    await client.initialize();
    return client;
  }

  startThread(client: ConformanceClient): Promise<ThreadSettings> {
    return client.startThread({ ...this.agent.threadStart, cwd: this.folder });
  }

  /** Features that this scenario has asserted, to be there or not. */
  get asked(): ReadonlySet<FeatureName> {
    return this.#asked;
  }

  /** Why the agent can't do it, or `undefined` when it can. The scenario asserts what it is told. */
  lacks(feature: FeatureName): string | undefined {
    this.#asked.add(feature);
    const stated = this.agent.features[feature];
    return stated === true ? undefined : stated.missing;
  }

  /** Ends all sessions. */
  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    await Promise.all(this.#clients.map((client) => client.channel.closed));
  }
}

/**
 * Registers one test. When `act` is done, everything that every client saw is held against the schema and the
 * ordering rules; so `act` must have waited for the end of what it began.
 */
export function scenario(agent: () => AgentUnderTest, title: string, act: (stage: Stage) => Promise<void>): void {
  it(title, async () => {
    const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'heddle-conformance-')));
    const stage = new Stage(agent(), folder);
    try {
      await act(stage);
      judge(stage.recording.entries.slice(), stage.agent);
      for (const feature of stage.asked) noteFeature(stage.agent, feature);
    } catch (error) {
      // Most failures can't be understood without what was said.
      if (error instanceof Error) error.message += `\n\nthe last messages:\n${describeTail(stage.recording.entries)}`;
      throw error;
    } finally {
      await stage.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
}

function judge(entries: readonly Entry[], agent: AgentUnderTest): void {
  schemaCheck ??= loadSchemaCheck();
  const violations = [
    ...schemaCheck.check(entries).map(({ seq, connection, text }) => `schema: message ${seq} of ${connection}: ${text}`),
    ...checkOrder(entries, agent.orderExceptions).map(describeViolation),
  ];
  if (violations.length > 0)
    throw new Error(`${agent.name} leaves the wire of codex ${schemaCheck.codexVersion}:\n${violations.join('\n')}`);
}
