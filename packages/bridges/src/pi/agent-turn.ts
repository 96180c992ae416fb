// Owns one turn of pi's while it runs: which messages pi has taken, its questions, how it ends and how it is stopped.

import { type Fields, fieldsOf, numberOf, type RunningTurn, TurnFailure, type TurnEvent, type TurnOutcome } from '@heddle/bridge-kit';
import type { Log } from '@heddle/rpc';
import { asError, type ItemId, type UserInput } from '@heddle/wire';
import { wordsOf } from './agent-input.ts';
import { answerOf, askAboutCall } from './approvals.ts';
import { EndOfWork } from './end-of-work.ts';
import { BLOCK, GUARD, type GuardedCall, type GuardNote } from './guard-source.ts';
import type { NativeEvent, UiRequest } from './native.ts';
import { isAboutFile, type MustAsk } from './policy.ts';
import { type PiProcess, PiRefusal } from './process.ts';
import { answerOfQuestion, isDialog, questionOf, type UiAnswer } from './questions.ts';

/** After this long a pi that was told to stop is ended. */
const STOP_MS = 5_000;

export interface PiTurnOptions {
  turn: RunningTurn;
  process: PiProcess;
  /** Whether people have to be asked about a call. */
  mustAsk: (call: GuardedCall) => Promise<MustAsk | undefined>;
  /** Somebody lets pi change files without being asked about each. */
  onEditsAccepted: () => void;
  itemOfCall: (toolCallId: string) => ItemId | undefined;
  /** How the turn has ended, as what pi has said so far tells. */
  outcome: () => TurnOutcome;
  /** Resolves when all events that pi has told before are handled. */
  caughtUp: () => Promise<void>;
  /** Ends the process; the next turn starts another. */
  endProcess: () => Promise<void>;
  log: Log;
}

/** A message that pi has not begun with. */
interface Waiting {
  id: string;
  content: readonly UserInput[];
  /** Has gone to pi; it may be in its queue. */
  isSent: boolean;
}

export class PiTurn {
  readonly turn: RunningTurn;
  readonly #options: PiTurnOptions;
  readonly #process: PiProcess;
  #waiting: Waiting[] = [];
  readonly #work: EndOfWork;
  #lastTold: Promise<void> = Promise.resolve();
  /** While pi shortens the conversation. */
  #compaction: PromiseWithResolvers<void> | undefined;
  #hasNoted = false;
  #hasAnswered = false;
  #isOver = false;
  /** Questions that pi waits for, by its ids of them. */
  readonly #questions = new Map<string, AbortController>();
  readonly #over = Promise.withResolvers<TurnOutcome>();

