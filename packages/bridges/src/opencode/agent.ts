// Owns opencode as an agent of the hub: its threads, what it offers, and which thread hears what. What happens in a
// thread is agent-thread.ts.

import {
  assertFolder,
  type ForkPoint,
  type HubAgent,
  type HubForAgent,
  type McpServer,
  type OpenedThread,
  type Permissions,
  quoted,
  refusal,
  type RunningTurn,
  type SettingsInForce,
  type Skill,
  type StoredThread,
  type WantedSettings,
} from '@heddle/bridge-kit';
import type { Log } from '@heddle/rpc';
import { asError, type Model, type ThreadId, type TurnId } from '@heddle/wire';
import { FolderFacts } from './agent-folders.ts';
import { OpencodeThread } from './agent-thread.ts';
import { newMessageId } from './message-id.ts';
import { type ModelCatalog, modelsOf } from './models.ts';
import type { NativeEvent } from './native.ts';
import { isMadeUpTitle, type NativeSession, readSession } from './native-session.ts';
import type { OpencodeServer } from './server/opencode-server.ts';
import { type OpencodeWishes, wished, wishesOf } from './settings.ts';
import { OpencodeStore } from './store.ts';
import { threadIdOf } from './thread-id.ts';

const NO_MODEL =
  'opencode has no model to run on: run `opencode auth login` in a terminal, or name a model server under [agents.opencode.engine] in host.toml';

export interface OpencodeAgentOptions {
  hub: HubForAgent;
  server: OpencodeServer;
  permissions: Permissions;
  /** The mode of threads whose client names none. */
  mode: 'default' | 'plan';
  /** The user's folder, where a thread is that names none. */
  home: string;
  version: () => string;
  log: Log;
}

export class OpencodeAgent implements HubAgent {
  readonly name = 'opencode';
  readonly modes = ['default', 'plan'] as const;
  readonly store: OpencodeStore;
  readonly #options: OpencodeAgentOptions;
  readonly #folders: FolderFacts;
  readonly #threads = new Map<ThreadId, OpencodeThread>();
  /** By the sessions of the loaded threads, and of sub-agents in them. */
  readonly #hearers = new Map<string, OpencodeThread>();

