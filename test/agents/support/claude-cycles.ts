// Owns the cycles of a thread's life with the real claude: started, interrupted while it speaks, unloaded and resumed,
// killed in mid-turn, interrupted while a command runs. Each cycle is a session of its own, held against the ordering
// rules at its end.

import { randomInt, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { HostConnection } from '@heddle/client/node';
import type { ThreadId, Turn } from '@heddle/wire';
import { expect } from 'vitest';
import { ConformanceClient } from '../../conformance/client.ts';
import { checkOrder, describeViolation } from '../../conformance/order.ts';
import { describeTail, Recording } from '../../conformance/recording.ts';
import { prompt } from '../../model-server/script.ts';
import { processes } from './agent-daemon.ts';

/** How many cycles a thread lives. */
export const CYCLES_OF_A_THREAD = 4;
/** There may never be more claude processes. */
const MAX_CLAUDES = 16;
/** A process that was asked to end may have to be killed. */
const GONE_MS = 10_000;

export interface CyclesStage {
  phone: HostConnection;
  /** Where the threads are. */
  folder: string;
  daemonPid: number;
}

type Middle = 'speaking' | 'command';

/**
 * Takes one thread through its four cycles; it is left loaded, and its process to the pool.
 * @param number by it the kill comes while claude speaks, or while a command of its runs
 */
export async function runThreadCycles(stage: CyclesStage, number: number): Promise<ThreadId> {
  const cycles = new ThreadCycles(stage, number);
  await cycles.start();
  await cycles.resumeUnloaded();
  await cycles.kill(number % 2 === 0 ? 'speaking' : 'command');
  await cycles.interruptCommand();
  return cycles.threadId;
}

class ThreadCycles {
  threadId: ThreadId = '';
  /** What its commands do. Nobody else on this computer sleeps that many seconds: by that they are found. */
  readonly #sleep = `sleep ${randomInt(1e6, 1e9)}`;
  readonly #stage: CyclesStage;
  readonly #number: number;

  constructor(stage: CyclesStage, number: number) {
    this.#stage = stage;
    this.#number = number;
  }

  start(): Promise<void> {
    return this.#cycle('start', async (client) => {
      const { thread } = await client.startThread({ cwd: this.#stage.folder, approvalPolicy: 'untrusted' });
      this.threadId = thread.id;
      await this.#interrupt(client, await this.#reach(client, 'speaking'));
    });
  }

  resumeUnloaded(): Promise<void> {
    return this.#cycle('resume', async (client) => {
      await client.request('thread/archive', { threadId: this.threadId });
      expect(this.#claudePids()).toEqual([]);
      await client.request('thread/unarchive', { threadId: this.threadId });
      const { thread } = await client.request('thread/resume', { threadId: this.threadId });
      expect(thread.turns).toMatchObject([{ status: 'interrupted' }]);
      await this.#say(client, 'Here again.');
    });
  }

  kill(middle: Middle): Promise<void> {
    return this.#cycle('kill', async (client) => {
      await client.request('thread/resume', { threadId: this.threadId });
      const turnId = await this.#reach(client, middle);
      const [pid, ...others] = this.#claudePids();
      expect(others).toEqual([]);
      process.kill(pid as number, 'SIGKILL');
      const error = { message: expect.stringContaining('SIGKILL') as string };
      expect(await client.turnEnd(turnId)).toMatchObject({ status: 'failed', error });
      await this.#expectNoCommand();
      await client.request('thread/resume', { threadId: this.threadId });
      await this.#say(client, 'And again.');
    });
  }

  interruptCommand(): Promise<void> {
    return this.#cycle('interrupt', async (client) => {
      await client.request('thread/resume', { threadId: this.threadId });
      await this.#interrupt(client, await this.#reach(client, 'command'));
      await this.#expectNoCommand();
    });
  }

  async #cycle(name: string, act: (client: ConformanceClient) => Promise<void>): Promise<void> {
    const recording = new Recording();
    const client = new ConformanceClient(await this.#stage.phone.openChannel('claude'), recording, name);
    try {
      await client.initialize();
      await act(client);
      const violations = checkOrder(recording.entries, []);
      if (violations.length > 0) throw new Error(violations.map(describeViolation).join('\n'));
    } catch (error) {
      if (error instanceof Error)
        error.message += `\n\nthread ${this.#number}, ${name}; the last messages:\n${describeTail(recording.entries)}`;
      throw error;
    } finally {
      client.close();
      await client.channel.closed;
    }
  }

  /** Starts a turn and waits until it is in its middle. @returns its id */
  async #reach(client: ConformanceClient, middle: Middle): Promise<string> {
    if (middle === 'speaking') {
      const text = ['Half of it, ', { wait: randomUUID() }, 'and the rest.'];
      const turn = await client.startTurn(this.threadId, prompt('Speak.', { text }));
      await client.firstDelta(turn.id);
      return turn.id;
    }
    const begun = `begun-${randomUUID()}`;
    const command = `(${this.#sleep} &) ; touch ${begun} ; ${this.#sleep}`;
    const turn = await client.startTurn(this.threadId, prompt('Run it.', { tools: [{ kind: 'shell', command }] }));
    (await client.question('item/commandExecution/requestApproval', turn.id)).answer({ decision: 'accept' });
    await expect.poll(() => existsSync(path.join(this.#stage.folder, begun)), { timeout: GONE_MS, interval: 20 }).toBe(true);
    return turn.id;
  }

  async #interrupt(client: ConformanceClient, turnId: string): Promise<void> {
    await client.request('turn/interrupt', { threadId: this.threadId, turnId });
    expect(await client.turnEnd(turnId)).toMatchObject({ status: 'interrupted', error: null });
  }

  async #say(client: ConformanceClient, text: string): Promise<void> {
    const turn: Turn = await client.runTurn(this.threadId, prompt('Say it.', { text }));
    expect(turn).toMatchObject({ status: 'completed', items: [{ type: 'agentMessage', text }] });
  }

  async #expectNoCommand(): Promise<void> {
    const isRunning = () => processes().some(({ args }) => args === this.#sleep);
    await expect.poll(isRunning, { timeout: GONE_MS, interval: 20 }).toBe(false);
  }

  /** Of this thread; counts all on the way. */
  #claudePids(): number[] {
    const { daemonPid } = this.#stage;
    const all = processes().filter(({ parent, args }) => parent === daemonPid && args.includes('--input-format stream-json'));
    expect(all.length).toBeLessThanOrEqual(MAX_CLAUDES);
    return all.flatMap(({ pid, args }) => (args.includes(this.threadId) ? [pid] : []));
  }
}
