// Owns one pi process in its RPC mode: JSON lines in and out, our commands with an owner for each answer, and its end.
// It knows the form of messages and none of their meanings.

import {
  type ChildProcess,
  type ChildProcessOptions,
  type Exit,
  explainExit,
  type Poolable,
  startChildProcess,
  textOf,
} from '@heddle/bridge-kit';
import { type Log, splitLines } from '@heddle/rpc';
import { asError, HeddleError } from '@heddle/wire';
import { textOfLine } from './repeated-message.ts';

/** The end of a run repeats all its messages, images included. */
const MAX_LINE_BYTES = 128 * 1024 * 1024;
const COMMAND_TIMEOUT_MS = 15_000;
/** How long after the exit what it had written is still read: whoever it has started may hold the pipe. */
const DRAIN_MS = 500;

/** One line of pi's, or to it. Always an object: a bare `null` ends pi (0.73 and 0.87, measured). */
export type PiMessage = { type: string } & Record<string, unknown>;

/** What pi says that answers no command, in the order of its lines. */
export type PiListener = (message: PiMessage) => void;

interface PendingCommand {
  type: string;
  resolve(data: unknown): void;
  reject(error: Error): void;
}

export interface PiProcessOptions extends ChildProcessOptions {
  cwd: string;
}

export class PiProcess implements Poolable {
  readonly exited: Promise<Exit>;
  /** Why it is gone, with the tail of stderr; resolves when all that it had written was handed on. Never rejects. */
  readonly ended: Promise<HeddleError>;
  readonly #child: ChildProcess;
  readonly #log: Log;
  readonly #listener: PiListener;
  #pending = new Map<string, PendingCommand>();
  #lastId = 0;
  #isGone = false;
  #hasToldGarbage = false;

  /** @throws HeddleError `agent_unavailable` when it can't be started at all. */
  static async start(options: PiProcessOptions, listener: PiListener): Promise<PiProcess> {
    return new PiProcess(await startChildProcess(options), options.log, listener);
  }

  constructor(child: ChildProcess, log: Log, listener: PiListener) {
    this.#child = child;
    this.#log = log;
    this.#listener = listener;
    this.exited = child.exited;
    const drained = this.#read();
    this.ended = child.exited.then(async (exit) => {
      await Promise.race([drained, delay(DRAIN_MS)]);
      const error = explainExit('pi', exit);
      this.#reject(error);
      return error;
    });
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Writes one message. To a process that is gone it goes nowhere: `ended` tells. */
  send(message: PiMessage): void {
    if (this.#isGone || !this.#child.stdin.writable) return;
    this.#child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  /**
   * Gives a command.
   * @param options.timeoutMs default 15 s; 0: as long as it takes
   * @returns the answer's `data`
   * @throws PiRefusal with pi's own words; HeddleError `timeout`; `agent_exited` when the process ends first.
   */
  async command(message: PiMessage, options: { timeoutMs?: number } = {}): Promise<unknown> {
    const id = `heddle-${++this.#lastId}`;
    const timeoutMs = options.timeoutMs ?? COMMAND_TIMEOUT_MS;
    if (this.#isGone) throw await this.ended;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending.set(id, { type: message.type, resolve, reject });
    const late = () => reject(new HeddleError('timeout', `pi did not answer "${message.type}" within ${timeoutMs / 1000} s`));
    const timer = timeoutMs === 0 ? undefined : setTimeout(late, timeoutMs);
    this.send({ ...message, id });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#pending.delete(id);
    }
  }

  /** Ends it with all that it has started. Resolves when nothing of it is left. */
  async stop(): Promise<void> {
    await this.#child.stop();
  }

  async #read(): Promise<void> {
    void this.#child.exited.then(() => {
      this.#isGone = true;
    });
    try {
      for await (const line of splitLines(this.#child.stdout, MAX_LINE_BYTES)) this.#onLine(textOfLine(line));
    } catch (error) {
      this.#log.warn('what pi says can not be read any further; it is ended', { error: asError(error) });
      await this.stop();
    }
  }

  #onLine(line: string): void {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      message = undefined;
    }
    if (typeof message !== 'object' || message === null || typeof (message as { type?: unknown }).type !== 'string') {
      // An extension of the user's may print; once is enough to know.
      if (!this.#hasToldGarbage) this.#log.warn('pi printed something that is no message; such lines are left out', { bytes: line.length });
      this.#hasToldGarbage = true;
      return;
    }
    try {
      if ((message as PiMessage).type === 'response') this.#settle(message as PiMessage);
      else this.#listener(message as PiMessage);
    } catch (error) {
      this.#log.error('a message of pi could not be handled', { error: asError(error) });
    }
  }

  #settle(response: PiMessage): void {
    const pending = this.#pendingOf(response);
    if (response['success'] === true) pending?.resolve(response['data']);
    else pending?.reject(new PiRefusal(textOf(response['error']) ?? 'pi gave no reason'));
  }

  /** A command that pi does not know is refused without its id (0.73 and 0.87, measured). */
  #pendingOf(response: PiMessage): PendingCommand | undefined {
    const id = textOf(response['id']);
    if (id !== undefined) return this.#pending.get(id);
    return [...this.#pending.values()].find(({ type }) => type === response['command']);
  }

  #reject(error: Error): void {
    const pending = this.#pending;
    this.#pending = new Map();
    for (const each of pending.values()) each.reject(error);
  }
}

/** pi has said no to a command, in its own words. */
export class PiRefusal extends Error {
  override readonly name = 'PiRefusal';
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
