// Owns one test's bridge on a fake agent, with clients that are all recorded; at the end everything that was said is
// held against codex's schema and ordering rules.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bridge, createHubBridge } from '@heddle/bridge-kit';
import { silentLog } from '@heddle/rpc';
import type { Thread } from '@heddle/wire';
import { test } from 'vitest';
import { ConformanceClient } from '../../conformance/client.ts';
import { checkOrder, describeViolation } from '../../conformance/order.ts';
import { describeTail, type MessageEntry, Recording } from '../../conformance/recording.ts';
import { loadSchemaCheck } from '../../conformance/schema.ts';
import { FakeAgent, FakeStore } from './fake-agent.ts';

const schema = loadSchemaCheck();

export class HubStage {
  readonly folder = mkdtempSync(join(tmpdir(), 'heddle-hub-'));
  readonly store = new FakeStore();
  readonly recording = new Recording();
  bridge: Bridge;
  #agent: FakeAgent | undefined;
  readonly #clients: ConformanceClient[] = [];

  constructor() {
    this.bridge = this.#makeBridge();
  }

  /** There from the first session on. */
  get agent(): FakeAgent {
    if (this.#agent === undefined) throw new Error('connect first');
    return this.#agent;
  }

  async connect(name = 'A'): Promise<ConformanceClient> {
    const client = await this.open(name);
    await client.initialize();
    return client;
  }

  /** A session on which nothing was said yet. */
  async open(name: string): Promise<ConformanceClient> {
    const client = new ConformanceClient(await this.bridge.open(), this.recording, name);
    this.#clients.push(client);
    return client;
  }

  /** The daemon ends and starts again; the store and the state folder stay. */
  async startAnew(): Promise<void> {
    await this.bridge.close();
    this.bridge = this.#makeBridge();
  }

  /** Notices and questions to a client from `since` on, one word each. */
  told(name = 'A', since = 0): string[] {
    const entries = this.recording.entries.slice(since).filter((entry): entry is MessageEntry => entry.kind === 'message');
    return entries.filter((entry) => entry.connection === name && entry.direction === 'toClient').map(({ message }) => label(message));
  }

  async close(): Promise<void> {
    await this.bridge.close();
    for (const client of this.#clients) client.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #makeBridge(): Bridge {
    return createHubBridge({
      name: 'fake',
      displayName: 'Fake',
      capabilities: { approvals: 'before' },
      context: {
        log: silentLog,
        launchEnv: () => Promise.resolve({}),
        runtimeDir: this.folder,
        stateDir: this.folder,
        heddleVersion: '1',
      },
      probe: () => Promise.resolve({ isAvailable: true, version: '1.0' }),
      createAgent: (hub) => (this.#agent = new FakeAgent(hub, this.store)),
    });
  }
}

/** @param unknownToCodex methods of an older codex that the schema does not have: their answers are not judged. */
export function hubTest(title: string, act: (stage: HubStage) => Promise<void>, unknownToCodex: string[] = []): void {
  test(title, async () => {
    const stage = new HubStage();
    try {
      await act(stage);
      const entries = stage.recording.entries.slice();
      const judged = schema.check(entries).filter(({ text }) => !unknownToCodex.some((method) => text.includes(`${method}, which is not`)));
      const violations = [...judged.map(({ seq, text }) => `${seq}: ${text}`), ...checkOrder(entries, []).map(describeViolation)];
      if (violations.length > 0) throw new Error(`this is not codex's wire:\n${violations.join('\n')}`);
    } catch (error) {
      if (error instanceof Error) error.message += `\n\nthe last messages:\n${describeTail(stage.recording.entries)}`;
      throw error;
    } finally {
      await stage.close();
    }
  });
}

/** A thread in which one thing was said. */
export async function usedThread(client: ConformanceClient, ...texts: string[]): Promise<Thread> {
  const { thread } = await client.startThread({ cwd: '/srv' });
  for (const text of texts) await client.runTurn(thread.id, text);
  return thread;
}

function label(message: Record<string, unknown>): string {
  const { method, id, error } = message;
  const params = (message['params'] ?? {}) as {
    status?: { type: string; activeFlags?: string[] };
    item?: { type: string; status?: string };
    turn?: { status: string };
  };
  if (typeof method !== 'string') return error === undefined ? `= ${String(id)}` : `= ${String(id)} refused`;
  if (method === 'thread/status/changed') return ['status', params.status?.type, ...(params.status?.activeFlags ?? [])].join(' ');
  if (method === 'item/started') return `+ ${params.item?.type}`;
  if (method === 'item/completed') return ['-', params.item?.type, params.item?.status].filter((word) => word !== undefined).join(' ');
  if (method === 'turn/completed') return `turn/completed ${params.turn?.status}`;
  return method;
}
