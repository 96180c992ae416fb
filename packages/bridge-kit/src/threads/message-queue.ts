// Owns the messages of a thread that wait for the running turn to end, in the order in which they are to be said.

import { type QueuedSubmission, type UserInput } from '@heddle/wire';
import { refusal } from '../server/params.ts';
import { uuidV7 } from './uuid-v7.ts';

const MAX_QUEUED = 100;

export class MessageQueue {
  #entries: QueuedSubmission[] = [];

  get entries(): readonly QueuedSubmission[] {
    return this.#entries;
  }

  /** @throws RpcError when too many wait. */
  add(input: UserInput[], clientUserMessageId: string): QueuedSubmission {
    if (this.#entries.length >= MAX_QUEUED) throw refusal(`${MAX_QUEUED} messages are queued already; delete one or wait`);
    const entry = { id: uuidV7(), input, clientUserMessageId };
    this.#entries.push(entry);
    return entry;
  }

  /** @throws RpcError for an id that is not queued. */
  update(id: string, input: UserInput[]): QueuedSubmission {
    const entry = this.#entries.find((one) => one.id === id);
    if (entry === undefined) throw refusal(`queued submission not found: ${id}`);
    entry.input = input;
    return entry;
  }

  delete(id: string): boolean {
    const before = this.#entries.length;
    this.#entries = this.#entries.filter((entry) => entry.id !== id);
    return this.#entries.length < before;
  }

  /** @throws RpcError when the ids are not those that are queued, each once. */
  reorder(ids: readonly string[]): void {
    const byId = new Map(this.#entries.map((entry) => [entry.id, entry]));
    const ordered = [...new Set(ids)].flatMap((id) => byId.get(id) ?? []);
    if (ordered.length !== this.#entries.length || ids.length !== ordered.length) {
      throw refusal('the ids must be those of all queued submissions, each once');
    }
    this.#entries = ordered;
  }

  /** Takes the first, or the one with that id, out of the queue. */
  take(id?: string): QueuedSubmission | undefined {
    const entry = id === undefined ? this.#entries[0] : this.#entries.find((one) => one.id === id);
    if (entry !== undefined) this.delete(entry.id);
    return entry;
  }
}
