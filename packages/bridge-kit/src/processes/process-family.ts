// Owns one process and everything that it has started, for as long as any of it lives. A member is known by one of
// three signs: its parent is a member; it is in the first process's group; the mark is in its environment. Agents put
// the shells of their tools into sessions of their own and leave them behind when they are ended or die (claude
// 2.1.197, measured), so a group alone is not enough, and neither are parents: an orphan's is init.

import { setTimeout as sleep } from 'node:timers/promises';
import { listProcesses, type RunningProcess } from './process-table.ts';
import { signalGroup } from './signal-group.ts';

/** Between asking the members to end and ending them. */
const TERMINATE_GRACE_MS = 500;
/** How long killed processes may take to go. */
const KILL_GRACE_MS = 2_000;
const FIRST_POLL_MS = 10;
const LONGEST_POLL_MS = 80;

export interface ProcessFamilyOptions {
  /** The first process, which leads a group of its own; undefined when only the mark is known. */
  pid: number | undefined;
  /** The first process's `RunningProcess.startedAt`; undefined when it was gone before it could be asked for. */
  startedAt: string | undefined;
  mark: string;
  /**
   * Whether the group is the family's although its leader is gone: known of a process that was started here, not of one
   * that was read from a record, whose pid and group may be another program's by now.
   */
  ownsGroup: boolean;
}

export class ProcessFamily {
  readonly #options: ProcessFamilyOptions;
  /** Everyone who was ever seen to be a member, by pid and start: a member may lose its parent. */
  readonly #seen = new Set<string>();

  constructor(options: ProcessFamilyOptions) {
    this.#options = options;
  }

  /** The living members; remembers them. Empty on Windows, where nobody can tell. */
  async look(): Promise<RunningProcess[]> {
    const running = await listProcesses();
    const { pid, startedAt, mark, ownsGroup } = this.#options;
    const leader = running.find((one) => one.pid === pid);
    const isLeader = leader !== undefined && leader.startedAt === startedAt;
    const isGroupOurs = isLeader || (ownsGroup && leader === undefined);
    const members = new Map<number, RunningProcess>();
    const isMember = (one: RunningProcess) =>
      one.mark === mark ||
      (isGroupOurs && one.groupId === pid) ||
      (isLeader && one.pid === pid) ||
      this.#seen.has(nameOf(one)) ||
      members.has(one.parentPid);
    for (let before = -1; before < members.size; ) {
      before = members.size;
      for (const one of running) if (!members.has(one.pid) && isMember(one)) members.set(one.pid, one);
    }
    for (const one of members.values()) this.#seen.add(nameOf(one));
    return [...members.values()];
  }

  /** Asks all members to end. */
  async terminate(): Promise<void> {
    signalAll(this.#options.pid, await this.look(), 'SIGTERM');
  }

  /**
   * Ends all members: TERM, a short while, KILL.
   * @returns who is still there: nobody, unless the system can't end a process.
   */
  async end(): Promise<RunningProcess[]> {
    const members = await this.look();
    if (members.length === 0) return [];
    signalAll(this.#options.pid, members, 'SIGTERM');
    if ((await this.#waitForEnd(TERMINATE_GRACE_MS, () => {})).length === 0) return [];
    return this.#waitForEnd(KILL_GRACE_MS, (left) => signalAll(this.#options.pid, left, 'SIGKILL'));
  }

  async #waitForEnd(graceMs: number, onStillThere: (members: RunningProcess[]) => void): Promise<RunningProcess[]> {
    let waitedMs = 0;
    for (let pauseMs = FIRST_POLL_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_POLL_MS)) {
      const members = await this.look();
      if (members.length === 0 || waitedMs >= graceMs) return members;
      onStillThere(members);
      await sleep(pauseMs);
      waitedMs += pauseMs;
    }
  }
}

function nameOf(running: RunningProcess): string {
  return `${running.pid} ${running.startedAt}`;
}

function signalAll(leaderPid: number | undefined, members: readonly RunningProcess[], signal: NodeJS.Signals): void {
  if (leaderPid !== undefined && members.some((one) => one.groupId === leaderPid)) signalGroup(leaderPid, signal); // also who was forked meanwhile
  for (const { pid, groupId } of members) {
    if (groupId === leaderPid) continue;
    try {
      process.kill(pid, signal);
    } catch {
      // it has gone meanwhile, or is another user's now
    }
  }
}
