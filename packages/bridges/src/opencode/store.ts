// Owns opencode's own history as the hub wants it: sessions of all folders, and the turns in them. It asks the server,
// so that what was said in a terminal is there; opencode's database is never touched.

import { createHash } from 'node:crypto';
import { HistoryCache, type StoredHistory, type StoredThread, type ThreadStore } from '@heddle/bridge-kit';
import type { ThreadId, TurnId } from '@heddle/wire';
import { SessionIndex } from './history/session-index.ts';
import { SessionPreviews } from './history/session-previews.ts';
import { historyOf, readStoredMessages, revertedFrom } from './history/stored-turns.ts';
import type { StoredMessage } from './history/turns-of-session.ts';
import { fullName } from './models.ts';
import { isMadeUpTitle, isUnsaid, type NativeSession, type SessionNote } from './native-session.ts';
import { missingRules } from './session-rules.ts';
import { ApiRefusal } from './server/api.ts';
import type { AskServer } from './server/opencode-server.ts';
import { threadIdOf } from './thread-id.ts';

export interface OpencodeStoreOptions {
  ask: AskServer;
  /** Names of the MCP servers that a folder has. */
  mcpServers(directory: string): Promise<readonly string[]>;
}

export class OpencodeStore implements ThreadStore {
  readonly sessions: SessionIndex;
  readonly #options: OpencodeStoreOptions;
  readonly #previews: SessionPreviews;
  readonly #histories = new HistoryCache();
  /** The ids that turns had live, by the messages that opencode has made for them, in each session. */
  readonly #liveTurnIds = new Map<string, Map<string, TurnId>>();

  constructor(options: OpencodeStoreOptions) {
    this.#options = options;
    this.sessions = new SessionIndex(options.ask);
    this.#previews = new SessionPreviews((session) => this.messages(session));
  }

