// Owns one turn in claude's process: the user's messages on their way, claude's on theirs through the translator, its
// questions, and the end, which is claude's `result`, the user's interrupt or the process's death.

import type { RunningTurn, TurnEvent, TurnOutcome } from '@heddle/bridge-kit';
import { TurnFailure } from '@heddle/bridge-kit';
import type { Log } from '@heddle/rpc';
import { asError, type UserInput } from '@heddle/wire';
import { contentOf } from './agent-input.ts';
import { ItemPlaces, type PermissionAsker } from './agent-questions.ts';
import type { PermissionRequest } from './approvals.ts';
import { cancelMessage, interrupt } from './control.ts';
import type { ClaudeMessage, ClaudeProcess } from './process.ts';

/** How long claude may take to stop before its process is ended. It takes some ten milliseconds. */
const STOP_MS = 3_000;

export interface ClaudeTurnOptions {
  turn: RunningTurn;
  process: ClaudeProcess;
  asker: PermissionAsker;
  /** claude may use a tool: called before it is told so. */
  onAllowed: (toolUseId: string) => void;
  /** Ends the process; the next turn starts another. */
  endProcess: () => Promise<void>;
  log: Log;
}

/** What the translator made of one message. */
export interface Translated {
  out: readonly TurnEvent[];
  ended?: TurnOutcome | undefined;
}

export class ClaudeTurn {
  readonly turn: RunningTurn;
  readonly #process: ClaudeProcess;
  readonly #asker: PermissionAsker;
  readonly #onAllowed: (toolUseId: string) => void;
  readonly #endProcess: () => Promise<void>;
  readonly #log: Log;
  readonly #places: ItemPlaces;
  /** Messages that claude has not begun with, in the order in which they were said. */
  #waiting: { uuid: string; isSent: boolean }[] = [];
  readonly #said = new Set<string>();
  /** claude has taken a message, or begun by itself, and has not come to its result. */
  #isWorking = false;
  #hasTakenMessage = false;
  #isOver = false;
  /** Open questions by claude's ids of them. */
  readonly #questions = new Map<string, AbortController>();
  readonly #over = Promise.withResolvers<TurnOutcome>();

  constructor(options: ClaudeTurnOptions) {
    this.turn = options.turn;
    this.#process = options.process;
    this.#asker = options.asker;
    this.#onAllowed = options.onAllowed;
    this.#endProcess = options.endProcess;
    this.#log = options.log;
    this.#places = new ItemPlaces(options.turn);
    this.#over.promise.catch(() => {}); // `end` tells
  }

