// Owns a session over this process's stdin and stdout, as JSON lines. Nothing else is ever written to stdout.

import type { Readable, Writable } from 'node:stream';
import { asError, HeddleError } from '@heddle/wire';
import {
  type Channel,
  closedNormally,
  type CloseReason,
  connectionLost,
  encodeLine,
  MAX_MESSAGE_TO_DAEMON_BYTES,
  splitLines,
} from '@heddle/rpc';
import { OpenRequests } from './open-requests.ts';

/** How long the agent may still answer what was asked before stdin ended. */
const LAST_ANSWERS_MS = 2_000;

/**
 * Carries messages both ways until stdin ends, the session does, or nobody reads stdout any more. After the end of
 * stdin the requests that are open may still be answered, so that a script can pipe its requests in.
 * @returns why the session ended; `closed` when this side ended it
 */
export async function attachStdio(channel: Channel, stdio: { stdin: Readable; stdout: Writable }): Promise<CloseReason> {
  const open = new OpenRequests();
  const send = async () => {
    for await (const line of splitLines(withLastLineEnd(stdio.stdin), MAX_MESSAGE_TO_DAEMON_BYTES)) {
      open.sent(line);
      await channel.send(line);
    }
    await open.settledWithin(LAST_ANSWERS_MS, channel.closed);
    channel.close(closedNormally);
  };
  // A channel that has ended keeps its own reason: this close then does nothing.
  send().catch((error: unknown) => channel.close(reasonOf(error)));
  try {
    for await (const message of channel.incoming) {
      await writeAll(stdio.stdout, encodeLine(message));
      open.answered(message);
    }
  } catch {
    channel.close(closedNormally); // stdout is gone, and with it whoever the session was for
  }
  return channel.closed;
}

/** `printf '{…}' | heddle attach …` without a line end at the end means its last line all the same. */
async function* withLastLineEnd(stdin: Readable): AsyncGenerator<Uint8Array> {
  yield* stdin as AsyncIterable<Buffer>;
  yield Uint8Array.of(0x0a);
}

function writeAll(stdout: Writable, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

function reasonOf(error: unknown): CloseReason {
  if (error instanceof HeddleError && error.code === 'message_too_large') return { code: error.code, message: error.message };
  return { ...connectionLost, message: `stdin can't be read: ${asError(error).message}` };
}
