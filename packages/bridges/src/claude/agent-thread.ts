// Owns one loaded thread of claude's: its wishes, its process as long as there is one, the translator's state, and what
// claude says when no turn runs. Messages are handled one after the other, in claude's order.

import { readFile, stat } from 'node:fs/promises';
import type { HubForAgent, Lease, RunningTurn, SettingsInForce, WantedSettings } from '@heddle/bridge-kit';
import type { Log } from '@heddle/rpc';
import { asError, type ThreadId, type UserInput } from '@heddle/wire';
import { ItemPlaces, PermissionAsker } from './agent-questions.ts';
import type { ClaudeProcesses, StartedClaude, ThreadStart } from './agent-processes.ts';
import { ClaudeTurn } from './agent-turn.ts';
import { fileOf, type PermissionRequest, readPermissionRequest } from './approvals.ts';
import { type AppliedSettings, readSettings, renameSession, setEffort, setModel, setPermissionMode } from './control.ts';
import type { ClaudeStore } from './store.ts';
import type { ClaudeListener, ClaudeMessage, ClaudeProcess } from './process.ts';
import { decodeMessage } from './native.ts';
import {
  effortOf,
  permissionModeOf,
  type PermissionMode,
  type Permissions,
  settingsInForce,
  type ThreadWishes,
  withWishes,
} from './settings.ts';
import {
  localCommandEntry,
  newTranslator,
  type Note,
  ownTurnId,
  proposedFiles,
  rateLimitSnapshot,
  step,
  type Translator,
} from './translate.ts';

/** A file that is larger is changed without its difference being shown beforehand. */
const MAX_DIFFED_BYTES = 1024 * 1024;
/** claude writes a transcript some ten milliseconds after it has spoken, and tells nobody when it has. */
const MAX_WRITE_MS = 500;
const LOOK_AGAIN_MS = 10;

export interface ClaudeThreadOptions {
  id: ThreadId;
  wishes: ThreadWishes;
  /** What claude would run with, as far as it is known before it runs. */
  applied: AppliedSettings;
  permissions: Permissions;
  processes: ClaudeProcesses;
  store: ClaudeStore;
  hub: HubForAgent;
  onRateLimits: (snapshot: Record<string, unknown>) => void;
  log: Log;
}

export class ClaudeThread implements ClaudeListener {
  readonly id: ThreadId;
  readonly #options: ClaudeThreadOptions;
  readonly #asker: PermissionAsker;
  #wishes: ThreadWishes;
  #applied: AppliedSettings;
  /** With what the running process was started or told since. */
  #told: { model: string | undefined; effort: string | undefined; instructions: string | undefined; mode: PermissionMode } | undefined;
  #translator: Translator | undefined;
  #turn: ClaudeTurn | undefined;
  /** What claude has said in a turn of its own for which there is none of ours yet. */
  #own: { messages: ClaudeMessage[]; id?: string } | undefined;
  /** Tasks in the background; while there are some the process is kept. */
  readonly #tasks = new Set<string>();
  #taskLease: Lease<ClaudeProcess> | undefined;
  #isStored = false;
  #inbox: (() => void | Promise<void>)[] = [];
  #isHandling = false;

