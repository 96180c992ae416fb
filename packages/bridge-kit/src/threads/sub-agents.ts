// Owns the sub-agents of one turn: each has a thread and a turn of its own, heard by whoever hears the parent, and
// ends with the parent's turn at the latest.

import type { ItemId } from '@heddle/wire';
import { HubThread } from './hub-thread.ts';
import type { TurnEvent, TurnOutcome } from './turn-events.ts';
import { newTurnRecord, type TurnRecord } from './turn-record.ts';
import type { TurnHost, TurnWriter } from './turn-writer.ts';

type Started = Extract<TurnEvent, { type: 'subAgentStarted' }>;

export class SubAgents {
  readonly #parent: TurnWriter;
  readonly #host: TurnHost;
  readonly #makeTurn: (child: HubThread, record: TurnRecord) => TurnWriter;
  readonly #running = new Map<string, TurnWriter>();

  constructor(parent: TurnWriter, host: TurnHost, makeTurn: (child: HubThread, record: TurnRecord) => TurnWriter) {
    this.#parent = parent;
    this.#host = host;
    this.#makeTurn = makeTurn;
  }

  /** @returns false when it runs already. */
  start({ agentThreadId, nickname, role, prompt, turnId }: Started): boolean {
    if (this.#running.has(agentThreadId)) return false;
    const child = HubThread.childOf(this.#parent.thread, { id: agentThreadId, nickname, role, preview: prompt ?? '' });
    const record = newTurnRecord(turnId, child.takeOrdinal());
    child.record.turns.push(record);
    this.#host.addChild(child);
    const turn = this.#makeTurn(child, record);
    this.#running.set(agentThreadId, turn);
    child.setStatus({ type: 'idle' }); // codex's first sign of a child; it has no thread/started
    turn.begin();
    return true;
  }

  /** @returns false when no such sub-agent runs. */
  apply(agentThreadId: string, event: TurnEvent): boolean {
    const turn = this.#running.get(agentThreadId);
    turn?.apply(event);
    return turn !== undefined;
  }

  end(agentThreadId: string, outcome: TurnOutcome): boolean {
    const turn = this.#running.get(agentThreadId);
    if (turn === undefined) return false;
    this.#running.delete(agentThreadId);
    turn.end(outcome);
    return true;
  }

  endAll(): void {
    for (const agentThreadId of this.#running.keys()) this.end(agentThreadId, { status: 'interrupted' });
  }

  takeNothingNew(): void {
    for (const turn of this.#running.values()) turn.takeNothingNew();
  }

  ownerOf(itemId: ItemId): TurnWriter | undefined {
    return this.#firstOf((turn) => turn.ownerOf(itemId));
  }

  inThread(threadId: string): TurnWriter | undefined {
    return this.#firstOf((turn) => turn.inThread(threadId));
  }

  #firstOf(find: (turn: TurnWriter) => TurnWriter | undefined): TurnWriter | undefined {
    for (const turn of this.#running.values()) {
      const found = find(turn);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
