// Owns a turn while it runs, as its agent sees it: what the user says, what happens (`apply`), what people are asked,
// and that it is cut short. Notices keep the order that clients rely on (status before turn/started, items before
// turn/completed, one turn/completed).

import type { ServerRequestParams, ThreadItem, TurnError, TurnId, UserInput, UserQuestion } from '@heddle/wire';
import type { Answer } from '../server/session.ts';
import type { HubThread, WaitingFlag } from './hub-thread.ts';
import { type ApprovalMethod, type Decision, decisionOf, type UserAnswers, userAnswersOf } from './open-questions.ts';
import type { SettingsInForce } from './thread-settings.ts';
import type { TurnEvent } from './turn-events.ts';
import { MAX_WEIGHT_PER_TURN, type TurnItems } from './turn-items.ts';
import { newTurnRecord, type TurnRecord } from './turn-record.ts';
import { type TurnHost, TurnWriter } from './turn-writer.ts';

/** How a turn was cut short, from outside or by an answer. */
export type CutShort = { status: 'interrupted' } | { status: 'failed'; message: string };

/** Something the user said. */
export interface UserMessage {
  /** Unique; the turn that it opens has the same. The item that shows it is `${id}-user`. */
  id: string;
  /** The client's own id of it. */
  clientId: string | null;
  content: UserInput[];
}

export interface AskOptions {
  /** Aborted when the agent takes the question back. */
  signal?: AbortSignal;
}

export class RunningTurn {
  readonly record: TurnRecord;
  /** Resolves, never rejects, when `turn/completed` has been sent. */
  readonly ended: Promise<void>;
  readonly #thread: HubThread;
  readonly #writer: TurnWriter;
  readonly #abort = new AbortController();
  readonly #settleEnded: () => void;
  readonly #messageListeners = new Set<() => void>();
  #messages: UserMessage[];
  #messageWeight = 0;
  #cutShort: CutShort | undefined;

  /** @param messages what opens it; none for a turn that the agent begins by itself. */
  constructor(thread: HubThread, id: TurnId, messages: UserMessage[], host: Omit<TurnHost, 'onTooLarge'>) {
    this.#thread = thread;
    this.#messages = messages;
    this.record = newTurnRecord(id, thread.takeOrdinal());
    const onTooLarge = () => this.cut({ status: 'failed', message: 'this turn has grown too large to go on; send another message' });
    this.#writer = new TurnWriter(thread, this.record, { ...host, onTooLarge });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#settleEnded = resolve;
  }

  get id(): TurnId {
    return this.record.id;
  }

  get threadId(): string {
    return this.#thread.id;
  }

  get cwd(): string {
    return this.#thread.settings.cwd;
  }

  /** What is in force now; it may change while the turn runs. */
  get settings(): SettingsInForce {
    return this.#thread.settings;
  }

  /** Aborts when the turn is cut short: the agent stops what it does. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get cutShort(): CutShort | undefined {
    return this.#cutShort;
  }

  /** Whether the user has said something that the agent has not taken yet: the first message, or steering. */
  get hasMessages(): boolean {
    return this.#messages.length > 0;
  }

  /** Called whenever a message is added. @returns how to stop that. */
  onMessage(listener: () => void): () => void {
    this.#messageListeners.add(listener);
    return () => this.#messageListeners.delete(listener);
  }

