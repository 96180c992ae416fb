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

/**
 * Forwards messages both ways until either channel ends, then ends the other with the same reason.
 * Back-pressure of each side reaches the other. Resolves with the reason.
 */
export async function joinChannels(left: Channel, right: Channel): Promise<CloseReason> {
  const forward = async (from: Channel, to: Channel) => {
    for await (const message of from.incoming) {
      try {
        await to.send(message);
      } catch (error) {
        // Either `to` has ended, and its reason wins, or the message is over its limit: then both ends are told.
        from.close(
          error instanceof HeddleError && error.code === 'message_too_large' ? { code: error.code, message: error.message } : undefined,
        );
        return;
      }
    }
  };
  void forward(left, right);
  void forward(right, left);
  const reason = await Promise.race([left.closed, right.closed]);
  left.close(reason);
  right.close(reason);
  return reason;
}
