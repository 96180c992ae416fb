// Owns what a device with less than full rights may say to an agent. Who may do everything passes unread; what
// others may say is written anew from its parsed form, so that no agent reads in it what was not judged here.

import type { Channel } from '@heddle/rpc';
import { type DeviceScope, jsonRpcCodes, needOf, type RequestId } from '@heddle/wire';

const decoder = new TextDecoder('utf-8', { fatal: true });
const encoder = new TextEncoder();
const encode = (value: unknown) => encoder.encode(JSON.stringify(value));

/**
 * The agent as a device may use it. The scope is asked for each message, so a change holds at once.
 * A refused request is answered with a JSON-RPC error; notifications and answers (to approvals, say) are dropped.
 */
export function filterByScope(agent: Channel, scope: () => DeviceScope): Channel {
  const incoming = new IncomingWithRefusals(agent.incoming[Symbol.asyncIterator]());
  void agent.closed.then(() => incoming.lift());
  return {
    incoming: { [Symbol.asyncIterator]: () => incoming },
    closed: agent.closed,
    close: (reason) => agent.close(reason),
    async send(message) {
      if (scope() === 'drive') return agent.send(message);
      const verdict = judgeForWatching(message);
      if ('pass' in verdict) return agent.send(verdict.pass);
      if ('refuse' in verdict) await incoming.refuse(verdict.refuse);
    },
  };
}

type Verdict = { pass: Uint8Array } | { refuse: Uint8Array } | { drop: true };

/** What becomes of a message of a device that may only watch. */
export function judgeForWatching(bytes: Uint8Array): Verdict {
  const message = parse(bytes);
  if (message === undefined) return { drop: true };
  const { id, method, params } = message;
  if (typeof method !== 'string') return { drop: true };
  if (id === undefined) return method === 'initialized' ? { pass: encode({ method }) } : { drop: true };
  if (!isRequestId(id)) return { drop: true };
  const { needs, onlyParams } = needOf(method);
  if (needs === 'drive') return { refuse: encode({ id, error: refusalOf(method) }) };
  const rest = params === undefined ? {} : { params: onlyParams === undefined ? params : pick(params, onlyParams) };
  return { pass: encode({ id, method, ...rest }) };
}

function refusalOf(method: string) {
  return {
    code: jsonRpcCodes.invalidRequest,
    message: `this device may only watch: ${method} is not allowed. \`heddle devices scope\` on the computer changes that.`,
  };
}

function parse(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // what is no JSON is no request that could be answered
  }
}

/** A number that JavaScript would change is nobody's id. */
function isRequestId(id: unknown): id is RequestId {
  return typeof id === 'string' || Number.isSafeInteger(id);
}

function pick(params: unknown, names: readonly string[]): unknown {
  if (typeof params !== 'object' || params === null) return params;
  return Object.fromEntries(Object.entries(params).filter(([name]) => names.includes(name)));
}

/**
 * The agent's messages with refusals between them. At most one message of the agent is read ahead, so it is held back
 * as before. (`Promise.race` over the two would hold on to every message for as long as no refusal comes.)
 */
class IncomingWithRefusals implements AsyncIterator<Uint8Array> {
  readonly #agent: AsyncIterator<Uint8Array>;
  #isReading = false;
  #readAhead: IteratorResult<Uint8Array> | undefined;
  #refusals: { bytes: Uint8Array; taken: () => void }[] = [];
  #isLifted = false;
  #deliver: ((result: IteratorResult<Uint8Array>) => void) | undefined;

  constructor(agent: AsyncIterator<Uint8Array>) {
    this.#agent = agent;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const refusal = this.#refusals.shift();
    if (refusal !== undefined) {
      refusal.taken();
      return Promise.resolve({ done: false, value: refusal.bytes });
    }
    if (this.#readAhead !== undefined) {
      const result = this.#readAhead;
      this.#readAhead = undefined;
      return Promise.resolve(result);
    }
    return new Promise((resolve, reject) => {
      this.#deliver = resolve;
      if (this.#isReading) return;
      this.#isReading = true;
      this.#agent.next().then((result) => {
        this.#isReading = false;
        if (!this.#handOver(result)) this.#readAhead = result;
      }, reject);
    });
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.lift();
    await this.#agent.return?.();
    return { done: true, value: undefined };
  }

  /** Resolves when it was taken: a client that does not read its answers is not read either. */
  refuse(bytes: Uint8Array): Promise<void> {
    if (this.#isLifted || this.#handOver({ done: false, value: bytes })) return Promise.resolve();
    return new Promise((taken) => this.#refusals.push({ bytes, taken }));
  }

  /** Nobody waits for a reader any more. */
  lift(): void {
    this.#isLifted = true;
    for (const { taken } of this.#refusals) taken();
  }

  #handOver(result: IteratorResult<Uint8Array>): boolean {
    const deliver = this.#deliver;
    this.#deliver = undefined;
    deliver?.(result);
    return deliver !== undefined;
  }
}