  /** Adds what the user says while the turn runs. False when the turn is too heavy to take it. */
  steer(message: UserMessage): boolean {
    const weight = JSON.stringify(message.content).length;
    if (this.#writer.items.weight + this.#messageWeight + weight > MAX_WEIGHT_PER_TURN) return false;
    this.#messageWeight += weight;
    this.#messages.push(message);
    for (const listener of this.#messageListeners) listener();
    return true;
  }

  /** Ends the turn early. The first cause wins. Open questions are taken back at once. */
  cut(how: CutShort): void {
    if (this.#cutShort !== undefined) return;
    this.#cutShort = how;
    this.#writer.takeNothingNew();
    this.#thread.questions.withdrawAll();
    this.#abort.abort();
  }

  /** Takes what the user has said, in order, and announces it as items. */
  takeMessages(): UserMessage[] {
    const messages = this.#messages;
    this.#messages = [];
    this.#messageWeight = 0;
    for (const { id, content, clientId } of messages) {
      const itemId = `${id}-user`;
      this.apply({ type: 'itemStarted', item: { type: 'userMessage', id: itemId, clientId, content } });
      this.apply({ type: 'itemCompleted', itemId });
    }
    return messages;
  }

  /** Something has happened. Once the turn is cut short nothing new begins; what comes after its end is dropped. */
  apply(event: TurnEvent): void {
    this.#writer.apply(event);
  }

  /** Whether `subject` needs no question, because somebody accepted it for as long as the thread is loaded. */
  isRemembered(subject: string): boolean {
    return this.#thread.questions.isRemembered(subject);
  }

  /**
   * Asks the people whether an item may be done; `acceptForSession` remembers `subject`. The item is open already, or
   * is given here to be opened in codex's order. The thread shows that it waits. A command or file change that may not
   * be done is completed as declined (as failed after an invalid answer); what is said of it later is ignored.
   * @param options `signal`: aborted when the agent takes the question back; the turn and the item stay as they are.
   * @throws the reason of that signal, or of the turn's when it is cut short first.
   */
  async ask<M extends ApprovalMethod>(
    method: M,
    params: ServerRequestParams<M>,
    subject: string,
    item?: ThreadItem,
    options: AskOptions = {},
  ): Promise<Decision> {
    this.signal.throwIfAborted();
    const isCommand = method === 'item/commandExecution/requestApproval';
    const { itemId, threadId } = params as ServerRequestParams<ApprovalMethod>;
    const asking = this.#writer.inThread(threadId) ?? this.#writer;
    if (item !== undefined && !isCommand) asking.apply({ type: 'itemStarted', item });
    this.#setWaiting(threadId, 'waitingOnApproval', true);
    if (item !== undefined && isCommand) asking.apply({ type: 'itemStarted', item });
    const items = this.#writer.ownerOf(itemId)?.items;
    items?.setWaiting(itemId, true);
    const proceed = () => {
      items?.setWaiting(itemId, false);
      this.#setWaiting(threadId, 'waitingOnApproval', false);
    };
    const decision = decisionOf(await this.#answered(this.#thread.questions.ask(method, params, options.signal), proceed));
    if (decision === 'acceptForSession') this.#thread.questions.remember(subject);
    // codex's order: a command that may not run ends before the thread goes on, a file change after.
    if (isCommand) refuseItem(items, itemId, decision);
    proceed();
    refuseItem(items, itemId, decision);
    return decision;
  }

  /**
   * Asks the people something that is no approval; the thread shows that it waits.
   * @param threadId of the sub-agent that asks, if one does.
   * @throws as `ask`.
   */
  async askQuestions(
    itemId: string,
    questions: UserQuestion[],
    threadId: string = this.threadId,
    options: AskOptions = {},
  ): Promise<UserAnswers> {
    this.signal.throwIfAborted();
    const turnId = this.#writer.inThread(threadId)?.record.id ?? this.id;
    this.#setWaiting(threadId, 'waitingOnUserInput', true);
    const params = { threadId, turnId, itemId, questions, isBlocking: true };
    const proceed = () => this.#setWaiting(threadId, 'waitingOnUserInput', false);
    const asked = this.#thread.questions.ask('item/tool/requestUserInput', params, options.signal);
    const answers = userAnswersOf(await this.#answered(asked, proceed));
    proceed();
    return answers;
  }

  /** Announces the turn. The hub's business, as is `end`. */
  begin(): void {
    this.#writer.begin();
  }

  /** Sends the end; a cut without an error is an interruption. Questions that an agent has left behind are taken back. */
  end(error: TurnError | undefined): void {
    this.#thread.questions.withdrawAll();
    if (error !== undefined) this.#writer.end({ status: 'failed', error });
    else this.#writer.end({ status: this.#cutShort === undefined ? 'completed' : 'interrupted' });
    this.#settleEnded();
  }

  /** Also on the sub-agent's thread that the question is about, if it is one's. */
  #setWaiting(threadId: string, flag: WaitingFlag, isWaiting: boolean): void {
    const asking = this.#writer.inThread(threadId)?.thread ?? this.#thread;
    for (const thread of new Set([this.#thread, asking])) {
      if (isWaiting) thread.beginWaiting(flag);
      else if (thread.status.type === 'active') thread.endWaiting(flag);
    }
  }

  /** The answer, unless the turn is cut first. A question that is taken back lets the thread go on. */
  async #answered(answer: Promise<Answer>, proceed: () => void): Promise<Answer> {
    const { promise: cut, reject } = Promise.withResolvers<never>();
    const onAbort = () => reject(this.signal.reason as Error);
    this.signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([answer, cut]);
    } catch (error) {
      if (!this.signal.aborted) proceed();
      throw error;
    } finally {
      this.signal.removeEventListener('abort', onAbort);
    }
  }
}

/** Completes a command or file change that was not accepted; other items end as their agent says. */
function refuseItem(items: TurnItems | undefined, itemId: string, decision: Decision): void {
  if (decision === 'accept' || decision === 'acceptForSession') return;
  const type = items?.typeOf(itemId);
  if (type !== 'commandExecution' && type !== 'fileChange') return;
  items?.complete(itemId, { status: decision === 'invalid' ? 'failed' : 'declined' });
}