  /**
   * Waits for the turn's end; whoever started the turn has said the first message, or has seen claude begin by itself.
   * @throws TurnFailure, HeddleError: why it failed.
   */
  async end(): Promise<void> {
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
    } finally {
      this.#isOver = true;
      for (const question of this.#questions.values()) question.abort(); // claude has died: nobody waits for the answer
      stopListening();
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Takes what the user has said, announces it and passes it on. */
  sayAll(): void {
    if (this.turn.signal.aborted) return;
    for (const { id, content } of this.turn.takeMessages()) this.say(id, content);
  }

  /** @param uuid under which claude keeps it */
  say(uuid: string, content: readonly UserInput[]): void {
    const message = { uuid, isSent: false };
    this.#said.add(uuid);
    this.#waiting.push(message); // at once: no result that comes meanwhile may end the turn
    contentOf(content, this.turn.cwd).then(
      (words) => {
        if (!this.#waiting.includes(message)) return; // stopped meanwhile
        message.isSent = true;
        this.#process.send({ type: 'user', message: { role: 'user', content: words }, parent_tool_use_id: null, session_id: '', uuid });
      },
      (error: unknown) => this.#refuse(uuid, asError(error)),
    );
  }

  /** Whether a message of the user's in this turn has that id. */
  hasSaid(uuid: unknown): boolean {
    return typeof uuid === 'string' && this.#said.has(uuid);
  }

  /** claude works in this turn without having been asked. */
  noteOwnBeginning(): void {
    this.#isWorking = true;
  }

  /** One message of claude's, in its order, with what the translator made of it. */
  onMessage(message: ClaudeMessage, { out, ended }: Translated): void {
    if (message.type === 'system' && message['subtype'] === 'init') this.#isWorking = true;
    if (message.type === 'user' && message['isReplay'] === true) this.#noteTaken(message['uuid']);
    this.apply(out);
    if (ended !== undefined) this.#onResult(message, ended);
  }

  apply(events: readonly TurnEvent[]): void {
    for (const event of events) {
      this.#places.note(event);
      this.turn.apply(event);
    }
  }

  /** claude asks whether it may use a tool, or asks the user something. */
  async onPermissionRequest(id: string, asked: PermissionRequest): Promise<void> {
    const takenBack = new AbortController();
    this.#questions.set(id, takenBack);
    try {
      const answer = await this.#asker.ask(this.turn, asked, this.#places, takenBack.signal);
      if (answer.behavior === 'allow') this.#onAllowed(asked.toolUseId);
      else if (answer.interrupt === true) await this.#takeBackMessages(); // else claude would begin with them
      this.#process.answer(id, answer);
    } catch (error) {
      if (this.turn.signal.aborted || takenBack.signal.aborted) return; // claude does not wait for an answer any more
      this.#log.error('a question of claude could not be put', { threadId: this.turn.threadId, error: asError(error) });
      this.#process.refuse(id, 'The question could not be put to the user.');
    } finally {
      this.#questions.delete(id);
    }
  }

  /** claude does not want to know any more. */
  takeBackQuestion(id: string): void {
    this.#questions.get(id)?.abort();
  }

  /** Whether claude's result has come: what it says from then on is not of this turn. */
  get isOver(): boolean {
    return this.#isOver;
  }

  #noteTaken(uuid: unknown): void {
    const at = this.#waiting.findIndex((message) => message.uuid === uuid);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    this.#hasTakenMessage = true;
    this.#isWorking = true;
  }

  #onResult(message: ClaudeMessage, outcome: TurnOutcome): void {
    const isOwn = (message['origin'] as { kind?: unknown } | undefined)?.kind === 'task-notification';
    // A slash command is not echoed: a result without an echo before it is the oldest message's.
    if (!isOwn && !this.#hasTakenMessage) this.#waiting.shift();
    this.#hasTakenMessage = false;
    this.#isWorking = false;
    if (this.#waiting.length > 0) return;
    this.#isOver = true;
    this.#over.resolve(outcome);
  }

  /** A message that can't be passed on fails the turn; what claude does meanwhile is stopped. */
  #refuse(uuid: string, error: Error): void {
    this.#waiting = this.#waiting.filter((message) => message.uuid !== uuid);
    if (!this.#isWorking && this.#waiting.length === 0) return this.#over.reject(error);
    void this.#halt().then(() => this.#over.reject(error));
  }

  async #stop(): Promise<void> {
    await this.#halt();
    this.#over.resolve({ status: 'interrupted' });
  }

  /** Resolves when claude does nothing more; ends the process when it does not stop. Never rejects. */
  async #halt(): Promise<void> {
    try {
      await this.#takeBackMessages();
      if (!this.#isWorking && this.#waiting.length === 0) return;
      await interrupt(this.#process, STOP_MS);
      await within(STOP_MS, this.#over.promise);
    } catch (error) {
      if (this.#process.isGone) return;
      this.#log.warn('claude does not stop; its process is ended', { threadId: this.turn.threadId, error: asError(error) });
      await this.#endProcess();
    }
  }

  async #takeBackMessages(): Promise<void> {
    this.#waiting = this.#waiting.filter(({ isSent }) => isSent);
    const sent = this.#waiting;
    const areBack = await Promise.all(sent.map(({ uuid }) => cancelMessage(this.#process, uuid, STOP_MS)));
    this.#waiting = this.#waiting.filter((message) => areBack[sent.indexOf(message)] !== true);
  }
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`it did not end within ${ms / 1000} s`)), ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
