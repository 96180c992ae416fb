// A phone that talks to an agent through a daemon, and notes when words arrive.

import type { AgentSession, HostConnection } from '@heddle/client/node';
import type { ThreadId } from '@heddle/wire';
import { startServedDaemon } from '../../test/support/served-daemon.ts';
import type { AgentUse } from './agents/benched-agent.ts';
import { monotonicMs, type TimedText } from './timed-text.ts';

interface Listening {
  answer: TimedText[];
  end: PromiseWithResolvers<TimedText[]>;
}

export class AgentPhone {
  readonly #session: AgentSession;
  readonly #listening = new Map<ThreadId, Listening>();

  static async open(host: HostConnection, agent: string): Promise<AgentPhone> {
    return new AgentPhone(await host.openAgent(agent, { clientInfo: { name: 'bench', version: '1' } }));
  }

  constructor(session: AgentSession) {
    this.#session = session;
    void this.#listen();
  }

  async startThread(cwd: string): Promise<ThreadId> {
    return (await this.#session.request('thread/start', { cwd })).thread.id;
  }

  /** Resolves with the answer when the turn has ended. @throws Error when it did not end well. */
  async turn(threadId: ThreadId, said: string): Promise<TimedText[]> {
    const listening: Listening = { answer: [], end: Promise.withResolvers() };
    this.#listening.set(threadId, listening);
    await this.#session.request('turn/start', { threadId, input: [{ type: 'text', text: said }] });
    return listening.end.promise;
  }

  /** Its agent holds nothing of it when this resolves. */
  async unload(threadId: ThreadId): Promise<void> {
    await this.#session.request('thread/archive', { threadId });
    await this.#session.request('thread/unarchive', { threadId });
  }

  async resume(threadId: ThreadId): Promise<ThreadId> {
    return (await this.#session.request('thread/resume', { threadId })).thread.id;
  }

  async deleteThread(threadId: ThreadId): Promise<void> {
    await this.#session.request('thread/delete', { threadId });
  }

  close(): void {
    this.#session.close();
  }

  async #listen(): Promise<void> {
    for await (const event of this.#session.events()) {
      if (event.kind !== 'notification') continue;
      if (event.method === 'item/agentMessage/delta') {
        const { threadId, delta } = event.params;
        this.#listening.get(threadId)?.answer.push({ atMs: monotonicMs(), text: delta });
      }
      if (event.method !== 'turn/completed') continue;
      const { threadId, turn } = event.params;
      const listening = this.#listening.get(threadId);
      if (turn.status === 'completed') listening?.end.resolve(listening.answer);
      else listening?.end.reject(new Error(`a turn ended as ${turn.status}: ${turn.error?.message}`));
    }
    for (const { end } of this.#listening.values()) end.reject(new Error('the session ended'));
  }
}

/** All that host.toml may name: who is not measured does not run. */
const agents = ['codex', 'claude', 'opencode', 'pi'] as const;

/** Measures with a daemon of its own, which has that agent only. Nothing is asked of the agent before `open` is called. */
export async function withDaemon<T>(
  name: string,
  { toml, env }: Pick<AgentUse, 'toml' | 'env'>,
  measure: (open: () => Promise<AgentPhone>) => Promise<T>,
): Promise<T> {
  const others = agents.filter((agent) => agent !== name).map((agent) => `[agents.${agent}]\nenabled = false\n`);
  const daemon = await startServedDaemon({ toml: `${toml}${others.join('')}`, env });
  try {
    const host = await daemon.dial();
    const measured = await measure(() => AgentPhone.open(host, name));
    await host.close();
    return measured;
  } finally {
    await daemon.end();
  }
}

/** The same, with a phone that has opened the agent. */
export function withPhone<T>(name: string, use: Pick<AgentUse, 'toml' | 'env'>, measure: (phone: AgentPhone) => Promise<T>): Promise<T> {
  return withDaemon(name, use, async (open) => {
    const phone = await open();
    const measured = await measure(phone);
    phone.close();
    return measured;
  });
}
