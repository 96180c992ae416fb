// Owns one loaded thread of opencode's: its wishes, its turn while one runs, and what is heard of its session when none
// does: somebody else may begin one there.

import type { HubForAgent, Permissions, RunningTurn, SettingsInForce, WantedSettings } from '@heddle/bridge-kit';
import type { Log } from '@heddle/rpc';
import { asError, type ThreadId, type UserInput } from '@heddle/wire';
import { Asker } from './agent-asker.ts';
import type { FolderFacts } from './agent-folders.ts';
import { OpencodeTurn, type TurnBegin } from './agent-turn.ts';
import { contextWindowsOf, type ModelCatalog } from './models.ts';
import type { NativeEvent } from './native.ts';
import type { NativeSession } from './native-session.ts';
import type { Connection } from './server/connection.ts';
import { isGranted } from './policy.ts';
import { type OpencodeWishes, promptSettings, settingsInForce, wished } from './settings.ts';
import type { OpencodeStore } from './store.ts';

/** What is heard between turns is kept until it is clear whether a turn begins; it is little. */
const MAX_HEARD = 100;
/** In characters; for lists. */
const MAX_PREVIEW = 300;

export interface OpencodeThreadOptions {
  id: ThreadId;
  session: NativeSession;
  wishes: OpencodeWishes;
  catalog: ModelCatalog;
  /** Whether something was said in it. */
  isSaid: boolean;
  permissions: Permissions;
  /** The server is somebody else's: its configuration does not make it ask. */
  isForeign: boolean;
  folders: FolderFacts;
  store: OpencodeStore;
  hub: HubForAgent;
  connect(): Promise<Connection>;
  log: Log;
}

export class OpencodeThread {
  readonly id: ThreadId;
  readonly session: NativeSession;
  readonly #options: OpencodeThreadOptions;
  #wishes: OpencodeWishes;
  #catalog: ModelCatalog;
  #isSaid: boolean;
  #turn: OpencodeTurn | undefined;
  /** Whether a turn of the hub's has its run here, even if it waits for the server. */
  #isTaken = false;
  #heard: NativeEvent[] = [];
  /** What is heard of a turn that somebody else has begun, until it has its run. */
  #foreign: NativeEvent[] | undefined;
  /** What is heard while a turn waits for the server. */
  #early: NativeEvent[] = [];
  /** The user's messages of turns that have ended; opencode writes to them once more afterwards. */
  readonly #pastMessages = new Set<string>();
  readonly #messagesOfTurn = new Set<string>();

  constructor(options: OpencodeThreadOptions) {
    this.id = options.id;
    this.session = options.session;
    this.#options = options;
    this.#wishes = options.wishes;
    this.#catalog = options.catalog;
    this.#isSaid = options.isSaid;
  }

