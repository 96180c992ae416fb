// Owns claude's own history as the hub wants it: sessions, and the turns in them. It reads claude's files when it is
// asked, and starts no process.

import { fieldsOf, HistoryCache, type StoredHistory, type StoredThread, type ThreadStore } from '@heddle/bridge-kit';
import { HeddleError, type ThreadId, type TurnId } from '@heddle/wire';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Conversation, conversationOf, isCompaction, type TurnEntries } from './history/conversation.ts';
import { writeCopy, writeRewind, writeRewindOverCompaction } from './history/rewrites.ts';
import { readHistory } from './history/read-history.ts';
import { SessionIndex } from './history/session-index.ts';
import { turnIdOf } from './history/stored-turns.ts';
import { copySubAgents, removeSubAgent } from './history/sub-agent-files.ts';
import { SubAgentIndex } from './history/sub-agent-index.ts';
import { type Entry, readTranscript, type Transcript } from './history/transcript.ts';
import { whenWritten } from './history/write-behind.ts';
import { type PlanTask, taskOf } from './translate/tasks.ts';

interface Session {
  thread: StoredThread & { path: string };
  transcript: Transcript;
  conversation: Conversation;
}

export class ClaudeStore implements ThreadStore {
  readonly #configDir: string;
  readonly #index: SessionIndex;
  readonly #subAgents: SubAgentIndex;
  readonly #histories = new HistoryCache();
  /** The entry that a session will end with, of those that claude may not have written yet. */
  readonly #expected = new Map<ThreadId, string>();
  readonly #liveTurnIds = new Map<ThreadId, Map<string, TurnId>>();

  /** @param options.configDir absolute: `CLAUDE_CONFIG_DIR`, or `~/.claude`. */
  constructor(options: { configDir: string }) {
    this.#configDir = options.configDir;
    this.#index = new SessionIndex(options.configDir);
    this.#subAgents = new SubAgentIndex(join(options.configDir, 'projects'));
  }

  list(): Promise<StoredThread[]> {
    return this.#index.list();
  }

