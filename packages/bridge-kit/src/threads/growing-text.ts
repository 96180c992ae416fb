// Owns a text that grows in an open item: what still fits of each part, and the note at the end of what did not.

import { cutNote, cutToEncodedBytes, encodedBytes, MAX_ITEM_BYTES } from './item-caps.ts';

export class GrowingText {
  #room: number;
  #leftOut = 0;

  constructor(already: string) {
    this.#room = MAX_ITEM_BYTES - encodedBytes(already);
  }

  /** @returns the part of `delta` that is kept; '' once something was left out. */
  take(delta: string): string {
    const kept = this.#leftOut > 0 ? '' : cutToEncodedBytes(delta, this.#room);
    this.#room -= encodedBytes(kept);
    this.#leftOut += delta.length - kept.length;
    return kept;
  }

  /** What is to be said at the end; '' when nothing was left out. */
  note(): string {
    return this.#leftOut === 0 ? '' : cutNote(this.#leftOut);
  }
}