  constructor(options: ClaudeThreadOptions) {
    this.id = options.id;
    this.#options = options;
    this.#wishes = options.wishes;
    this.#applied = options.applied;
    this.#asker = new PermissionAsker({
      onEditsAccepted: () => {
        this.#wishes = { ...this.#wishes, areEditsAccepted: true };
      },
      onPlanAccepted: ({ areEditsAccepted }) => {
        this.#wishes = { ...this.#wishes, mode: 'default', ...(areEditsAccepted ? { areEditsAccepted } : {}) };
        return this.#wantedMode();
      },
    });
  }

  get settings(): SettingsInForce {
    return settingsInForce(this.#wishes, this.#applied, this.#options.permissions);
  }

  get wishes(): ThreadWishes {
    return this.#wishes;
  }

  /** Starts the process, if there is none: it tells what the thread really runs with. */
  async warmUp(): Promise<void> {
    (await this.#lease()).release();
  }

  /** Only what is given changes; a running process is told at once. */
  async change(wanted: WantedSettings): Promise<SettingsInForce> {
    const isMoved = wanted.cwd !== undefined && wanted.cwd !== this.#wishes.cwd;
    const { cwd: _cwd, ...others } = wanted;
    // A conversation of claude's belongs to its folder; before its first words it may still be moved.
    const mayMove = isMoved && (await this.#options.store.find(this.id)) === undefined;
    this.#wishes = withWishes(this.#wishes, mayMove ? wanted : others);
    if (mayMove) await this.#options.processes.end(this.id);
    const process = this.#options.processes.peek(this.id);
    if (process !== undefined) await this.#tell(process);
    else this.#applied = await this.#foreseen();
    return this.settings;
  }

  async rename(name: string): Promise<void> {
    if ((await this.#options.store.find(this.id)) === undefined) return; // claude has nothing to name yet
    const lease = await this.#lease();
    try {
      await renameSession(lease.process, name);
    } finally {
      lease.release();
    }
  }

  /** Does a turn with what the user has said. */
  runTurn(turn: RunningTurn): Promise<void> {
    const messages = turn.takeMessages();
    return this.#run(turn, (claude) => {
      for (const { id, content } of messages) claude.say(id, content);
      claude.sayAll(); // said while the process was starting
    });
  }

  /** Does a turn with a command of claude's own, which nobody said. */
  runCommand(turn: RunningTurn, command: string): Promise<void> {
    const content: UserInput[] = [{ type: 'text', text: command }];
    return this.#run(turn, (claude) => claude.say(turn.id, content));
  }

  /** Ends the process. The next turn starts another, which knows the conversation from its transcript. */
  async endProcess(): Promise<void> {
    this.#taskLease?.release();
    await this.#options.processes.end(this.id);
  }

  /** claude writes its transcript a moment after it has spoken; at its end everything is there. */
  async flush(): Promise<void> {
    if (this.#tasks.size === 0) await this.endProcess();
  }

  /** The conversation was changed on disk: what is known of it is read again. */
  forgetConversation(): void {
    this.#translator = undefined;
  }

  onMessage(message: ClaudeMessage): void {
    this.#enqueue(() => this.#handle(message));
  }

  onControlRequest(id: string, request: Record<string, unknown>): void {
    this.#enqueue(() => {
      const process = this.#options.processes.peek(this.id);
      if (process === undefined) return;
      if (request['subtype'] !== 'can_use_tool') return process.refuse(id, `heddle does not know "${String(request['subtype'])}"`);
      const turn = this.#turn;
      const asked = readPermissionRequest(request);
      if (turn === undefined) return this.#askBetweenTurns(process, id, asked);
      const ask = () => {
        // claude may ask before it tells what it asks about.
        this.#note(turn, { type: 'permissionAsked', ...asked });
        void turn.onPermissionRequest(id, asked);
      };
      const path = fileOf(asked);
      return path === undefined ? ask() : this.#seeFiles([path]).then(ask);
    });
  }

  onControlCancel(id: string): void {
    // Mostly after an interrupt of ours, whose turn has taken the question back already.
    this.#options.log.debug('claude takes a question back', { threadId: this.id, id });
  }

  async #run(turn: RunningTurn, begin: (claude: ClaudeTurn) => void): Promise<void> {
    const lease = await this.#leaseUnlessCut(turn);
    if (lease === undefined) return;
    const { process } = lease;
    const claude = new ClaudeTurn({
      turn,
      process,
      asker: this.#asker,
      onAllowed: (toolUseId) => this.#note(claude, { type: 'permissionAnswered', toolUseId }),
      endProcess: () => this.endProcess(),
      log: this.#options.log,
    });
    try {
      this.#translator ??= newTranslator({ threadId: this.id, cwd: this.#wishes.cwd, tasks: await this.#options.store.tasks(this.id) });
      if (!turn.signal.aborted) await this.#tell(process);
      if (turn.signal.aborted) return;
      this.#turn = claude;
      this.#feedOwnMessages(claude);
      begin(claude);
      await claude.end();
    } finally {
      if (!process.isGone) await this.#untilStored();
      this.#turn = undefined;
      if (this.#tasks.size > 0 && this.#taskLease === undefined && !process.isGone) this.#taskLease = lease;
      else lease.release();
    }
  }

  /** After its first turn a thread can be forked and archived: its transcript is there. */
  async #untilStored(): Promise<void> {
    const untilMs = Date.now() + MAX_WRITE_MS;
    while (!this.#isStored && Date.now() < untilMs) {
      this.#isStored = (await this.#options.store.find(this.id)) !== undefined;
      if (!this.#isStored) await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
  }

  /** claude may have begun by itself: that is part of the turn which comes first. */
  #feedOwnMessages(claude: ClaudeTurn): void {
    const own = this.#own;
    this.#own = undefined;
    if (own === undefined) return;
    claude.noteOwnBeginning();
    this.#inbox.unshift(...own.messages.map((message) => () => this.#handle(message)));
    void this.#handleAll();
  }

  #enqueue(act: () => void | Promise<void>): void {
    this.#inbox.push(act);
    void this.#handleAll();
  }

  async #handleAll(): Promise<void> {
    if (this.#isHandling) return;
    this.#isHandling = true;
    for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) {
      try {
        const handling = next();
        if (handling !== undefined) await handling; // most need no waiting, and deltas are many
      } catch (error) {
        this.#options.log.error('a message of claude could not be handled', { threadId: this.id, error: asError(error) });
      }
    }
    this.#isHandling = false;
  }

  #handle(message: ClaudeMessage): void | Promise<void> {
    this.#watch(message);
    const native = decodeMessage(message);
    if (native.type === 'unknown') this.#tellUnknown(native.kind);
    const limits = rateLimitSnapshot(native);
    if (limits !== undefined) this.#options.onRateLimits(limits);
    if (this.#turn === undefined) return this.#handleBetweenTurns(message);
    const turn = this.#turn;
    const entry = localCommandEntry(native);
    if (entry !== undefined) this.#options.store.rememberTurn(this.id, entry, turn.turn.id);
    // What the user said is shown already; its echo comes in the middle of the answer.
    const isEcho = message.type === 'user' && turn.hasSaid(message['uuid']);
    const translate = () => {
      if (this.#translator === undefined) return;
      const { state, out, ended } = isEcho ? { state: this.#translator, out: [], ended: undefined } : step(this.#translator, native);
      this.#translator = state;
      turn.onMessage(message, { out, ...(ended === undefined ? {} : { ended }) });
    };
    const paths = proposedFiles(native, this.#wishes.cwd);
    return paths.length === 0 ? translate() : this.#seeFiles(paths).then(translate);
  }

  #note(turn: ClaudeTurn, note: Note): void {
    if (this.#translator === undefined) return;
    const { state, out } = step(this.#translator, note);
    this.#translator = state;
    turn.apply(out);
  }

  /** The translator compares what claude proposes with what is there. */
  async #seeFiles(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      const text = await textOf(path);
      if (text === undefined || this.#translator === undefined) continue;
      this.#translator = step(this.#translator, { type: 'fileSeen', path, text }).state;
    }
  }

  /** Outside of a turn only the beginning of one counts: something in the background came back. */
  #handleBetweenTurns(message: ClaudeMessage): void {
    if (message.type === 'system' && message['subtype'] === 'init') this.#own ??= { messages: [] };
    const own = this.#own;
    if (own === undefined) return;
    own.messages.push(message);
    if (own.id !== undefined) return;
    const id = ownTurnId(decodeMessage(message));
    if (id === undefined) return;
    own.id = id;
    const run = async (turn: RunningTurn) => {
      // Otherwise a turn of the user's was faster, and has it.
      if (this.#own === own) await this.#run(turn, () => {});
    };
    void this.#beginOwnTurn(id, run).finally(() => {
      if (this.#own === own) this.#own = undefined;
    });
  }

  /** A sub-agent in the background asks when no turn runs: the question gets a turn of its own. */
  #askBetweenTurns(process: ClaudeProcess, id: string, asked: PermissionRequest): void {
    void this.#beginOwnTurn(asked.toolUseId, async (turn) => {
      try {
        process.answer(id, await this.#asker.ask(turn, asked, new ItemPlaces(turn)));
      } catch (error) {
        process.refuse(id, 'The user stopped this.');
        throw error;
      }
    });
  }

  async #beginOwnTurn(turnId: string, run: (turn: RunningTurn) => Promise<void>): Promise<void> {
    try {
      await this.#options.hub.beginOwnTurn(this.id, turnId, run);
    } catch (error) {
      this.#options.log.warn('a turn that claude began by itself was not shown', { threadId: this.id, error: asError(error) });
    }
  }

  /** What a message tells of the process, whatever it means for a turn. */
  #watch(message: ClaudeMessage): void {
    if (message.type !== 'system') return;
    const { subtype } = message;
    if (subtype === 'status' || subtype === 'init') this.#noteMode(message['permissionMode']);
    if (subtype === 'task_started') this.#tasks.add(String(message['task_id']));
    if (subtype !== 'task_notification') return;
    this.#tasks.delete(String(message['task_id']));
    if (this.#tasks.size > 0) return;
    this.#taskLease?.release();
    this.#taskLease = undefined;
  }

  /** claude changes its mode by itself too: it begins to plan, or a plan was accepted. */
  #noteMode(mode: unknown): void {
    if (this.#told === undefined || (mode !== 'default' && mode !== 'acceptEdits' && mode !== 'plan' && mode !== 'bypassPermissions'))
      return;
    if (mode === this.#told.mode) return;
    this.#told.mode = mode;
    if (mode === this.#wantedMode()) return;
    this.#wishes = { ...this.#wishes, mode: mode === 'plan' ? 'plan' : 'default' };
  }

  readonly #unknownKinds = new Set<string>();
  #tellUnknown(kind: string): void {
    if (this.#unknownKinds.has(kind)) return;
    this.#unknownKinds.add(kind);
    this.#options.log.info('claude says something that heddle does not know', { kind });
  }

  #wantedMode(): PermissionMode {
    return permissionModeOf(this.#wishes, this.#options.permissions);
  }

  async #leaseUnlessCut(turn: RunningTurn): Promise<Lease<ClaudeProcess> | undefined> {
    const { promise: cut, resolve } = Promise.withResolvers<undefined>();
    const onAbort = () => resolve(undefined);
    turn.signal.addEventListener('abort', onAbort, { once: true });
    if (turn.signal.aborted) onAbort();
    const starting = this.#lease();
    const lease = await Promise.race([starting, cut]);
    turn.signal.removeEventListener('abort', onAbort);
    if (lease === undefined) starting.then((late) => late.release()).catch(() => {}); // nobody waits for it any more
    return lease;
  }

  async #lease(): Promise<Lease<ClaudeProcess>> {
    const { processes } = this.#options;
    // Instructions are given at the beginning only.
    if (this.#told !== undefined && this.#told.instructions !== this.#wishes.developerInstructions) await this.endProcess();
    const onStarted = (started: StartedClaude) => this.#onStarted(started);
    return processes.lease(this.id, () => this.#start(), this, onStarted);
  }

  async #start(): Promise<ThreadStart> {
    const { model, cwd, developerInstructions: instructions } = this.#wishes;
    const isStored = (await this.#options.store.find(this.id)) !== undefined;
    return { session: { id: this.id, isStored }, model, effort: effortOf(this.#wishes), mode: this.#wantedMode(), cwd, instructions };
  }

  #onStarted({ process, applied, mode }: StartedClaude): void {
    const { model, developerInstructions: instructions } = this.#wishes;
    this.#applied = applied;
    this.#told = { model, effort: effortOf(this.#wishes), instructions, mode };
    void process.ended.then(() => {
      this.#enqueue(() => {
        this.#told = undefined;
        this.#own = undefined;
        this.#tasks.clear();
        this.#taskLease = undefined;
      });
    });
  }

  /** Tells a running process what has changed since it was told last. */
  async #tell(process: ClaudeProcess): Promise<void> {
    const told = this.#told;
    if (told === undefined) return;
    const { model } = this.#wishes;
    const effort = effortOf(this.#wishes);
    const mode = this.#wantedMode();
    const isChanged = told.model !== model || told.effort !== effort;
    if (model !== undefined && told.model !== model) await setModel(process, model);
    if (effort !== undefined && told.effort !== effort) await setEffort(process, effort);
    if (told.mode !== mode) {
      told.mode = mode; // first: claude tells of the change too
      await setPermissionMode(process, mode);
    }
    told.model = model;
    told.effort = effort;
    if (isChanged) this.#applied = await readSettings(process);
  }

  /** What claude will run with, as far as it can be said while it does not run. */
  async #foreseen(): Promise<AppliedSettings> {
    const report = await this.#options.processes.report(this.#wishes.cwd);
    const { model } = this.#wishes;
    const found = report.models.find(({ value }) => value === model);
    return { model: found?.resolvedModel ?? model ?? this.#applied.model, effort: effortOf(this.#wishes) ?? this.#applied.effort };
  }
}

/** `null` when there is no such file; `undefined` when it can't be shown. */
async function textOf(path: string): Promise<string | null | undefined> {
  try {
    const { size } = await stat(path);
    return size > MAX_DIFFED_BYTES ? undefined : await readFile(path, 'utf8');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? null : undefined;
  }
}