  async list(): Promise<StoredThread[]> {
    const sessions = (await this.sessions.all()).filter((session) => session.parentId === undefined && !isUnsaid(session));
    await this.#previews.look(sessions);
    return sessions.map((session) => this.#thread(session));
  }

  async find(id: ThreadId): Promise<StoredThread | undefined> {
    const session = await this.sessions.find(id);
    if (session === undefined || (session.parentId === undefined && isUnsaid(session))) return undefined;
    if (session.parentId === undefined) {
      await this.#previews.look([session]);
      return this.#thread(session);
    }
    return {
      ...this.#thread(session),
      subAgent: { ...(await this.#origin(session)), nickname: session.title, role: session.agent ?? null },
    };
  }

  async read(id: ThreadId): Promise<StoredHistory> {
    const session = await this.sessions.find(id);
    if (session === undefined) return { turns: [], usage: undefined };
    const [last, mcpServers] = await Promise.all([this.#lastMessage(session), this.#options.mcpServers(session.directory)]);
    const liveTurnIds = this.#liveTurnIds.get(session.id) ?? new Map<string, TurnId>();
    // Asked before what is read: what is said meanwhile is at worst read again.
    const mark = digestOf([session, last, mcpServers, [...liveTurnIds]]);
    return this.#histories.get(session.id, mark, async () => historyOf(await this.messages(session), { session, mcpServers, liveTurnIds }));
  }

  async remove(id: ThreadId): Promise<void> {
    const session = await this.sessions.find(id);
    if (session === undefined) return;
    await this.removeSession(session);
  }

  async removeSession({ id, directory }: NativeSession): Promise<void> {
    try {
      await this.#options.ask((api) => api.delete(`/session/${id}`, { directory }));
    } catch (error) {
      if (!(error instanceof ApiRefusal) || error.status !== 404) throw error;
    }
    this.sessions.drop(id);
    this.#histories.forget(id);
    this.#liveTurnIds.delete(id);
  }

  /** Oldest first. */
  async messages({ id, directory }: NativeSession): Promise<StoredMessage[]> {
    return readStoredMessages(await this.#options.ask((api) => api.find(`/session/${id}/message`, { directory })));
  }

  /** Writes something beside what heddle has noted in a session already. */
  async note(session: NativeSession, note: SessionNote): Promise<void> {
    const { id, directory } = session;
    const known = (await this.sessions.read(id))?.note ?? session.note;
    const metadata = { heddle: { ...known, ...note } };
    await this.#options.ask((api) => api.patch(`/session/${id}`, { directory, body: { metadata } }));
  }

  /** opencode asks in that session from now on, also where its configuration does not make it ask. */
  async guard({ id, directory }: NativeSession, where: Parameters<typeof missingRules>[2]): Promise<void> {
    const { ask } = this.#options;
    const session = await this.sessions.read(id);
    const rules = missingRules(session?.rules ?? [], await ask((api) => api.get('/config', { directory })), where);
    if (rules.length > 0) await ask((api) => api.patch(`/session/${id}`, { directory, body: { permission: rules } }));
  }

  /** Takes a message and all later ones out of a conversation. They go when something is said, see `dropReverted`. */
  async revert(session: NativeSession, from: string): Promise<void> {
    await this.note(session, { reverted: { from, atMs: Date.now() } });
  }

  /** @returns false when nothing was taken back, or somebody has gone on since */
  async unrevert(session: NativeSession): Promise<boolean> {
    const { id, directory } = session;
    const now = await this.sessions.read(id);
    if (now === undefined || revertedFrom(await this.messages(now), now) === undefined) return false;
    // What was taken back in a terminal, files with it, is brought back as there.
    if (now.revertedFrom !== undefined) await this.#options.ask((api) => api.post(`/session/${id}/unrevert`, { directory }));
    else await this.#clearReverted(now);
    return true;
  }

  /** Deletes what was taken back here, message by message: opencode's own way would change files too. */
  async dropReverted(session: NativeSession): Promise<void> {
    const now = await this.sessions.read(session.id);
    if (now?.note.reverted === undefined) return;
    const messages = await this.messages(now);
    const at = messages.findIndex(({ message }) => message.id === revertedFrom(messages, { ...now, revertedFrom: undefined }));
    for (const { message } of at < 0 ? [] : messages.slice(at).toReversed()) {
      await this.#options.ask((api) => api.delete(`/session/${now.id}/message/${message.id}`, { directory: now.directory }));
    }
    await this.#clearReverted(now);
  }

  /** Notes the id that a turn has live, where opencode has made the message that begins it. */
  rememberTurn(sessionId: string, messageId: string, turnId: TurnId): void {
    const turnIds = this.#liveTurnIds.get(sessionId) ?? new Map<string, TurnId>();
    turnIds.set(messageId, turnId);
    this.#liveTurnIds.set(sessionId, turnIds);
  }

  /** The message that begins a turn. */
  messageOf(sessionId: string, turnId: TurnId): string {
    for (const [messageId, live] of this.#liveTurnIds.get(sessionId) ?? []) if (live === turnId) return messageId;
    return turnId;
  }

  /** As opencode has it: it changes with whatever is done in a session, as long as that is done. */
  #lastMessage({ id, directory }: NativeSession): Promise<unknown> {
    return this.#options.ask((api) => api.find(`/session/${id}/message`, { directory, query: { limit: '1' } }));
  }

  async #clearReverted({ id, directory, note: { reverted: _reverted, ...others } }: NativeSession): Promise<void> {
    await this.#options.ask((api) => api.patch(`/session/${id}`, { directory, body: { metadata: { heddle: others } } }));
    await this.sessions.read(id);
  }

  async #origin({ parentId = '' }: NativeSession): Promise<{ parentThreadId: ThreadId; depth: number }> {
    let depth = 1;
    let root = await this.sessions.read(parentId);
    while (root?.parentId !== undefined) {
      root = await this.sessions.read(root.parentId);
      depth += 1;
    }
    // A sub-agent is heard where the user's own thread is, however deep it was started.
    return { parentThreadId: threadIdOf(root?.id ?? parentId), depth };
  }

  #thread(session: NativeSession): StoredThread {
    const { id, directory, createdAtMs, updatedAtMs, model, title } = session;
    const name = isMadeUpTitle(title) ? null : title;
    return {
      id: threadIdOf(id),
      cwd: directory,
      createdAtMs,
      updatedAtMs,
      preview: this.#previews.of(session) ?? name ?? '',
      name,
      model: model === undefined ? null : fullName(model),
      path: null,
      forkedFromId: null,
      gitBranch: null,
    };
  }
}

function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64');
}
