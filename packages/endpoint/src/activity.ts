// Owns whether an agent is busy for somebody: a turn runs, or a question waits for a person. It looks at the
// beginning of what the agent says and parses only the few messages that begin or end such a thing.

import type { RequestId, TurnId } from '@heddle/wire';

const decoder = new TextDecoder();
/** codex and heddle's own agents write `method` first. */
const METHOD_HEAD = '{"method":"';
const HEAD_BYTES = 80;
const question = /(?:requestApproval|requestUserInput|elicitation\/request)$/;

/** What one session's agent has under way. */
export class Activity {
  readonly #turns = new Set<TurnId>();
  readonly #questions = new Set<RequestId>();

  get isBusy(): boolean {
    return this.#turns.size > 0 || this.#questions.size > 0;
  }

  /** Looks at one message from the agent. */
  observe(message: Uint8Array): void {
    const head = decoder.decode(message.subarray(0, HEAD_BYTES));
    if (!head.startsWith(METHOD_HEAD)) return;
    const method = head.slice(METHOD_HEAD.length, head.indexOf('"', METHOD_HEAD.length));
    if (method === 'turn/started') this.#turns.add(turnOf(message));
    else if (method === 'turn/completed') this.#turns.delete(turnOf(message));
    else if (method === 'serverRequest/resolved') this.#questions.delete((paramsOf(message) as { requestId: RequestId }).requestId);
    else if (question.test(method)) this.#questions.add((JSON.parse(decoder.decode(message)) as { id: RequestId }).id);
  }
}

function turnOf(message: Uint8Array): TurnId {
  return (paramsOf(message) as { turn: { id: TurnId } }).turn.id;
}

function paramsOf(message: Uint8Array): unknown {
  return (JSON.parse(decoder.decode(message)) as { params: unknown }).params;
}
