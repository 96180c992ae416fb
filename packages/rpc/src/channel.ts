// Owns the contract that every room shares: an ordered flow of whole messages, both ways.
// A message is opaque bytes here (one JSON-RPC text); who reads it is somebody else's business.

import { type CloseCode, HeddleError } from '@heddle/wire';

/** Why a channel ended. The first cause wins and is kept. */
export interface CloseReason {
  code: CloseCode;
  message: string;
  hint?: string | undefined;
}

/** The far side went away without a word. */
export const connectionLost: CloseReason = { code: 'connection_lost', message: 'the connection was lost' };
/** The ordinary end. */
export const closedNormally: CloseReason = { code: 'closed', message: 'the session was closed' };

/** An ordered, reliable flow of messages, with back-pressure both ways. */
export interface Channel {
  /**
   * Messages from the far side, in order; iterate it once. It ends when the channel does, after everything
   * that had arrived was taken, and never throws: the reason is in `closed`. While it is not read, the far
   * side is held back.
   */
  readonly incoming: AsyncIterable<Uint8Array>;
  /**
   * Queues one message; messages leave in the order of the calls. Resolves when there is room for another.
   * @throws HeddleError with the code of the close reason once the channel has ended, and
   *   `message_too_large` for a message over the channel's limit (the channel stays usable).
   */
  send(message: Uint8Array): Promise<void>;
  /** Ends both directions after what is queued has left, and tells the far side why. Later calls do nothing. */
  close(reason?: CloseReason): void;
  /** Resolves, never rejects, when the channel has ended. */
  readonly closed: Promise<CloseReason>;
}

/** What had arrived on an ended channel is still forwarded, unless the other side does not take it for this long. */
const DRAIN_GRACE_MS = 5_000;

/**
 * Forwards messages both ways until either channel ends, then ends the other with the same reason, after the
 * messages that had arrived. Back-pressure of each side reaches the other. Resolves with the reason.
 */
export async function joinChannels(left: Channel, right: Channel): Promise<CloseReason> {
  return Promise.race([forward(left, right), forward(right, left)]);
}

async function forward(from: Channel, to: Channel): Promise<CloseReason> {
  const forwarding = forwardMessages(from, to);
  const reason = await from.closed;
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, DRAIN_GRACE_MS);
  await Promise.race([forwarding, late]);
  clearTimeout(timer);
  to.close(reason);
  return reason;
}

async function forwardMessages(from: Channel, to: Channel): Promise<void> {
  for await (const message of from.incoming) {
    try {
      await to.send(message);
    } catch (error) {
      // Either `to` has ended, and its reason wins, or the message is over its limit: then both ends are told.
      if (error instanceof HeddleError && error.code === 'message_too_large') from.close({ code: error.code, message: error.message });
      return;
    }
  }
}
