// Owns how turns come to be in the loaded threads: said, queued, begun by the agent itself, or to shorten a
// conversation; and how they are taken back. In one thread one thing at a time.

import type { ThreadId, TurnId, UserInput } from '@heddle/wire';
import { refusal } from '../server/params.ts';
import { changeSettings } from './change-settings.ts';
import type { HubAgent } from './hub-agent.ts';
import type { HubThread } from './hub-thread.ts';
import type { KeyedLock } from './keyed-lock.ts';
import type { LoadedThreads } from './loaded-threads.ts';
import type { RunningTurn, UserMessage } from './running-turn.ts';
import type { WantedSettings } from './thread-settings.ts';
import type { TurnRecord } from './turn-record.ts';
import { TurnRunner, type TurnRunnerOptions } from './turn-runner.ts';
import { uuidV7 } from './uuid-v7.ts';

export interface ThreadTurnsOptions extends Omit<TurnRunnerOptions, 'onCompleted'> {
  loaded: LoadedThreads;
  lock: KeyedLock;
}

type OnAccepted = (turn: TurnRecord) => void;

export class ThreadTurns {
  readonly #agent: HubAgent;
  readonly #loaded: LoadedThreads;
  readonly #lock: KeyedLock;
  readonly #runner: TurnRunner;

  constructor(options: ThreadTurnsOptions) {
    const { agent, loaded, lock, log } = options;
    this.#agent = agent;
    this.#loaded = loaded;
    this.#lock = lock;
    const onCompleted = (thread: HubThread) => {
      this.startQueued(thread).catch((error: unknown) => log.warn('a queued message was not said', { error: String(error) }));
    };
    this.#runner = new TurnRunner({ ...options, onCompleted });
  }

  /** As in codex: opens a turn, or joins the one that runs. `onAccepted` runs before anything is told of it. */
  async say(id: ThreadId, said: Omit<UserMessage, 'id'>, wanted: WantedSettings, onAccepted: OnAccepted): Promise<void> {
    for (let isSaid = false; !isSaid; ) {
      const cut = this.#loaded.require(id).running;
      if (cut?.cutShort !== undefined) await cut.ended; // interrupted, winding up: the message is for a turn of its own
      isSaid = await this.#lock.run(id, async () => {
        const thread = this.#loaded.require(id);
        await changeSettings(this.#agent, thread, wanted);
        const { running } = thread;
        if (running?.cutShort !== undefined || !thread.isLoaded) return false;
        if (running === undefined) this.#begin(thread, said, onAccepted);
        else {
          this.steer(running, said);
          onAccepted(running.record);
        }
        return true;
      });
    }
  }

  /** The agent takes the message at its next step; the answer goes out before that. */
  steer(turn: RunningTurn, said: { clientId: string | null; content: UserInput[] }): void {
    if (turn.steer({ ...said, id: this.#newMessageId() })) return;
    throw refusal(`turn ${turn.id} is too large to take another message; wait for its end or interrupt it`);
  }

  /** Begins a turn with the next queued message, or with that one. @returns false when one runs, or none is queued. */
  startQueued(thread: HubThread, id?: string, onAccepted: OnAccepted = () => {}): Promise<boolean> {
    return this.#lock.run(thread.id, () => {
      if (!thread.isLoaded || thread.running !== undefined) return false;
      const next = thread.queue.take(id);
      if (next === undefined) return false;
      thread.notify('thread/queue/changed', { threadId: thread.id });
      this.#begin(thread, { clientId: next.clientUserMessageId, content: next.input }, onAccepted);
      return true;
    });
  }

  /** A turn without a message in which the agent shortens the conversation. */
  async compact(id: ThreadId, onAccepted: () => void): Promise<void> {
    const agent = this.#agent;
    if (agent.compact === undefined) throw refusal(`${agent.name} can't shorten a conversation`);
    await this.runWithoutMessage(id, async (turn) => agent.compact?.(turn), onAccepted);
  }

  /**
   * Begins a turn in which nobody says anything.
   * @throws RpcError while another one runs.
   */
  async runWithoutMessage(id: ThreadId, run: (turn: RunningTurn) => Promise<void>, onAccepted: () => void): Promise<void> {
    await this.#lock.run(id, () => {
      const thread = this.#loaded.require(id);
      refuseWhileRunning(thread);
      this.#runner.start(thread, { id: this.#newMessageId(), messages: [], run, onAccepted });
    });
  }

  /** See `HubForAgent`. */
  async beginOwnTurn(threadId: ThreadId, turnId: TurnId, run: (turn: RunningTurn) => Promise<void>): Promise<void> {
    for (;;) {
      const thread = this.#loaded.find(threadId);
      if (thread === undefined || !thread.isLoaded) return;
      await thread.running?.ended;
      const begun = await this.#lock.run(threadId, () => {
        if (!thread.isLoaded || thread.running !== undefined) return {};
        return { turn: this.#runner.start(thread, { id: turnId, messages: [], run }) };
      });
      if (begun.turn !== undefined) return begun.turn.ended;
    }
  }

  /**
   * Drops turns from the end of a conversation. `choose` picks them, oldest first, while nothing can begin.
   * @throws RpcError when the agent can't, or a turn runs.
   */
  async revert(thread: HubThread, choose: () => Promise<TurnId[]>): Promise<void> {
    const agent = this.#agent;
    if (agent.revertThread === undefined) throw refusal(`${agent.name} can't take a conversation back`);
    await this.#lock.run(thread.id, async () => {
      refuseWhileRunning(this.#loaded.require(thread.id));
      const dropped = await choose();
      const [beforeTurnId] = dropped;
      if (beforeTurnId === undefined) throw refusal('there is no turn to drop');
      await agent.revertThread?.(thread.id, beforeTurnId);
      thread.record.turns = thread.record.turns.filter((turn) => !dropped.includes(turn.id));
      thread.touch();
    });
  }

  /**
   * Brings back what `revert` has dropped last.
   * @throws RpcError when the agent can't, there is nothing, or a turn runs.
   */
  async unrevert(thread: HubThread): Promise<void> {
    const agent = this.#agent;
    if (agent.unrevertThread === undefined) throw refusal(`${agent.name} can't bring back what was taken back`);
    await this.#lock.run(thread.id, async () => {
      refuseWhileRunning(this.#loaded.require(thread.id));
      await agent.unrevertThread?.(thread.id);
      thread.touch();
    });
  }

  #begin(thread: HubThread, said: Omit<UserMessage, 'id'>, onAccepted: OnAccepted): void {
    const id = this.#newMessageId();
    const run = (turn: RunningTurn) => this.#agent.runTurn(turn);
    this.#runner.start(thread, { id, messages: [{ ...said, id }], run, onAccepted });
  }

  #newMessageId(): string {
    return this.#agent.newMessageId?.() ?? uuidV7();
  }
}

/** @throws RpcError while a turn runs in the thread. */
export function refuseWhileRunning(thread: HubThread | undefined): void {
  if (thread?.running !== undefined) throw refusal(`a turn runs in thread ${thread.id}; wait for its end or interrupt it`);
}
