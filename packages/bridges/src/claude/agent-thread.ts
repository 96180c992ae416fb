// Owns one loaded thread of claude's: its wishes, its process as long as there is one, the translator's state, and what
// claude says when no turn runs. Messages are handled one after the other, in claude's order.

import {
  type HubForAgent,
  Inbox,
  type Lease,
  leaseUnlessAborted,
  type Permissions,
  type RunningTurn,
  type SettingsInForce,
  type ThreadWishes,
  type WantedSettings,
} from '@heddle/bridge-kit';
import type { Log } from '@heddle/rpc';
import { asError, type ThreadId, type UserInput } from '@heddle/wire';
import type { ClaudeProcesses, ThreadStart } from './agent-processes.ts';
import { ItemPlaces, PermissionAsker } from './agent-questions.ts';
import { Translation } from './agent-translation.ts';
import { ClaudeTurn } from './agent-turn.ts';
import { fileOf, type PermissionRequest, readPermissionRequest } from './approvals.ts';
import { type AppliedSettings, renameSession } from './control.ts';
import { fullModelName } from './models.ts';
import { decodeMessage } from './native.ts';
import type { ClaudeListener, ClaudeMessage, ClaudeProcess } from './process.ts';
import { SettingsOfThread } from './settings-of-thread.ts';
import type { ClaudeStore } from './store.ts';
import { localCommandEntry, ownTurnId, proposedFiles, rateLimitSnapshot, transcriptEntry } from './translate.ts';

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
  readonly #settings: SettingsOfThread;
  readonly #inbox: Inbox;
  #translation: Translation | undefined;
  #turn: ClaudeTurn | undefined;
  /** What claude has said in a turn of its own for which there is none of ours yet. */
  #own: { messages: ClaudeMessage[]; id?: string } | undefined;
  /** Tasks in the background; while there are some the process is kept. */
  readonly #tasks = new Set<string>();
  #taskLease: Lease<ClaudeProcess> | undefined;
  readonly #unknownKinds = new Set<string>();

  constructor(options: ClaudeThreadOptions) {
    const { id, hub, log } = options;
    this.id = id;
    this.#options = options;
    this.#settings = new SettingsOfThread({ ...options, onChanged: () => hub.settingsChanged(id, this.settings) });
    this.#inbox = new Inbox((error) => log.error('a message of claude could not be handled', { threadId: id, error: asError(error) }));
    this.#asker = new PermissionAsker({
      onEditsAccepted: () => this.#settings.acceptEdits(),
      onPlanAccepted: ({ areEditsAccepted }) => {
        if (areEditsAccepted) this.#settings.acceptEdits();
        this.#settings.leavePlanMode();
        return this.#settings.mode;
      },
    });
  }

  get settings(): SettingsInForce {
    return this.#settings.inForce;
  }

  /** Starts the process, if there is none: it tells what the thread really runs with. */
  async warmUp(): Promise<void> {
    (await this.#lease()).release();
  }

  /** Only what is given changes; a running process is told at once. */
  async change(wanted: WantedSettings): Promise<SettingsInForce> {
    const isMoved = wanted.cwd !== undefined && wanted.cwd !== this.#settings.cwd;
    const { cwd: _cwd, ...others } = wanted;
    // A conversation of claude's belongs to its folder; before its first words it may still be moved.
    const mayMove = isMoved && (await this.#options.store.find(this.id)) === undefined;
    this.#settings.wish(mayMove ? wanted : others);
    if (mayMove) await this.#options.processes.end(this.id);
    const process = this.#options.processes.peek(this.id);
    if (process !== undefined) await this.#settings.tell(process);
    else this.#settings.foresee(await this.#foreseen());
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

  /** The conversation was changed on disk: what is known of it is read again. */
  forgetConversation(): void {
    this.#translation = undefined;
  }

  onMessage(message: ClaudeMessage): void {
    this.#inbox.push(() => this.#handle(message));
  }

  onControlRequest(id: string, request: Record<string, unknown>): void {
    this.#inbox.push(() => {
      const process = this.#options.processes.peek(this.id);
      if (process === undefined) return;
      if (request['subtype'] !== 'can_use_tool') return process.refuse(id, `heddle does not know "${String(request['subtype'])}"`);
      const turn = this.#openTurn;
      const asked = readPermissionRequest(request);
      if (turn === undefined) return this.#askBetweenTurns(process, id, asked);
      const ask = () => {
        // claude may ask before it tells what it asks about.
        if (this.#translation !== undefined) turn.apply(this.#translation.note({ type: 'permissionAsked', ...asked }));
        void turn.onPermissionRequest(id, asked);
      };
      const path = fileOf(asked);
      return path === undefined ? ask() : this.#translation?.seeFiles([path]).then(ask);
    });
  }

  onControlCancel(id: string): void {
    this.#inbox.push(() => this.#openTurn?.takeBackQuestion(id));
  }

  async #run(turn: RunningTurn, begin: (claude: ClaudeTurn) => void): Promise<void> {
    const lease = await leaseUnlessAborted(turn.signal, this.#lease());
    if (lease === undefined) return;
    const { process } = lease;
    const claude = new ClaudeTurn({
      turn,
      process,
      asker: this.#asker,
      onAllowed: (toolUseId) => claude.apply(this.#translation?.note({ type: 'permissionAnswered', toolUseId }) ?? []),
      endProcess: () => this.endProcess(),
      log: this.#options.log,
    });
    try {
      this.#translation ??= await Translation.of(this.id, this.#settings.cwd, this.#options.store);
      if (!turn.signal.aborted) await this.#settings.tell(process);
      if (turn.signal.aborted) return;
      this.#turn = claude;
      this.#feedOwnMessages(claude);
      begin(claude);
      await claude.end();
    } finally {
      this.#turn = undefined;
      if (this.#tasks.size > 0 && this.#taskLease === undefined && !process.isGone) this.#taskLease = lease;
      else lease.release();
    }
  }

  /** claude may have begun by itself: that is part of the turn which comes first. */
  #feedOwnMessages(claude: ClaudeTurn): void {
    const own = this.#own;
    this.#own = undefined;
    if (own === undefined) return;
    claude.noteOwnBeginning();
    this.#inbox.pushFirst(own.messages.map((message) => () => this.#handle(message)));
  }

  /** What claude says right behind its result belongs to no turn of ours. */
  get #openTurn(): ClaudeTurn | undefined {
    return this.#turn?.isOver === true ? undefined : this.#turn;
  }

  #handle(message: ClaudeMessage): void | Promise<void> {
    this.#watch(message);
    const native = decodeMessage(message);
    if (native.type === 'unknown') this.#tellUnknown(native.kind);
    const limits = rateLimitSnapshot(native);
    if (limits !== undefined) this.#options.onRateLimits(limits);
    const turn = this.#openTurn;
    const translation = this.#translation;
    if (turn === undefined || translation === undefined) return this.#handleBetweenTurns(message);
    const written = transcriptEntry(native);
    if (written !== undefined) this.#options.store.expectEntry(this.id, written); // whoever reads next waits for it
    const entry = localCommandEntry(native);
    if (entry !== undefined) this.#options.store.rememberTurn(this.id, entry, turn.turn.id);
    // What the user said is shown already; its echo comes in the middle of the answer.
    if (message.type === 'user' && turn.hasSaid(message['uuid'])) return turn.onMessage(message, { out: [] });
    const translate = () => turn.onMessage(message, translation.message(native));
    const paths = proposedFiles(native, this.#settings.cwd);
    return paths.length === 0 ? translate() : translation.seeFiles(paths).then(translate);
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
    if (subtype === 'status' || subtype === 'init') this.#settings.noteMode(message['permissionMode']);
    if (subtype === 'task_started') this.#tasks.add(String(message['task_id']));
    if (subtype !== 'task_notification') return;
    this.#tasks.delete(String(message['task_id']));
    if (this.#tasks.size > 0) return;
    this.#taskLease?.release();
    this.#taskLease = undefined;
  }

  #tellUnknown(kind: string): void {
    if (this.#unknownKinds.has(kind)) return;
    this.#unknownKinds.add(kind);
    this.#options.log.info('claude says something that heddle does not know', { kind });
  }

  async #lease(): Promise<Lease<ClaudeProcess>> {
    if (this.#settings.needsNewProcess) await this.endProcess();
    return this.#options.processes.lease(
      this.id,
      () => this.#start(),
      this,
      ({ process, applied, mode }) => {
        this.#settings.noteStarted(process, applied, mode);
        void process.ended.then(() => this.#inbox.push(() => this.#noteEnded(process)));
      },
    );
  }

  async #start(): Promise<ThreadStart> {
    const { model, effort, mode, cwd, instructions } = this.#settings;
    const isStored = (await this.#options.store.find(this.id)) !== undefined;
    return { session: { id: this.id, isStored }, model, effort, mode, cwd, instructions };
  }

  #noteEnded(process: ClaudeProcess): void {
    this.#settings.noteEnded(process);
    if (this.#options.processes.peek(this.id) !== undefined) return; // the next one runs already
    this.#own = undefined;
    this.#tasks.clear();
    this.#taskLease = undefined;
  }

  /** What claude will run with, as far as it can be said while it does not run. */
  async #foreseen(): Promise<AppliedSettings> {
    const { models, applied } = await this.#options.processes.anyReport(this.#settings.cwd);
    const { model, effort } = this.#settings;
    return { model: fullModelName(model, models) || applied.model, effort: effort ?? applied.effort };
  }
}
