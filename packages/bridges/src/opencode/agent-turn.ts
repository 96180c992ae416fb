// Owns one turn in opencode's server: the user's messages on their way, opencode's events on theirs through the
// translator, and the end, which is the session at rest, the user's interrupt or the server's death.

import { Inbox, readFileText, type RunningTurn, TurnFailure, type TurnOutcome, type UserMessage } from '@heddle/bridge-kit';
import type { Log } from '@heddle/rpc';
import { asError, HeddleError, type UserInput } from '@heddle/wire';
import type { Asker } from './agent-asker.ts';
import { type PromptInput, promptOf } from './agent-input.ts';
import { stateAfterGap } from './agent-resync.ts';
import { eventsAfterGap } from './history/after-gap.ts';
import { splitName } from './models.ts';
import type { NativeEvent } from './native.ts';
import { ApiRefusal } from './server/api.ts';
import type { Connection } from './server/connection.ts';
import type { PromptSettings } from './settings.ts';
import { filesOf, newTranslator, type Note, step, type Translator } from './translate.ts';

/** How long opencode may take to tell how an answer ended, once it is at rest. It takes some milliseconds. */
const SETTLE_MS = 2_000;
/** How long opencode may take to stop. */
const STOP_MS = 3_000;

/** How a turn begins, and what was heard before of what somebody else has begun in its session. */
export interface TurnBegin {
  kind: 'said' | 'compact' | 'foreign';
  events: readonly NativeEvent[];
}

export interface OpencodeTurnOptions {
  turn: RunningTurn;
  connection: Connection;
  sessionId: string;
  /** Absolute. */
  directory: string;
  translator: Parameters<typeof newTranslator>[0];
  asker: Asker;
  settings(): PromptSettings;
  commands(): Promise<readonly string[]>;
  /** The user has said something, which is passed on now. */
  onSaid(content: readonly UserInput[]): void;
  /** The message that begins a turn in which nobody here has said anything. */
  onBegun(messageId: string): void;
  log: Log;
}

export class OpencodeTurn {
  readonly turn: RunningTurn;
  readonly #options: OpencodeTurnOptions;
  readonly #inbox: Inbox;
  readonly #over = Promise.withResolvers<TurnOutcome>();
  #translator: Translator;
  #isOver = false;
  #settling: NodeJS.Timeout | undefined;
  /** Ids of the messages that were passed on, in order. */
  readonly #said: string[] = [];
  /** Whether the message that begins it is somebody else's, and has not come. */
  #awaitsBeginning = false;

