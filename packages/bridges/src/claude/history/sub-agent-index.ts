// Owns finding a sub-agent's conversation by the id of its thread, in whichever session it is. Nothing is read before
// somebody asks for one.

import { foldersIn, inTurns, type StoredThread } from '@heddle/bridge-kit';
import type { ThreadId } from '@heddle/wire';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { isThreadIdOfAgent, threadIdOfAgent } from '../translate/thread-id-of-agent.ts';
import { isSessionId } from './session-id.ts';
import { readSessionSummary } from './session-summary.ts';
import { readSubAgentNote, sessionPathOf, subAgentsIn } from './sub-agent-files.ts';

type StoredSubAgent = StoredThread & { path: string };

export class SubAgentIndex {
  readonly #projects: string;
  /** Where the conversation of a thread is: in several files, when its session was copied. */
  #paths = new Map<ThreadId, string[]>();

  /** @param projects claude's folder of sessions, absolute */
  constructor(projects: string) {
    this.#projects = projects;
  }

  async find(id: ThreadId): Promise<StoredSubAgent | undefined> {
    if (!isThreadIdOfAgent(id)) return undefined;
    return (await this.#lookAt(id)) ?? (await this.#lookAgain(id));
  }

  async #lookAgain(id: ThreadId): Promise<StoredSubAgent | undefined> {
    const paths = new Map<ThreadId, string[]>();
    const sessions = (await inTurns(await foldersIn(this.#projects), foldersIn)).flat().filter((path) => isSessionId(basename(path)));
    const found = (await inTurns(sessions, (session) => subAgentsIn(`${session}/subagents`))).flat();
    for (const { agentId, path } of found) {
      const threadId = threadIdOfAgent(agentId);
      paths.set(threadId, [...(paths.get(threadId) ?? []), path]);
    }
    this.#paths = paths;
    return this.#lookAt(id);
  }

  /** The oldest is the original. */
  async #lookAt(id: ThreadId): Promise<StoredSubAgent | undefined> {
    const found = (await inTurns(this.#paths.get(id) ?? [], (path) => readSubAgent(id, path))).filter((one) => one !== undefined);
    return found.toSorted((left, right) => left.bornAtMs - right.bornAtMs)[0]?.thread;
  }
}

/** `undefined`: it is not there any more, or nothing was said in it yet. */
async function readSubAgent(id: ThreadId, path: string): Promise<{ thread: StoredSubAgent; bornAtMs: number } | undefined> {
  try {
    const stats = await stat(path);
    const summary = await readSessionSummary(id, path, stats, 'subAgent');
    if (summary === undefined) return undefined;
    const { type, description } = await readSubAgentNote(path);
    const parentThreadId = basename(sessionPathOf(path), '.jsonl');
    // As live, where all are children of the session: whose call has started a deeper one is not in its files.
    const subAgent = { parentThreadId, depth: 1, nickname: description, role: type };
    return { thread: { ...summary, path, subAgent }, bornAtMs: stats.birthtimeMs };
  } catch {
    return undefined;
  }
}