  /** A session, with what was said in it (see `expectEntry`), or the thread of a sub-agent. */
  async find(id: ThreadId): Promise<StoredThread | undefined> {
    const find = async () => (await this.#subAgents.find(id)) ?? this.#index.find(id);
    const expected = this.#expected.get(id);
    if (expected === undefined) return find();
    const thread = await whenWritten(expected, find);
    if (this.#expected.get(id) === expected) this.#expected.delete(id);
    return thread;
  }

  async read(id: ThreadId): Promise<StoredHistory> {
    const thread = await this.find(id);
    if (thread === undefined || thread.path === null) return { turns: [], usage: undefined };
    const { path } = thread;
    return this.#histories.ofFile(path, () => readHistory({ ...thread, path }, this.#turnIds(id)));
  }

  async remove(id: ThreadId): Promise<void> {
    this.#liveTurnIds.delete(id);
    this.#expected.delete(id);
    for (let thread = await this.find(id); thread !== undefined; thread = await this.find(id)) {
      const { path } = thread;
      if (path === null) return;
      this.#histories.forget(path);
      if (thread.subAgent !== undefined) {
        await removeSubAgent(path);
        continue;
      }
      await rm(path);
      await rm(path.slice(0, -'.jsonl'.length), { recursive: true, force: true }); // of its sub-agents
      await rm(join(this.#configDir, 'tasks', id), { recursive: true, force: true });
    }
  }

  /** The todo list as claude keeps it, in the order in which it was written. */
  async tasks(id: ThreadId): Promise<PlanTask[]> {
    if ((await this.find(id)) === undefined) return [];
    const folder = join(this.#configDir, 'tasks', id);
    const names = (await readdir(folder).catch(() => [])).filter((name) => /^\d+\.json$/.test(name));
    names.sort((left, right) => Number.parseInt(left, 10) - Number.parseInt(right, 10));
    const tasks = await Promise.all(names.map(async (name) => readTask(join(folder, name))));
    return tasks.filter((task) => task !== undefined);
  }

  /** Notes the last that claude has said in a session; who reads it next waits until that is written, for a second at most. */
  expectEntry(id: ThreadId, entryUuid: string): void {
    this.#expected.set(id, entryUuid);
  }

  /** Notes the id that a turn has live, where the transcript does not tell it. @param entryUuid an entry of that turn */
  rememberTurn(id: ThreadId, entryUuid: string, turnId: TurnId): void {
    const turnIds = this.#turnIds(id);
    turnIds.set(entryUuid, turnId);
    this.#liveTurnIds.set(id, turnIds);
    this.#histories.clear();
  }

  /**
   * Takes a turn and all later ones out of the conversation. The thread's claude must not run.
   * @throws HeddleError `bad_request` when there is no such turn
   */
  async rewind(id: ThreadId, beforeTurnId: TurnId): Promise<void> {
    const session = await this.#session(id);
    const source = { id, path: session.thread.path };
    const { conversation, transcript } = session;
    const turn = this.#turn(session, beforeTurnId);
    const leaf = transcript.entries.findIndex(({ uuid }) => uuid === turn.after);
    if (turn.after === null || !transcript.entries.slice(leaf + 1).some(isCompaction)) return writeRewind(source, turn.after);
    const kept = entriesOfTurns(transcript, conversation.turns.slice(0, conversation.turns.indexOf(turn)));
    await writeRewindOverCompaction(source, kept, turn.after);
  }

  /**
   * Copies a session, or its part before a turn, into a new one.
   * @returns false when no turn is left to copy: then nothing is written, and the new session begins like any other
   * @throws HeddleError `bad_request` when there is no such turn
   */
  async fork(id: ThreadId, newId: ThreadId, beforeTurnId: TurnId | undefined): Promise<boolean> {
    const session = await this.#session(id);
    const { turns, preamble } = session.conversation;
    const end = beforeTurnId === undefined ? undefined : this.#turn(session, beforeTurnId);
    const keptTurns = end === undefined ? turns : turns.slice(0, turns.indexOf(end));
    if (keptTurns.length === 0) return false;
    const entries = entriesOfTurns(session.transcript, keptTurns, preamble);
    const { path } = session.thread;
    const leaf = end?.after ?? session.transcript.rewoundTo ?? entries.at(-1)?.uuid ?? null;
    const copy = await writeCopy({ id, path }, newId, entries, leaf);
    await copySubAgents(path, copy);
    return true;
  }

  #turnIds(id: ThreadId): Map<string, TurnId> {
    return this.#liveTurnIds.get(id) ?? new Map<string, TurnId>();
  }

  #turn(session: Session, turnId: TurnId): TurnEntries {
    const turnIds = this.#turnIds(session.thread.id);
    const turn = session.conversation.turns.find((candidate) => turnIdOf(candidate, turnIds) === turnId);
    if (turn === undefined) throw new HeddleError('bad_request', `claude's transcript has no turn ${turnId}`);
    return turn;
  }

  async #session(id: ThreadId): Promise<Session> {
    const session = await this.#open(id);
    if (session === undefined) throw new HeddleError('bad_request', `claude has no session ${id}`);
    const { subAgent } = session.thread;
    if (subAgent !== undefined) {
      const hint = `do that with thread ${subAgent.parentThreadId}, which it works for`;
      throw new HeddleError('bad_request', `thread ${id} is a sub-agent's and can't be copied or taken back`, { hint });
    }
    return session;
  }

  async #open(id: ThreadId): Promise<Session | undefined> {
    const thread = await this.find(id);
    if (thread === undefined || thread.path === null) return undefined;
    const transcript = await readTranscript(thread.path);
    return { thread: { ...thread, path: thread.path }, transcript, conversation: conversationOf(transcript) };
  }
}

/** In the order of the file. */
function entriesOfTurns({ entries }: Transcript, turns: readonly TurnEntries[], others: readonly Entry[] = []): Entry[] {
  const kept = new Set([...others, ...turns.flatMap((turn) => turn.entries)]);
  return entries.filter((entry) => kept.has(entry));
}

async function readTask(path: string): Promise<PlanTask | undefined> {
  try {
    return taskOf(fieldsOf(JSON.parse(await readFile(path, 'utf8'))));
  } catch {
    return undefined; // just being written
  }
}
