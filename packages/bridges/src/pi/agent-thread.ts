// Owns one loaded thread of pi's: its wishes, its process as long as there is one, the translator's state, and what pi
// does when no turn runs. Events are handled one after the other, in pi's order.

import {
  type HubForAgent,
  Inbox,
  type Lease,
  leaseUnlessAborted,
  readFileText,
  type RunningTurn,
  type SettingsInForce,
  type ThreadWishes,
  uuidV7,
  type WantedSettings,
  withWishes,
} from '@heddle/bridge-kit';
import type { Log } from '@heddle/rpc';
import { asError, HeddleError, type ThreadId } from '@heddle/wire';
import type { InstalledPi, PiProcesses, StartedPi, ThreadStart } from './agent-processes.ts';
import { PiTurn } from './agent-turn.ts';
import { GUARD, readGuardedCall, readGuardTold } from './guard-source.ts';
import { writeInstructions } from './instructions-file.ts';
import { decodeEvent, type NativeEvent } from './native.ts';
import { mustAsk } from './policy.ts';
import type { PiMessage, PiProcess } from './process.ts';
import { isDialog } from './questions.ts';
import { type AppliedSettings, settingsInForce, thinkingOf } from './settings.ts';
import type { PiStore } from './store.ts';
import { filesToSee, itemOfCall, newTranslator, type Note, outcomeOf, step, type Translator } from './translate.ts';

export interface PiThreadOptions {
  id: ThreadId;
  wishes: ThreadWishes;
  /** What pi would run with, as far as it is known before it runs. */
  applied: AppliedSettings;
  processes: PiProcesses;
  store: PiStore;
  hub: HubForAgent;
  /** Absolute folders in which pi may read without being asked about it. */
  readable: readonly string[];
  log: Log;
}

/** What a process was started with: pi can't be told of it later without changing the user's defaults. */
type StartedWith = Record<'model' | 'effort' | 'developerInstructions', string | undefined> & { cwd: string };

export class PiThread {
  readonly id: ThreadId;
  readonly #options: PiThreadOptions;
  readonly #inbox: Inbox;
  #wishes: ThreadWishes;
  #applied: AppliedSettings;
  #startedWith: StartedWith | undefined;
  /** The last that was started; it may be gone. */
  #process: PiProcess | undefined;
  #state: Translator;
  #turn: PiTurn | undefined;
  /** What pi has begun with by itself, for which there is no turn yet. */
  #own: PiMessage[] | undefined;
  readonly #unknownKinds = new Set<string>();

  constructor(options: PiThreadOptions) {
    const { id, log, wishes, applied } = options;
    this.id = id;
    this.#options = options;
    this.#wishes = wishes;
    this.#applied = applied;
    this.#state = newTranslator({ cwd: wishes.cwd });
    this.#inbox = new Inbox((error) => log.error('a message of pi could not be handled', { threadId: id, error: asError(error) }));
  }