  constructor(options: PiTurnOptions) {
    this.turn = options.turn;
    this.#options = options;
    this.#process = options.process;
    this.#over.promise.catch(() => {}); // `end` tells
    this.#work = new EndOfWork({
      process: options.process,
      caughtUp: options.caughtUp,
      onEnd: (state, stats) => this.#onEndOfWork(state, stats),
      onSilence: (error) => this.#over.reject(error),
    });
  }

  /** Whether pi has come to its end: what it says from then on is not of this turn. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Waits for the turn's end; whoever started the turn has said the first message.
   * @returns messages that pi has in its queue and will not come to by itself: they are for another process
   * @throws TurnFailure, HeddleError: why it failed.
   */
  async end(): Promise<readonly { id: string; content: readonly UserInput[] }[]> {
    const { signal } = this.turn;
    const stopListening = this.turn.onMessage(() => this.sayAll());
    const onAbort = () => void this.#stop();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    void this.#process.ended.then((error) => this.#over.reject(error));
    try {
      const outcome = await this.#over.promise;
      if (outcome.status === 'interrupted') this.turn.cut({ status: 'interrupted' });
      if (outcome.status === 'failed') throw TurnFailure.of(outcome.error);
      return signal.aborted ? [] : this.#waiting;
    } finally {
      this.#isOver = true;
      this.#work.stop();
      this.#endCompaction();
      for (const question of this.#questions.values()) question.abort(); // pi has died: nobody waits for the answer
      stopListening();
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Takes what the user has said, announces it and passes it on. */
  sayAll(): void {
    if (this.turn.signal.aborted) return;
    for (const { id, content } of this.turn.takeMessages()) this.say(id, content);
  }

  /** @param id under which heddle's entry in the session keeps it */
  say(id: string, content: readonly UserInput[]): void {
    const message: Waiting = { id, content, isSent: false };
    this.#waiting.push(message); // at once: no end that comes meanwhile may end the turn
    this.#inTurn(
      () => this.#say(message),
      () => this.#forget(message),
    );
  }

  /** A command of pi's that nobody said, kept in the session as a turn without a message. What is said meanwhile waits. */
  run(command: { type: string } & Record<string, unknown>): void {
    this.#inTurn(async () => {
      await this.#note({ turn: this.turn.id });
      await this.#process.command(command, { timeoutMs: 0 });
    });
  }

  /** pi works in this turn without having been asked. The session keeps under which id. */
  noteOwnBeginning(): void {
    this.#inTurn(() => this.#note({ turn: this.turn.id }));
  }

  /** One event of pi's, in its order, with what the translator made of it. */
  onEvent(event: NativeEvent, out: readonly TurnEvent[]): void {
    for (const each of out) {
      if (each.type === 'responseEnded') this.#hasAnswered = true;
      this.turn.apply(each);
    }
    if (event.type === 'compactionStarted') this.#compaction ??= Promise.withResolvers();
    if (event.type === 'compactionEnded') {
      this.#endCompaction();
      this.#hasAnswered ||= event.done !== undefined; // a model has made the summary
    }
    this.#work.note(event);
  }

  /** pi has begun with a message. */
  onTaken(messageId: string): void {
    this.#waiting = this.#waiting.filter(({ id }) => id !== messageId);
  }

  /** The guard has stopped a call. */
  async onCall(questionId: string, call: GuardedCall): Promise<void> {
    await this.#answered(questionId, { value: BLOCK }, async (signal) => {
      const asked = await this.#options.mustAsk(call);
      if (asked === undefined) return { value: answerOf('accept') };
      const itemId = this.#options.itemOfCall(call.toolCallId) ?? call.toolCallId;
      const decision = await askAboutCall(this.turn, { ...call, ...asked }, itemId, signal);
      if (decision === 'acceptForSession' && isAboutFile(call)) this.#options.onEditsAccepted();
      // First: what pi says to the refusal, or to whatever is in its queue, must not begin.
      if (decision === 'cancel') this.turn.cut({ status: 'interrupted' });
      return { value: answerOf(decision) };
    });
  }

  /** An extension of the user's asks. */
  async onDialog(request: UiRequest): Promise<void> {
    if (!isDialog(request)) return;
    await this.#answered(request.id, { cancelled: true }, async (signal) => {
      const limit = request.timeoutMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(request.timeoutMs)]);
      const answers = await this.turn.askQuestions(request.id, [questionOf(request)], this.turn.threadId, { signal: limit });
      return answerOfQuestion(request, answers);
    });
  }

  /** pi has to be given up: it can't be driven any further. */
  fail(error: Error): void {
    this.#over.reject(error);
  }

  /**
   * Tells pi things one after the other: of several messages that come while nothing runs 0.73 begins with one, and
   * forgets the others. What can't be told fails the turn; what pi does meanwhile is stopped.
   */
  #inTurn(tell: () => Promise<void>, onFailed: () => void = () => {}): void {
    this.#work.commandBegan();
    this.#lastTold = this.#lastTold
      .then(tell)
      .catch((error: unknown) => {
        onFailed();
        this.#work.stop(); // an end that pi comes to now is not the turn's
        void this.#halt().then(() => this.#over.reject(refusalAsFailure(error)));
      })
      .finally(() => this.#work.commandEnded());
  }

  async #say(message: Waiting): Promise<void> {
    const { id } = message;
    const words = await wordsOf(message.content, this.turn.cwd);
    await this.#compaction?.promise; // pi refuses what is said meanwhile, or begins beside it
    if (!this.#waiting.includes(message)) return; // stopped meanwhile
    const text = words.message.startsWith(`/${GUARD}`) ? ` ${words.message}` : words.message; // that is heddle's own command
    await this.#note({ turn: this.turn.id, message: id, text });
    if (!this.#waiting.includes(message)) return;
    message.isSent = true;
    const images = words.images.length === 0 ? {} : { images: words.images };
    await this.#process.command({ type: 'prompt', message: text, streamingBehavior: 'steer', ...images }, { timeoutMs: 0 });
  }

  async #note(note: GuardNote): Promise<void> {
    const isFirst = !this.#hasNoted;
    this.#hasNoted = true;
    await this.#process.command({ type: 'prompt', message: `/${GUARD} ${JSON.stringify({ ...note, isFirst })}` });
  }

  #onEndOfWork(state: Fields, stats: Fields): void {
    // What is not in pi's queue was a command, or an extension has dealt with it.
    if ((numberOf(state['pendingMessageCount']) ?? 0) === 0) this.#waiting = this.#waiting.filter(({ isSent }) => !isSent);
    this.#isOver = true;
    if (this.#hasAnswered) this.#tellCost(stats);
    this.#over.resolve(this.#options.outcome());
  }

  #tellCost(stats: Fields): void {
    const costUsd = numberOf(stats['cost']);
    if (costUsd === undefined) return;
    this.turn.apply({ type: 'costKnown', costUsd, contextWindow: numberOf(fieldsOf(stats['contextUsage'])['contextWindow']) ?? null });
  }

  #endCompaction(): void {
    this.#compaction?.resolve();
    this.#compaction = undefined;
  }

  #forget(message: Waiting): void {
    this.#waiting = this.#waiting.filter((each) => each !== message);
  }

  async #answered(id: string, otherwise: UiAnswer, ask: (signal: AbortSignal) => Promise<UiAnswer>): Promise<void> {
    const takenBack = new AbortController();
    this.#questions.set(id, takenBack);
    let answer = otherwise;
    try {
      answer = await ask(AbortSignal.any([takenBack.signal, this.turn.signal]));
    } catch (error) {
      if (!this.turn.signal.aborted && !takenBack.signal.aborted && asError(error).name !== 'TimeoutError')
        this.#options.log.error('a question of pi could not be put', { threadId: this.turn.threadId, error: asError(error) });
    }
    this.#questions.delete(id);
    // pi does not stop as long as it waits for an answer.
    this.#process.send({ type: 'extension_ui_response', id, ...answer });
  }

  async #stop(): Promise<void> {
    await this.#halt();
    await this.#options.caughtUp();
    this.#over.resolve({ status: 'interrupted' });
  }

  /** Resolves when pi does nothing more; ends the process when it does not stop. Never rejects. */
  async #halt(): Promise<void> {
    try {
      const hadWaiting = this.#waiting.length > 0;
      this.#waiting = [];
      const wasTelling = this.#work.hasCommands;
      const drop = async () => !hadWaiting || this.#clearQueue();
      if (!(await drop())) return await this.#options.endProcess();
      await this.#process.command({ type: 'abort' }, { timeoutMs: STOP_MS });
      if (!wasTelling) return;
      // What was being told may have come into the queue, or begun, only since. A command of an extension's is no run that
      // could be aborted; its further questions are answered with no.
      await this.#work.commandsEnded(STOP_MS);
      await drop();
      await this.#process.command({ type: 'abort' }, { timeoutMs: STOP_MS });
    } catch (error) {
      if (this.#process.isGone) return;
      this.#options.log.warn('pi does not stop; its process is ended', { threadId: this.turn.threadId, error: asError(error) });
      await this.#options.endProcess();
    }
  }

  /** @returns false: this pi can't, and would begin with what is in its queue at the next message. */
  async #clearQueue(): Promise<boolean> {
    try {
      await this.#process.command({ type: 'clear_queue' }, { timeoutMs: STOP_MS });
      return true;
    } catch (error) {
      if (error instanceof PiRefusal) return false;
      throw error;
    }
  }
}

function refusalAsFailure(error: unknown): Error {
  return error instanceof PiRefusal ? new TurnFailure(error.message, 'other') : asError(error);
}
