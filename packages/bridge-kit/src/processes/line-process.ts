// Owns a process that speaks JSON lines: what it says, line after line, what is said to it, and its end. It knows the form
// of messages and none of their meanings.

import { splitLines } from '@heddle/rpc';
import { asError, type HeddleError } from '@heddle/wire';
import { type ChildProcess, type ChildProcessOptions, type Exit, startChildProcess } from './child-process.ts';
import { explainExit } from './explain-exit.ts';
import type { Poolable } from './process-pool.ts';

/** How long after the exit what it had written is still read: whoever it has started may hold the pipe. */
const DRAIN_MS = 500;

/** One line, to or from the process. Always an object with a type. */
export type LineMessage = { type: string } & Record<string, unknown>;

export interface LineProcessOptions extends ChildProcessOptions {
  /** Whose process it is, for people: `claude`. */
  agent: string;
  /** A longer line ends the process. */
  maxLineBytes: number;
  /** Leaves out of a line what need not be parsed. Default: all of it, as UTF-8. */
  textOfLine?: (line: Uint8Array) => string;
}

export class LineProcess implements Poolable {
  readonly exited: Promise<Exit>;
  /** Why it is gone, with the tail of stderr; resolves when all that it had written was handed on. Never rejects. */
  readonly ended: Promise<HeddleError>;
  readonly #child: ChildProcess;
  readonly #options: LineProcessOptions;
  readonly #drained = Promise.withResolvers<void>();
  #isGone = false;
  #hasToldGarbage = false;

  /** What it says waits until somebody listens. @throws HeddleError `agent_unavailable` when it can't be started at all */
  static async start(options: LineProcessOptions): Promise<LineProcess> {
    return new LineProcess(await startChildProcess(options), options);
  }

  private constructor(child: ChildProcess, options: LineProcessOptions) {
    this.#child = child;
    this.#options = options;
    this.exited = child.exited;
    void child.exited.then(() => {
      this.#isGone = true;
    });
    this.ended = child.exited.then(async (exit) => {
      await Promise.race([this.#drained.promise, delay(DRAIN_MS)]);
      return explainExit(options.agent, exit);
    });
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Hears everything that it says, in the order of its lines. To be called once. */
  listen(onMessage: (message: LineMessage) => void): void {
    void this.#read(onMessage);
  }

  /** Writes one message. To a process that is gone it goes nowhere: `ended` tells. */
  send(message: LineMessage): void {
    if (this.#isGone || !this.#child.stdin.writable) return;
    this.#child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  /** Ends it with all that it has started. Resolves when nothing of it is left. */
  async stop(): Promise<void> {
    await this.#child.stop();
  }

  async #read(onMessage: (message: LineMessage) => void): Promise<void> {
    const { agent, log, maxLineBytes } = this.#options;
    const decoder = new TextDecoder();
    const textOf = this.#options.textOfLine ?? ((line: Uint8Array) => decoder.decode(line));
    try {
      for await (const line of splitLines(this.#child.stdout, maxLineBytes)) this.#onLine(textOf(line), onMessage);
    } catch (error) {
      log.warn(`what ${agent} says can not be read any further; it is ended`, { error: asError(error) });
      await this.stop();
    }
    this.#drained.resolve();
  }

  #onLine(line: string, onMessage: (message: LineMessage) => void): void {
    const { agent, log } = this.#options;
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      message = undefined;
    }
    if (typeof message !== 'object' || message === null || typeof (message as { type?: unknown }).type !== 'string') {
      // A hook, a plugin or an extension of the user's may print; once is enough to know.
      if (!this.#hasToldGarbage) log.warn(`${agent} printed something that is no message; such lines are left out`, { bytes: line.length });
      this.#hasToldGarbage = true;
      return;
    }
    try {
      onMessage(message as LineMessage);
    } catch (error) {
      log.error(`a message of ${agent} could not be handled`, { error: asError(error) });
    }
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
