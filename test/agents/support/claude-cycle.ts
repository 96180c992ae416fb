// Owns one cycle of a thread's life with the real claude, in a session of its own: it is started, interrupted, unloaded,
// resumed, and its claude is killed in mid-turn; in some cycles it goes on after that. Everything is held against the
// ordering rules.

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { HostConnection } from '@heddle/client/node';
import type { ThreadId } from '@heddle/wire';
import { expect } from 'vitest';
import { ConformanceClient } from '../../conformance/client.ts';
import { checkOrder, describeViolation } from '../../conformance/order.ts';
import { describeTail, Recording } from '../../conformance/recording.ts';
import { prompt } from '../../model-server/script.ts';
import type { ModelServer } from '../../model-server/server.ts';
import { processes } from './claude-daemon.ts';

/** As many claude processes as there may be, whatever is asked. */
const MAX_CLAUDES = 16;
/** `sleep` takes that many seconds, which nobody else does: by it the process is found. */
const FIRST_SLEEP_SECONDS = 1_000_000;
/** A process that was told to end may have to be killed. */
const GONE_MS = 10_000;

export interface CycleStage {
  phone: HostConnection;
  modelServer: ModelServer;
  /** Where the threads are. */
  folder: string;
  daemonPid: number;
}

export interface Cycle {
  /** From 0; by it the interrupt and the kill come while claude speaks, or while a command of its runs. */
  number: number;
  /** Whether the conversation goes on after the kill: then its process is left to the pool. */
  goesOn: boolean;
}

/** @returns the thread, which is still loaded. */
export async function runCycle(stage: CycleStage, { number, goesOn }: Cycle): Promise<ThreadId> {
  const recording = new Recording();
  const client = new ConformanceClient(await stage.phone.openChannel('claude'), recording, `cycle ${number}`);
  try {
    await client.initialize();
    const { thread } = await client.startThread({ cwd: stage.folder, approvalPolicy: 'untrusted' });
    const middle = new MiddleOfTurn(stage, client, thread.id, FIRST_SLEEP_SECONDS + number);

    const first = await middle.reach(number % 2 === 0 ? 'speaking' : 'command', `First words ${number}.`);
    await client.request('turn/interrupt', { threadId: thread.id, turnId: first });
    expect(await client.turnEnd(first)).toMatchObject({ status: 'interrupted' });
    await middle.expectNoCommand();

    await client.request('thread/archive', { threadId: thread.id });
    await client.request('thread/unarchive', { threadId: thread.id });
    await client.request('thread/resume', { threadId: thread.id });

    const second = await middle.reach(number % 4 < 2 ? 'speaking' : 'command', 'Second words.');
    expect(JSON.stringify(stage.modelServer.requests.findLast(({ turns }) => turns.some(({ text }) => text.includes(`words ${number}.`))))).toContain(
      'Second words.',
    );
    process.kill(claudeOf(stage, thread.id), 'SIGKILL');
    expect(await client.turnEnd(second)).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('SIGKILL') as string } });
    await middle.expectNoCommand();

    if (goesOn) {
      await client.request('thread/resume', { threadId: thread.id });
      expect(await client.runTurn(thread.id, prompt('Third words.', { text: 'Still here.' }))).toMatchObject({ status: 'completed' });
    }
    const violations = checkOrder(recording.entries, []);
    if (violations.length > 0) throw new Error(violations.map(describeViolation).join('\n'));
    return thread.id;
  } catch (error) {
    if (error instanceof Error) error.message += `\n\nin cycle ${number}, the last messages:\n${describeTail(recording.entries)}`;
    throw error;
  } finally {
    client.close();
    await client.channel.closed;
  }
}

/** The way into the middle of a turn. */
class MiddleOfTurn {
  readonly #stage: CycleStage;
  readonly #client: ConformanceClient;
  readonly #threadId: ThreadId;
  readonly #sleepSeconds: number;

  constructor(stage: CycleStage, client: ConformanceClient, threadId: ThreadId, sleepSeconds: number) {
    this.#stage = stage;
    this.#client = client;
    this.#threadId = threadId;
    this.#sleepSeconds = sleepSeconds;
  }

  /** @returns the turn's id. */
  async reach(middle: 'speaking' | 'command', words: string): Promise<string> {
    if (middle === 'speaking') {
      const turn = await this.#client.startTurn(this.#threadId, prompt(words, { text: ['Half of it, ', { wait: randomUUID() }, 'and the rest.'] }));
      await this.#client.firstDelta(turn.id);
      return turn.id;
    }
    const begun = `begun-${randomUUID()}`;
    const command = `(sleep ${this.#sleepSeconds} &) ; touch ${begun} ; sleep ${this.#sleepSeconds}`;
    const turn = await this.#client.startTurn(this.#threadId, prompt(words, { tools: [{ kind: 'shell', command }] }));
    (await this.#client.question('item/commandExecution/requestApproval', turn.id)).answer({ decision: 'accept' });
    await expect.poll(() => existsSync(path.join(this.#stage.folder, begun)), { timeout: GONE_MS, interval: 20 }).toBe(true);
    return turn.id;
  }

  async expectNoCommand(): Promise<void> {
    const isSleeping = () => processes().some(({ args }) => args === `sleep ${this.#sleepSeconds}`);
    await expect.poll(isSleeping, { timeout: GONE_MS, interval: 20 }).toBe(false);
  }
}

function claudeOf({ daemonPid }: CycleStage, threadId: ThreadId): number {
  const claudes = processes().filter(({ parent, args }) => parent === daemonPid && args.includes('--input-format stream-json'));
  expect(claudes.length).toBeLessThanOrEqual(MAX_CLAUDES);
  const own = claudes.filter(({ args }) => args.includes(threadId));
  expect(own).toHaveLength(1);
  return own[0]?.pid as number;
}
