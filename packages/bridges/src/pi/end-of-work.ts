// Owns the question whether pi has come to the end of what it was doing. 0.73 has no event that says so, and 0.87 none for
// a command of an extension's; so pi is asked whenever it may be at its end, and the answer counts only when it has done
// nothing since.

import { type Fields, fieldsOf } from '@heddle/bridge-kit';
import { asError } from '@heddle/wire';
import type { NativeEvent } from './native.ts';
import type { PiProcess } from './process.ts';

export interface EndOfWorkOptions {
  process: PiProcess;
  /** Resolves when all events that pi has told before are handled. */
  caughtUp: () => Promise<void>;
  /** Nothing runs. @param state, stats pi's answers to `get_state` and `get_session_stats` */
  onEnd: (state: Fields, stats: Fields) => void;
  /** pi can't be asked: it has died, or says nothing any more. */
  onSilence: (error: Error) => void;
}

export class EndOfWork {
  readonly #options: EndOfWorkOptions;
  /** Commands that may start something and have not been answered. */
  #commands = 0;
  readonly #whenNoCommand: (() => void)[] = [];
  /** Counts whatever pi does. */
  #activity = 0;
  /** pi has said that it will go on by itself. */
  #isGoingOn = false;
  #isAsking = false;
  #isOver = false;

  constructor(options: EndOfWorkOptions) {
    this.#options = options;
  }

  get hasCommands(): boolean {
    return this.#commands > 0;
  }

  /** Something is told to pi that may start its work; the end is not looked for before `commandEnded`. */
  commandBegan(): void {
    this.#commands += 1;
  }

  commandEnded(): void {
    this.#commands -= 1;
    this.#activity += 1;
    if (this.#commands === 0) for (const resolve of this.#whenNoCommand.splice(0)) resolve();
    this.#look();
  }

  /** @throws Error when commands take longer than that */
  async commandsEnded(limitMs: number): Promise<void> {
    if (this.#commands === 0) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#whenNoCommand.push(resolve);
    const timer = setTimeout(() => reject(new Error(`a command did not end within ${limitMs / 1000} s`)), limitMs);
    await promise.finally(() => clearTimeout(timer));
  }

  /** pi has done something. */
  note(event: NativeEvent): void {
    this.#activity += 1;
    switch (event.type) {
      case 'runStarted':
        this.#isGoingOn = false;
        return;
      case 'retryStarted':
        this.#isGoingOn = true;
        return;
      case 'retryEnded':
        this.#isGoingOn = false;
        return this.#look();
      case 'compactionEnded':
        this.#isGoingOn = event.willRetry;
        return this.#look();
      case 'runEnded':
      case 'settled':
        return this.#look();
      default:
        return;
    }
  }

  /** Nobody wants to know any more. */
  stop(): void {
    this.#isOver = true;
  }

  #look(): void {
    if (this.#isAsking || this.#isOver || this.#isGoingOn || this.#commands > 0) return;
    this.#isAsking = true;
    const activity = this.#activity;
    this.#ask().then(
      ([state, stats]) => {
        this.#isAsking = false;
        if (activity !== this.#activity) return this.#look();
        const isBusy = state['isStreaming'] === true || state['isCompacting'] === true;
        if (!isBusy && !this.#isOver) this.#options.onEnd(state, stats);
      },
      (error: unknown) => this.#options.onSilence(asError(error)),
    );
  }

  async #ask(): Promise<[Fields, Fields]> {
    const { process, caughtUp } = this.#options;
    const answers = await Promise.all([process.command({ type: 'get_state' }), process.command({ type: 'get_session_stats' })]);
    await caughtUp();
    return [fieldsOf(answers[0]), fieldsOf(answers[1])];
  }
}