  get settings(): SettingsInForce {
    return settingsInForce(this.#wishes, this.#catalog, this.#options.permissions);
  }

  get isSaid(): boolean {
    return this.#isSaid;
  }

  /** Only what is given changes, from the next prompt on; for opencode's questions at once. */
  async change(wanted: WantedSettings): Promise<SettingsInForce> {
    this.#catalog = await this.#options.folders.catalog(this.session.directory);
    this.#wishes = wished(this.#wishes, wanted);
    return this.settings;
  }

  runTurn(turn: RunningTurn): Promise<void> {
    return this.#run(turn, { kind: 'said', events: this.#takeForeign() });
  }

  compact(turn: RunningTurn): Promise<void> {
    return this.#run(turn, { kind: 'compact', events: [] });
  }

  /** An event of its session's, or of a sub-agent's in it. */
  onEvent(event: NativeEvent): void {
    if (event.type === 'message' && event.message.role === 'user') {
      if (this.#pastMessages.has(event.message.id)) return;
      if (this.#isTaken) this.#messagesOfTurn.add(event.message.id);
    }
    if (this.#turn !== undefined) this.#turn.onEvent(event);
    else if (this.#foreign !== undefined) this.#foreign.push(event);
    else if (this.#isTaken) this.#early.push(event);
    else this.#hear(event);
  }

  onGap(): void {
    this.#heard = [];
    this.#turn?.onGap();
  }

  async #run(turn: RunningTurn, begin: TurnBegin): Promise<void> {
    this.#isTaken = true;
    this.#heard = [];
    try {
      const connection = await unlessCut(turn, this.#options.connect());
      if (connection === undefined) return;
      const opencode = await this.#turnIn(connection, turn);
      if (turn.signal.aborted) return;
      this.#turn = opencode;
      await opencode.run({ ...begin, events: [...begin.events, ...this.#early] });
    } finally {
      this.#turn = undefined;
      this.#isTaken = false;
      this.#early = [];
      for (const id of this.#messagesOfTurn) this.#pastMessages.add(id);
      this.#messagesOfTurn.clear();
    }
  }

  async #turnIn(connection: Connection, turn: RunningTurn): Promise<OpencodeTurn> {
    const { folders, store, permissions, log } = this.#options;
    const { id: sessionId, directory } = this.session;
    const [catalog, mcpServers] = await Promise.all([folders.catalog(directory), folders.mcpServerNames(directory)]);
    this.#catalog = catalog;
    await store.dropReverted(this.session);
    await store.guard(this.session, { agent: promptSettings(this.#wishes, catalog).agent, isForeign: this.#options.isForeign });
    const asker = new Asker({
      turn,
      api: connection.api,
      directory,
      isGranted: (files) => isGranted(files, this.#wishes, permissions),
      onEditsAccepted: () => {
        this.#wishes = { ...this.#wishes, areEditsAccepted: true };
      },
      log,
    });
    return new OpencodeTurn({
      turn,
      connection,
      sessionId,
      directory,
      translator: { sessionId, cwd: directory, mcpServers, contextWindows: contextWindowsOf(catalog) },
      asker,
      settings: () => promptSettings(this.#wishes, this.#catalog),
      commands: () => folders.commandNames(directory),
      onSaid: (content) => this.#noteSaid(content),
      onBegun: (messageId) => {
        this.#messagesOfTurn.add(messageId);
        if (messageId !== turn.id) store.rememberTurn(sessionId, messageId, turn.id);
      },
      log,
    });
  }

  /** Lists show what a thread began with; opencode keeps a title only, which a model makes up. */
  #noteSaid(content: readonly UserInput[]): void {
    if (this.#isSaid) return;
    this.#isSaid = true;
    const text = content.find((input) => input.type === 'text')?.text ?? '';
    this.#options.store.note(this.session, { preview: text.slice(0, MAX_PREVIEW) }).catch((error: unknown) => {
      this.#options.log.info('what a thread began with could not be noted', { threadId: this.id, error: asError(error) });
    });
  }

  /** When no turn runs: the session becomes busy with a message that nobody here has said. */
  #hear(event: NativeEvent): void {
    this.#heard.push(event);
    if (this.#heard.length > MAX_HEARD) this.#heard.shift();
    if (event.type !== 'status' || event.status.type !== 'busy' || event.sessionId !== this.session.id) return;
    const at = this.#heard.findLastIndex((each) => this.#isForeignMessage(each));
    const first = this.#heard[at];
    if (first?.type !== 'message') return;
    this.#foreign = this.#heard.slice(at);
    this.#heard = [];
    void this.#followForeign(first.message.id, this.#foreign);
  }

  #isForeignMessage(event: NativeEvent): boolean {
    return event.type === 'message' && event.message.role === 'user' && event.sessionId === this.session.id;
  }

  async #followForeign(messageId: string, events: NativeEvent[]): Promise<void> {
    const run = async (turn: RunningTurn) => {
      // Otherwise a turn of the user's was faster, and has it.
      if (this.#foreign === events) await this.#run(turn, { kind: 'foreign', events: this.#takeForeign() });
    };
    try {
      await this.#options.hub.beginOwnTurn(this.id, messageId, run);
    } catch (error) {
      this.#options.log.warn('a turn that somebody else began was not shown', { threadId: this.id, error: asError(error) });
    } finally {
      if (this.#foreign === events) this.#foreign = undefined;
    }
  }

  #takeForeign(): NativeEvent[] {
    const events = this.#foreign ?? [];
    this.#foreign = undefined;
    return events;
  }
}

async function unlessCut<T>(turn: RunningTurn, waiting: Promise<T>): Promise<T | undefined> {
  const { promise: cut, resolve } = Promise.withResolvers<undefined>();
  const onAbort = () => resolve(undefined);
  turn.signal.addEventListener('abort', onAbort, { once: true });
  if (turn.signal.aborted) onAbort();
  waiting.catch(() => {}); // when the turn is cut nobody waits for it any more
  try {
    return await Promise.race([waiting, cut]);
  } finally {
    turn.signal.removeEventListener('abort', onAbort);
  }
}
