// A phone that talks to claude through a daemon, and notes when words arrive.

import type { AgentSession, HostConnection } from '@heddle/client/node';
import type { ThreadId } from '@heddle/wire';
import { startServedDaemon } from '../../test/support/served-daemon.ts';
import type { ClaudeSurroundings } from './claude-plain.ts';
import { monotonicMs, type TimedText } from './timed-text.ts';

interface Listening {
  answer: TimedText[];
  end: PromiseWithResolvers<TimedText[]>;
}

export class ClaudePhone {
  readonly #host: HostConnection;
  readonly #session: AgentSession;
  readonly #listening = new Map<ThreadId, Listening>();

  static async connect(host: HostConnection): Promise<ClaudePhone> {
    return new ClaudePhone(host, await host.openAgent('claude', { clientInfo: { name: 'bench', version: '1' } }));
  }

  constructor(host: HostConnection, session: AgentSession) {
    this.#host = host;
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

  /** Its claude is gone when this resolves. */
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

  close(): Promise<void> {
    this.#session.close();
    return this.#host.close();
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

/** Measures with a daemon of its own, which starts that claude. */
export async function withPhone<T>({ command, env }: ClaudeSurroundings, measure: (phone: ClaudePhone) => Promise<T>): Promise<T> {
  const daemon = await startServedDaemon({ toml: `[agents.claude]\ncommand = "${command}"\n[agents.codex]\nenabled = false\n`, env });
  try {
    const phone = await ClaudePhone.connect(await daemon.dial());
    const measured = await measure(phone);
    await phone.close();
    return measured;
  } finally {
    await daemon.end();
  }
}