  constructor(options: OpencodeTurnOptions) {
    this.turn = options.turn;
    this.#options = options;
    this.#translator = newTranslator(options.translator);
    this.#inbox = new Inbox((error) =>
      options.log.error('an event of opencode could not be handled', { threadId: this.turn.threadId, error: asError(error) }),
    );
    this.#over.promise.catch(() => {}); // `run` tells
  }

  /** Does the turn. @throws TurnFailure, HeddleError: why it failed. */
  async run(begin: TurnBegin): Promise<void> {
    const { signal } = this.turn;
    const { connection, asker } = this.#options;
    const stopListening = this.turn.onMessage(() => this.#sayAll());
    let stopping: Promise<void> | undefined;
    const onAbort = () => {
      stopping ??= this.#stop();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    void connection.ended.then((error) => this.#over.reject(error));
    try {
      if (signal.aborted) return;
      this.#begin(begin);
      const outcome = await this.#over.promise;
      if (outcome.status === 'interrupted') this.turn.cut({ status: 'interrupted' });
      if (outcome.status === 'failed') throw TurnFailure.of(outcome.error);
    } finally {
      this.#isOver = true;
      await stopping; // it would stop what comes next in the session
      clearTimeout(this.#settling);
      asker.withdrawAll();
      stopListening();
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** One event of the session's or of a sub-agent's, in opencode's order. */
  onEvent(event: NativeEvent): void {
    this.#inbox.push(() => this.#handle(event));
  }

  /** Events were missed: what matters is read again, and handled in its order with those that come. */
  onGap(): void {
    this.#inbox.push(() => {
      this.#take({ type: 'gap' });
      return this.#readAgain({ isSettling: false });
    });
  }

  #begin({ kind, events }: TurnBegin): void {
    if (kind !== 'said') {
      this.#awaitsBeginning = true;
      this.#take({ type: 'begun' });
    }
    for (const event of events) this.onEvent(event);
    if (kind === 'said') this.#sayAll();
    if (kind === 'compact') this.#send('summarize', splitName(this.#options.settings().model), null);
  }

  /** Takes what the user has said, announces it and passes it on. */
  #sayAll(): void {
    if (this.turn.signal.aborted) return;
    for (const message of this.turn.takeMessages()) this.#say(message);
  }

  #say({ id, content }: UserMessage): void {
    this.#said.push(id);
    this.#options.onSaid(content);
    this.#take({ type: 'said', messageId: id }); // at once: no rest of the session's may end the turn meanwhile
    void (async () => {
      try {
        const prompt = await promptOf(content, this.#options.directory, await this.#options.commands());
        if (this.turn.signal.aborted || this.#isOver) return;
        this.#prompt(id, prompt);
      } catch (error) {
        await this.#fail(asError(error));
      }
    })();
  }

  #prompt(messageID: string, prompt: PromptInput): void {
    const { model, variant, agent, system } = this.#options.settings();
    const how = { ...(agent === undefined ? {} : { agent }), ...(variant === undefined ? {} : { variant }) };
    if (prompt.kind === 'command') {
      const { command, arguments: words, parts } = prompt;
      return this.#send('command', { messageID, command, arguments: words, parts, model, ...how }, null);
    }
    // What belongs to the turn of an earlier message is marked: else it would be read back as a turn of its own.
    const note = messageID === this.turn.id ? {} : { metadata: { heddle: { turnId: this.turn.id } } };
    const parts = prompt.parts.map((part) => (part.type === 'text' ? { ...part, ...note } : part));
    const body = { messageID, model: splitName(model), ...how, ...(system === undefined ? {} : { system }), parts };
    this.#send('prompt_async', body, undefined);
  }

  /** @param timeoutMs `null` for a route that answers when all is done */
  #send(route: 'prompt_async' | 'command' | 'summarize', body: Record<string, unknown>, timeoutMs: null | undefined): void {
    const { connection, sessionId, directory } = this.#options;
    const options = { directory, body, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
    connection.api.post(`/session/${sessionId}/${route}`, options).catch((error: unknown) => {
      if (error instanceof ApiRefusal) return this.#fail(new TurnFailure(error.message, 'badRequest'));
      // A route that waits for the end breaks off with the server, whose death tells more, or with a cut connection.
      return timeoutMs === undefined ? this.#fail(asError(error)) : undefined;
    });
  }

  /** A message that can't be passed on fails the turn; what opencode does meanwhile is stopped. */
  async #fail(error: Error): Promise<void> {
    if (this.#isOver) return;
    await this.#abort();
    this.#over.reject(error);
  }

  async #handle(event: NativeEvent | Note): Promise<void> {
    if (this.#isOver) return;
    if (event.type === 'part') {
      for (const path of filesOf(event.part, this.#options.directory)) {
        const text = await readFileText(path);
        if (text !== undefined) this.#take({ type: 'fileSeen', path, text });
      }
    }
    if (this.#awaitsBeginning && event.type === 'message' && event.message.role === 'user') {
      this.#options.onBegun(event.message.id);
      this.#awaitsBeginning = false;
    }
    this.#take(event);
    const { asker } = this.#options;
    asker.noteActivity(event);
    asker.tryEarly(this.#translator);
    if (event.type === 'permissionAsked') asker.permission(event.request, this.#translator);
    if (event.type === 'questionAsked') asker.question(event.request, this.#translator);
    if (event.type === 'permissionReplied' || event.type === 'questionClosed') asker.withdraw(event.requestId);
    if (event.type === 'idle' && event.sessionId === this.#options.sessionId) this.#settleSoon();
  }

  #take(input: NativeEvent | Note): void {
    if (this.#isOver) return;
    const { state, out, ended } = step(this.#translator, input);
    this.#translator = state;
    for (const event of out) {
      this.#options.asker.note(event);
      this.turn.apply(event);
    }
    if (ended === undefined) return;
    this.#isOver = true;
    this.#over.resolve(ended);
  }

  /** The session is at rest, but the last answer has no end: opencode is asked whether that is so. */
  #settleSoon(): void {
    if (this.#isOver) return;
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#inbox.push(() => this.#readAgain({ isSettling: true })), SETTLE_MS);
  }

  async #readAgain({ isSettling }: { isSettling: boolean }): Promise<void> {
    if (this.#isOver) return;
    const { connection, sessionId, directory, log } = this.#options;
    const first = this.#said[0] ?? [...(this.#translator.flows.get(sessionId)?.userMessages ?? [])][0];
    try {
      const state = await stateAfterGap({ api: connection.api, sessionId, directory, first });
      for (const event of eventsAfterGap(this.#translator, state)) {
        if (event.type !== 'atRest') await this.#handle(event);
        else if (isSettling) this.#take({ type: 'atRestForGood' });
        else {
          this.#take(event);
          this.#settleSoon();
        }
      }
    } catch (error) {
      if (!connection.isOver) log.warn('a turn could not be read again', { threadId: this.turn.threadId, error: asError(error) });
    }
  }

  async #stop(): Promise<void> {
    await this.#abort();
    this.#over.resolve({ status: 'interrupted' });
  }

  /** Resolves when opencode does nothing more in the session, as far as it tells. Never rejects. */
  async #abort(): Promise<void> {
    const { connection, sessionId, directory, log } = this.#options;
    if (connection.isOver) return;
    try {
      await connection.api.post(`/session/${sessionId}/abort`, { directory, timeoutMs: STOP_MS });
      await Promise.race([this.#over.promise.catch(() => {}), pause(STOP_MS)]);
      await this.#takeBackMessages();
    } catch (error) {
      if (!connection.isOver) log.warn('opencode does not stop', { threadId: this.turn.threadId, error: asError(error) });
    }
  }

  /** What was said meanwhile and has no answer: the model has not seen it, and shall not. */
  async #takeBackMessages(): Promise<void> {
    const { connection, sessionId, directory } = this.#options;
    const [, ...steered] = this.#said;
    if (steered.length === 0) return;
    const messages = await connection.api.get(`/session/${sessionId}/message`, { directory });
    const answered = new Set(
      (Array.isArray(messages) ? messages : []).map((each: { info?: { parentID?: unknown } }) => each.info?.parentID),
    );
    for (const id of steered.filter((each) => !answered.has(each))) {
      await connection.api.delete(`/session/${sessionId}/message/${id}`, { directory }).catch((error: unknown) => {
        if (!(error instanceof ApiRefusal) && !(error instanceof HeddleError)) throw error;
      });
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
