// Owns asking a person at the terminal. The question goes to stderr: stdout belongs to what was asked for.

import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';

export type Ask = (question: string, signal: AbortSignal) => Promise<string | undefined>;

/** Resolves with the line that was typed; undefined when the input ended or the signal was aborted. */
export function askOnTerminal(stdin: Readable, stderr: Writable): Ask {
  return async (question, signal) => {
    // Not `terminal: true`: in raw mode Ctrl-C would be a character and no signal.
    const lines = createInterface({ input: stdin, output: stderr, terminal: false });
    const { promise: ended, resolve } = Promise.withResolvers<undefined>();
    lines.once('close', () => resolve(undefined));
    try {
      return await Promise.race([lines.question(question, { signal }), ended]);
    } catch {
      return undefined; // aborted: the question has been answered elsewhere
    } finally {
      lines.close();
    }
  };
}
