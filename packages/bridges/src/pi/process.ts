// Owns one pi process in its RPC mode: what its lines are, and our commands with an owner for each answer. It knows the
// form of messages and none of their meanings.

import {
  type ChildProcessOptions,
  type Exit,
  type LineMessage,
  LineProcess,
  PendingAnswers,
  type Poolable,
  textOf,
} from '@heddle/bridge-kit';
import type { HeddleError } from '@heddle/wire';
import { textOfLine } from './repeated-message.ts';

/** The end of a run repeats all its messages, images included. */
const MAX_LINE_BYTES = 128 * 1024 * 1024;
const COMMAND_TIMEOUT_MS = 15_000;

/** One line of pi's, or to it. Always an object: a bare `null` ends pi (0.73 and 0.87, measured). */
export type PiMessage = LineMessage;

/** Hears what pi says that answers no command, in the order of its lines. */
export type PiListener = (message: PiMessage) => void;

export class PiProcess implements Poolable {
  readonly exited: Promise<Exit>;
  /** Why it is gone, with the tail of stderr; resolves when all that it had written was handed on. Never rejects. */
  readonly ended: Promise<HeddleError>;
  readonly #lines: LineProcess;
  readonly #commands = new PendingAnswers<unknown>('pi');

  /** @throws HeddleError `agent_unavailable` when it can't be started at all. */
  static async start(options: ChildProcessOptions, listener: PiListener): Promise<PiProcess> {
    return new PiProcess(await LineProcess.start({ ...options, agent: 'pi', maxLineBytes: MAX_LINE_BYTES, textOfLine }), listener);
  }

  constructor(lines: LineProcess, listener: PiListener) {
    this.#lines = lines;
    this.exited = lines.exited;
    this.ended = lines.ended.then((error) => {
      this.#commands.rejectAll(error);
      return error;
    });
    lines.listen((message) => (message.type === 'response' ? this.#settle(message) : listener(message)));
  }

  get isGone(): boolean {
    return this.#lines.isGone;
  }

  /** Writes one message. To a process that is gone it goes nowhere: `ended` tells. */
  send(message: PiMessage): void {
    this.#lines.send(message);
  }

  /**
   * Gives a command.
   * @param options.timeoutMs default 15 s; 0: as long as it takes
   * @returns the answer's `data`
   * @throws PiRefusal with pi's own words; HeddleError `timeout`; `agent_exited` when the process ends first.
   */
  async command(message: PiMessage, { timeoutMs = COMMAND_TIMEOUT_MS }: { timeoutMs?: number } = {}): Promise<unknown> {
    if (this.isGone) throw await this.ended;
    return this.#commands.ask(message.type, (id) => this.send({ ...message, id }), timeoutMs);
  }

  /** Ends it with all that it has started. Resolves when nothing of it is left. */
  stop(): Promise<void> {
    return this.#lines.stop();
  }

  #settle(response: PiMessage): void {
    // A command that pi does not know is refused without its id (0.73 and 0.87, measured).
    const id = textOf(response['id']) ?? this.#commands.idOf(textOf(response['command']) ?? '');
    if (id === undefined) return;
    if (response['success'] === true) this.#commands.answer(id, response['data']);
    else this.#commands.refuse(id, new PiRefusal(textOf(response['error']) ?? 'pi gave no reason'));
  }
}

/** pi has said no to a command, in its own words. */
export class PiRefusal extends Error {
  override readonly name = 'PiRefusal';
}