  constructor(options: OpencodeAgentOptions) {
    this.#options = options;
    const { server } = options;
    const { ask } = server;
    this.#folders = new FolderFacts(ask);
    this.store = new OpencodeStore({ ask, mcpServers: (directory) => this.#folders.mcpServerNames(directory) });
    server.listen({
      onEvent: (event) => this.#onEvent(event),
      onGap: () => {
        for (const thread of this.#threads.values()) thread.onGap();
      },
      onEnded: () => this.#folders.forget(),
    });
  }

  get version(): string {
    return this.#options.version();
  }

  async createThread(wanted: WantedSettings): Promise<OpenedThread> {
    const directory = wanted.cwd ?? this.#options.home;
    await assertFolder(directory);
    const catalog = await this.#catalog(directory);
    const session = readSession(await this.#options.server.ask((api) => api.post('/session', { directory, body: {} })));
    if (session === undefined) throw new Error('opencode made a session that heddle can not read');
    this.store.sessions.note(session);
    const wishes = wished({ cwd: session.directory, mode: this.#options.mode }, wanted);
    return this.#load(session, wishes, catalog, false);
  }

  async openThread(stored: StoredThread, wanted: WantedSettings): Promise<OpenedThread> {
    const session = await this.store.sessions.find(stored.id);
    if (session === undefined) throw refusal(`no rollout found for thread id ${stored.id}`);
    const catalog = await this.#catalog(session.directory);
    return this.#load(session, wished(wishesOf(session, catalog), wanted), catalog, true);
  }

  async forkThread(source: StoredThread, { beforeTurnId }: ForkPoint, wanted: WantedSettings): Promise<OpenedThread> {
    const { sessions } = this.store;
    const from = await sessions.find(source.id);
    if (from === undefined) throw refusal(`no rollout found for thread id ${source.id}`);
    const cut = beforeTurnId === undefined ? from.note.reverted?.from : this.store.messageOf(from.id, beforeTurnId);
    const body = cut === undefined ? {} : { messageID: cut };
    const copy = await this.#options.server.ask((api) => api.post(`/session/${from.id}/fork`, { directory: from.directory, body }));
    const session = readSession(copy);
    if (session === undefined) throw new Error('opencode made a session that heddle can not read');
    sessions.note(session);
    const catalog = await this.#catalog(session.directory);
    // A copy does not know what its original was prompted with.
    const wishes = wished({ ...wishesOf({ ...from, id: session.id }, catalog), cwd: session.directory }, wanted);
    return this.#load(session, wishes, catalog, true);
  }

  async revertThread(threadId: ThreadId, beforeTurnId: TurnId): Promise<void> {
    const { session } = this.#find(threadId);
    const messages = await this.store.messages(session);
    const from = this.store.messageOf(session.id, beforeTurnId);
    if (!messages.some(({ message }) => message.id === from)) throw refusal(`no turn ${beforeTurnId} in thread ${threadId}`);
    await this.store.revert(session, from);
  }

  async unrevertThread(threadId: ThreadId): Promise<void> {
    const isBack = await this.store.unrevert(this.#find(threadId).session);
    if (!isBack) throw refusal('there is nothing to bring back: nothing was taken back, or something was said since');
  }

  changeSettings(threadId: ThreadId, wanted: WantedSettings): Promise<SettingsInForce> {
    return this.#find(threadId).change(wanted);
  }

  /** A session in which nothing was said is nothing that anybody would look for. */
  async unloadThread(threadId: ThreadId): Promise<void> {
    const thread = this.#threads.get(threadId);
    if (thread === undefined) return;
    this.#threads.delete(threadId);
    for (const [sessionId, hearer] of this.#hearers) if (hearer === thread) this.#hearers.delete(sessionId);
    if (thread.isSaid || this.#options.server.current === undefined) return;
    await this.store.removeSession(thread.session).catch((error: unknown) => {
      this.#options.log.info('an empty session of opencode was left behind', { threadId, error: asError(error) });
    });
  }

  /** Also in opencode's own list of sessions. */
  async renameThread(threadId: ThreadId, name: string): Promise<void> {
    const session = await this.store.sessions.find(threadId);
    if (session === undefined) return;
    const { id, directory } = session;
    await this.#options.server.ask((api) => api.patch(`/session/${id}`, { directory, body: { title: name } }));
  }

  runTurn(turn: RunningTurn): Promise<void> {
    return this.#find(turn.threadId).runTurn(turn);
  }

  compact(turn: RunningTurn): Promise<void> {
    return this.#find(turn.threadId).compact(turn);
  }

  newMessageId(): string {
    return newMessageId();
  }

  async models(): Promise<Model[]> {
    return modelsOf(await this.#folders.catalog(this.#options.home));
  }

  skills(cwd: string): Promise<Skill[]> {
    return this.#folders.skills(cwd);
  }

  mcpServers(cwd: string | undefined): Promise<McpServer[]> {
    return this.#folders.mcpServers(cwd ?? this.#options.home);
  }

  rateLimits(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  /** What takes a thread back to a terminal. */
  resumeCommand(threadId: ThreadId, cwd: string): string {
    return `cd ${quoted(cwd)} && opencode --session ${this.store.sessions.sessionIdOf(threadId) ?? threadId}`;
  }

  #load(session: NativeSession, wishes: OpencodeWishes, catalog: ModelCatalog, isSaid: boolean): OpenedThread {
    const { hub, server, permissions, log } = this.#options;
    const thread = new OpencodeThread({
      id: threadIdOf(session.id),
      session,
      wishes,
      catalog,
      isSaid,
      permissions,
      isForeign: server.isForeign,
      folders: this.#folders,
      store: this.store,
      hub,
      connect: () => server.connectAnswering(),
      log,
    });
    this.#threads.set(thread.id, thread);
    this.#hearers.set(session.id, thread);
    return { id: thread.id, settings: thread.settings };
  }

  #onEvent(event: NativeEvent): void {
    if (event.type === 'session') this.#noteSession(event);
    const sessionId = 'sessionId' in event ? event.sessionId : undefined;
    if (sessionId !== undefined) this.#hearers.get(sessionId)?.onEvent(event);
  }

  /** A sub-agent is heard where its parent is. */
  #noteSession({ session, change }: Extract<NativeEvent, { type: 'session' }>): void {
    if (change === 'deleted') {
      this.store.sessions.drop(session.id);
      return;
    }
    this.#tellTitle(session);
    this.store.sessions.note(session);
    const parent = session.parentId === undefined ? undefined : this.#hearers.get(session.parentId);
    if (parent !== undefined && !this.#hearers.has(session.id)) this.#hearers.set(session.id, parent);
  }

  /** A model makes one behind the first answer. */
  #tellTitle({ id, title }: NativeSession): void {
    const thread = this.#hearers.get(id);
    const isNew = title !== this.store.sessions.known(id)?.title && !isMadeUpTitle(title);
    if (thread?.session.id === id && isNew) this.#options.hub.nameFound(thread.id, title);
  }

  /** @throws RpcError when there is no model at all */
  async #catalog(directory: string): Promise<ModelCatalog> {
    const catalog = await this.#folders.catalog(directory);
    if (catalog.models.length === 0) throw refusal(NO_MODEL);
    return catalog;
  }

  #find(threadId: ThreadId): OpencodeThread {
    const thread = this.#threads.get(threadId);
    if (thread === undefined) throw refusal(`thread not found: ${threadId}`);
    return thread;
  }
}
