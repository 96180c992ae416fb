// Owns one courtesy of a resumed session: a client that comes back and says `initialize` again, as phones do, is
// answered as it was the first time. The agent has been initialized long ago and would refuse. Nothing else is read.

import type { Channel } from '@heddle/rpc';
import type { RequestId } from '@heddle/wire';

const decoder = new TextDecoder();
const encoder = new TextEncoder();
/** Where a client puts the method of its request: within its first bytes. */
const HEAD_BYTES = 256;

/** The agent's channel with that memory. `isResumed` is asked at each `initialize`. */
export function rememberInitialize(
  agent: Channel,
  isResumed: () => boolean,
  answerClient: (message: Uint8Array) => Promise<void>,
): Channel {
  let askedAs: RequestId | undefined;
  let result: unknown;
  let isRepeating = false;

  const incoming = (async function* () {
    for await (const message of agent.incoming) {
      if (askedAs !== undefined && result === undefined) {
        const answer = parse(message);
        if (answer !== undefined && answer['id'] === askedAs && 'result' in answer) result = answer['result'];
      }
      yield message;
    }
  })();

  return {
    incoming,
    closed: agent.closed,
    close: (reason) => agent.close(reason),
    async send(message) {
      if (!decoder.decode(message.subarray(0, HEAD_BYTES)).includes('"initialize')) return agent.send(message);
      const said = parse(message);
      if (said?.['method'] === 'initialize' && 'id' in said) {
        isRepeating = isResumed() && result !== undefined;
        if (isRepeating) return answerClient(encoder.encode(JSON.stringify({ id: said['id'], result })));
        askedAs = said['id'] as RequestId;
      }
      // The notification that follows a repeated `initialize` has nothing to tell either.
      if (said?.['method'] === 'initialized' && isRepeating) return undefined;
      return agent.send(message);
    },
  };
}

function parse(message: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(decoder.decode(message));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // not ours to judge: it goes on as it is
  }
}