  get settings(): SettingsInForce {
    return settingsInForce(this.#wishes, this.#applied, this.#options.processes.permissions);
  }

  /** Starts the process, if there is none: it tells what the thread really runs with. */
  async warmUp(): Promise<void> {
    (await this.#lease()).release();
  }

  /** Only what is given changes. Model and effort hold from the next turn on: then another process is started. */
  async change(wanted: WantedSettings): Promise<SettingsInForce> {
    const { processes, store } = this.#options;
    const isMoved = wanted.cwd !== undefined && wanted.cwd !== this.#wishes.cwd;
    // A session of pi's belongs to its folder; before its first words it may still be moved.
    const mayMove = isMoved && this.#turn === undefined && (await store.find(this.id)) === undefined;
    const { cwd: _cwd, ...others } = wanted;
    this.#wishes = withWishes(this.#wishes, mayMove ? wanted : others);
    if (mayMove) this.#state = newTranslator({ cwd: this.#wishes.cwd });
    if (wanted.model !== undefined || wanted.effort !== undefined) await this.#foresee();
    if (this.#turn === undefined && this.#needsNewProcess) await processes.end(this.id);
    return this.settings;
  }

  /** Does a turn with what the user has said. */
  runTurn(turn: RunningTurn): Promise<void> {
    return this.#run(turn, (pi) => {
      pi.sayAll();
    });
  }

  /** Does a turn with a command of pi's own, which nobody said. */
  runCommand(turn: RunningTurn, command: PiMessage): Promise<void> {
    return this.#run(turn, (pi) => pi.run(command));
  }

  /** Gives it a name in pi's own list of sessions; a session that was never begun has none. */
  async rename(name: string): Promise<void> {
    const process = this.#options.processes.peek(this.id);
    if (process === undefined) await this.#options.store.rename(this.id, name);
    else await process.command({ type: 'set_session_name', name });
    await this.#options.store.noteWritten(this.id);
  }

  /** Ends the process. The next turn starts another, which knows the conversation from its file. */
  endProcess(): Promise<void> {
    return this.#options.processes.end(this.id);
  }

  async #run(turn: RunningTurn, begin: (pi: PiTurn) => void): Promise<void> {
    let left = await this.#runOnce(turn, begin);
    // pi holds them in its queue, but is not at work any more: a new one has no queue.
    while (left.length > 0 && !turn.signal.aborted) {
      await this.endProcess();
      const again = left;
      left = await this.#runOnce(turn, (pi) => {
        for (const { id, content } of again) pi.say(id, content);
      });
    }
  }

  async #runOnce(turn: RunningTurn, begin: (pi: PiTurn) => void): ReturnType<PiTurn['end']> {
    const lease = await leaseUnlessAborted(turn.signal, this.#lease());
    if (lease === undefined) return [];
    const pi = new PiTurn({
      turn,
      process: lease.process,
      mustAsk: (call) =>
        mustAsk(call, { wishes: this.#wishes, permissions: this.#options.processes.permissions, readable: this.#options.readable }),
      onEditsAccepted: () => {
        this.#wishes = { ...this.#wishes, areEditsAccepted: true };
      },
      itemOfCall: (toolCallId) => itemOfCall(this.#state, toolCallId),
      outcome: () => outcomeOf(this.#state),
      caughtUp: () => new Promise((resolve) => this.#inbox.push(resolve)),
      endProcess: () => this.endProcess(),
      log: this.#options.log,
    });
    try {
      if (turn.signal.aborted) return [];
      this.#note({ type: 'turnBegan' });
      this.#turn = pi;
      const own = this.#own ?? [];
      this.#own = undefined;
      begin(pi);
      this.#inbox.pushFirst(own.map((message) => () => this.#handle(message)));
      return await pi.end();
    } finally {
      this.#turn = undefined;
      await this.#options.store.noteWritten(this.id);
      lease.release();
    }
  }

  #onMessage(process: PiProcess | undefined, message: PiMessage): void {
    this.#inbox.push(async () => {
      // What the one before still had to say is of no use to the next.
      if (process === undefined || process === this.#process) await this.#handle(message);
    });
  }

  async #handle(message: PiMessage): Promise<void> {
    const event = decodeEvent(message);
    if (event.type === 'unknown') return this.#tellUnknown(event.kind);
    if (event.type === 'ignored') return;
    const turn = this.#turn?.isOver === true ? undefined : this.#turn;
    if (turn === undefined) return this.#handleBetweenTurns(message, event);
    if (event.type === 'uiRequested') return this.#onUi(turn, event);
    for (const path of filesToSee(event, this.#state)) {
      const text = await readFileText(path);
      if (text !== undefined) this.#note({ type: 'fileSeen', path, text });
    }
    const { state, out } = step(this.#state, event);
    this.#state = state;
    turn.onEvent(event, out);
  }

  #onUi(turn: PiTurn, { request }: Extract<NativeEvent, { type: 'uiRequested' }>): void {
    if (request.method === 'setStatus') {
      if (request.status.key === GUARD) this.#onGuard(turn, request.status.text);
      return;
    }
    if (request.method === 'notify') {
      if (request.level !== 'info') turn.turn.apply({ type: 'warning', message: request.message });
      return;
    }
    const call = request.method === 'select' ? readGuardedCall(request.title) : undefined;
    void (call === undefined ? turn.onDialog(request) : turn.onCall(request.id, call));
  }

  #onGuard(turn: PiTurn, text: string | undefined): void {
    const told = readGuardTold(text);
    if (told?.type === 'took') turn.onTaken(told.messageId);
    if (this.#leaveOtherSession(text)) {
      turn.fail(new HeddleError('agent_exited', 'an extension has made pi go to another session; the thread stays with its own'));
    }
  }

  /** pi may go to another session at an extension's wish: that is not this thread any more. @returns whether it has */
  #leaveOtherSession(text: string | undefined): boolean {
    const told = readGuardTold(text);
    if (told?.type !== 'guards' || told.sessionId === this.id) return false;
    void this.endProcess();
    return true;
  }

  /** pi does something by itself: an extension lets it answer, or asks. That is a turn in which nobody says anything. */
  #handleBetweenTurns(message: PiMessage, event: NativeEvent): void {
    if (this.#own !== undefined) {
      this.#own.push(message);
      return;
    }
    if (event.type === 'uiRequested' && event.request.status.key === GUARD) return void this.#leaveOtherSession(event.request.status.text);
    const isBeginning = event.type === 'runStarted' || (event.type === 'uiRequested' && isDialog(event.request));
    if (!isBeginning) return;
    const own = [message];
    this.#own = own;
    const run = async (turn: RunningTurn) => {
      // Otherwise a turn of the user's was faster, and has it.
      if (this.#own === own) await this.#run(turn, (pi) => pi.noteOwnBeginning());
    };
    this.#options.hub
      .beginOwnTurn(this.id, uuidV7(), run)
      .catch((error: unknown) =>
        this.#options.log.warn('a turn that pi began by itself was not shown', { threadId: this.id, error: asError(error) }),
      )
      .finally(() => {
        if (this.#own === own) this.#own = undefined;
      });
  }

  #note(note: Note): void {
    this.#state = step(this.#state, note).state;
  }

  #tellUnknown(kind: string): void {
    if (this.#unknownKinds.has(kind)) return;
    this.#unknownKinds.add(kind);
    this.#options.log.info('pi says something that heddle does not know', { kind });
  }

  get #needsNewProcess(): boolean {
    const { model, effort, developerInstructions, cwd } = this.#wishes;
    const started = this.#startedWith;
    if (started === undefined) return false;
    return (
      started.model !== model || started.effort !== effort || started.developerInstructions !== developerInstructions || started.cwd !== cwd
    );
  }

  async #lease(): Promise<Lease<PiProcess>> {
    const { processes, store } = this.#options;
    // Somebody may have gone on with the session in a terminal: this process would not know.
    if (this.#needsNewProcess || (processes.peek(this.id) !== undefined && (await store.hasChanged(this.id)))) await this.endProcess();
    let process: PiProcess | undefined;
    return processes.lease(
      this.id,
      (pi) => this.#start(pi),
      (message) => this.#onMessage(process, message),
      async (started) => {
        process = started.process;
        await this.#noteStarted(started);
      },
    );
  }

  async #start(pi: InstalledPi): Promise<ThreadStart> {
    const { model, developerInstructions, cwd, effort } = this.#wishes;
    const { processes, store } = this.#options;
    const instructions = await writeInstructions(processes.runtimeDir, this.id, developerInstructions);
    const session = await store.sessionToStart(this.id, cwd, pi);
    this.#startedWith = { model, effort, developerInstructions, cwd };
    return { session, model, thinking: thinkingOf(this.#wishes), cwd, ...instructions };
  }

  async #noteStarted({ applied, sessionId, sessionFile, process }: StartedPi): Promise<void> {
    await this.#options.store.noteStarted(this.id, sessionFile);
    if (sessionId !== this.id) throw new HeddleError('internal', `pi went on with session ${sessionId} instead of ${this.id}`);
    const foreseen = this.settings;
    this.#process = process;
    this.#applied = applied;
    this.#note({ type: 'modelKnown', contextWindow: applied.model?.contextWindow ?? null });
    const { model, reasoningEffort } = this.settings;
    if (foreseen.model !== model || foreseen.reasoningEffort !== reasoningEffort) this.#options.hub.settingsChanged(this.id, this.settings);
    void process.ended.then(() => {
      if (this.#options.processes.peek(this.id) === undefined) this.#own = undefined;
    });
  }

  /** What pi will run with, as far as it can be said while it does not. */
  async #foresee(): Promise<void> {
    const { model, effort } = this.#wishes;
    const { models } = await this.#options.processes.anyReport(this.#wishes.cwd);
    const chosen = models.find(({ provider, id }) => `${provider}/${id}` === model) ?? this.#applied.model;
    const thinking = effort === undefined ? this.#applied.thinking : (thinkingOf({ effort }) ?? this.#applied.thinking);
    this.#applied = { model: chosen, thinking };
  }
}
