// Owns the running of turns: one at a time in a thread, from its opening to its end, whoever begins it: a message, a
// queued message, the agent itself, or the wish to shorten the conversation.

import type { Log } from '@heddle/rpc';
import type { TurnError, TurnId } from '@heddle/wire';
import type { HubAgent } from './hub-agent.ts';
import type { HubThread } from './hub-thread.ts';
import { RunningTurn, type UserMessage } from './running-turn.ts';
import { type HistoryBounds, trimHistory } from './thread-record.ts';
import { TurnFailure } from './turn-failure.ts';
import type { TurnRecord } from './turn-record.ts';
import type { TurnHost } from './turn-writer.ts';

/** What opens a turn, and what is done in it. */
export interface NewTurn {
  id: TurnId;
  messages: UserMessage[];
  run: (turn: RunningTurn) => Promise<void>;
  /** Runs first, so that the answer to the client precedes the notices. */
  onAccepted?: (turn: TurnRecord) => void;
}

export interface TurnRunnerOptions {
  agent: HubAgent;
  log: Log;
  host: Omit<TurnHost, 'onTooLarge'>;
  history: HistoryBounds;
  /** A turn has ended by itself and well: what was queued may follow. */
  onCompleted: (thread: HubThread) => void;
}

export class TurnRunner {
  readonly #options: TurnRunnerOptions;

  constructor(options: TurnRunnerOptions) {
    this.#options = options;
  }

  /** Begins a turn in a thread in which none runs. */
  start(thread: HubThread, { id, messages, run, onAccepted }: NewTurn): RunningTurn {
    const turn = new RunningTurn(thread, id, messages, this.#options.host);
    const { record } = thread;
    thread.running = turn;
    record.turns.push(turn.record);
    record.recencyAtMs = turn.record.startedAtMs;
    record.updatedAtMs = turn.record.startedAtMs;
    if (record.preview === '') record.preview = firstText(messages);
    onAccepted?.(turn.record);
    turn.begin();
    void this.#run(thread, turn, run);
    return turn;
  }

  async #run(thread: HubThread, turn: RunningTurn, run: (turn: RunningTurn) => Promise<void>): Promise<void> {
    const { agent, history, onCompleted } = this.#options;
    let failure: unknown;
    try {
      await run(turn);
      // A message that arrived while the agent was finishing is still part of this turn.
      while (turn.hasMessages && turn.cutShort === undefined) await agent.runTurn(turn);
    } catch (error) {
      failure = error;
    }
    // From here to the end nothing waits: no message can slip in between.
    const error = this.#turnError(turn, failure);
    thread.running = undefined;
    turn.end(error);
    trimHistory(thread.record, history);
    if (turn.record.status === 'completed') onCompleted(thread);
  }

  #turnError(turn: RunningTurn, failure: unknown): TurnError | undefined {
    if (turn.cutShort?.status === 'interrupted') return undefined;
    if (turn.cutShort === undefined && failure === undefined) return undefined;
    this.#options.log.info('a turn failed', { threadId: turn.threadId, turnId: turn.id });
    if (turn.cutShort === undefined && failure instanceof TurnFailure) return failure.error;
    const message = turn.cutShort?.message ?? (failure instanceof Error ? failure.message : String(failure));
    return { message, codexErrorInfo: 'other', additionalDetails: null };
  }
}

function firstText(messages: readonly UserMessage[]): string {
  return messages[0]?.content.find((input) => input.type === 'text')?.text ?? '';
}
