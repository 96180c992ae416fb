// Owns the contract below a channel: a two-way flow of bytes with half close and back-pressure.
// A libp2p stream, a local socket and a child's pipes are each made into one of these, once.

export interface ByteDuplex {
  /** Bytes from the far side; iterate it once. Ends at their half close; throws when the flow was cut. */
  readonly source: AsyncIterable<Uint8Array>;
  /** Resolves when there is room for more. Rejects when the flow is gone. */
  write(bytes: Uint8Array): Promise<void>;
  /** Half close: no more bytes from here; theirs still arrive. */
  closeWrite(): Promise<void>;
  /** Cuts both directions at once. What was queued is lost. */
  abort(error: Error): void;
  /** Resolves, never rejects, when both directions have ended or were cut. */
  readonly closed: Promise<void>;
}
