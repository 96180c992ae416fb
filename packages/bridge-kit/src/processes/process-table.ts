// Owns reading which processes this computer runs: from /proc on Linux, from `ps` on other Unixes. It signals nobody.
// Windows has no table here: the tree is ended by `taskkill` there.

import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';

/** Each process that heddle starts has an id in this variable, and so has whatever it starts in turn. */
export const MARK_VARIABLE = 'HEDDLE_CHILD';

const MAX_PS_BYTES = 64 * 1024 * 1024;
const MARK_PATTERN = new RegExp(`(?:^|[\\0 ])${MARK_VARIABLE}=([0-9a-f]+)(?:[\\0 ]|$)`);

/** A living process. One that is dead and was not collected by its parent is left out. */
export interface RunningProcess {
  pid: number;
  parentPid: number;
  groupId: number;
  /** Together with the pid this names one process for ever: pids are used again. Only to be compared. */
  startedAt: string;
  /** The id in its environment; absent also where its environment can't be read. */
  mark: string | undefined;
}

/** All processes; none on Windows. */
export async function listProcesses(): Promise<RunningProcess[]> {
  if (process.platform === 'win32') return [];
  return process.platform === 'linux' ? listFromProc() : listFromPs(process.platform === 'darwin' ? ['-E'] : []);
}

/** One process; undefined when it is not there (any more). */
export async function findProcess(pid: number): Promise<RunningProcess | undefined> {
  if (process.platform === 'linux') return readProc(pid, await readBootId());
  return (await listProcesses()).find((running) => running.pid === pid);
}

async function listFromProc(): Promise<RunningProcess[]> {
  const bootId = await readBootId();
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const read = await Promise.all(pids.map((pid) => readProc(pid, bootId)));
  return read.filter((running) => running !== undefined);
}

/** Times of start count from the boot, so they mean something only together with which boot it was. */
async function readBootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

/** Fields by proc_pid_stat(5). The second is the program's name in brackets, which may hold anything. */
async function readProc(pid: number, bootId: string): Promise<RunningProcess | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, parentPid, groupId] = fields;
    if (state === 'Z' || state === 'X' || groupId === '0') return undefined; // dead, or a thread of the kernel
    const startedAt = `${bootId} ${fields[19]}`;
    return { pid, parentPid: Number(parentPid), groupId: Number(groupId), startedAt, mark: await readMark(pid) };
  } catch {
    return undefined; // it has gone meanwhile
  }
}

async function readMark(pid: number): Promise<string | undefined> {
  try {
    return MARK_PATTERN.exec(await readFile(`/proc/${pid}/environ`, 'latin1'))?.[1];
  } catch {
    return undefined; // somebody else's process, or gone
  }
}

/**
 * Reads the table from `ps` (POSIX columns, and `lstart`, which the BSDs and procps have).
 * @param options further ones; on macOS `-E` appends the environment, except for programs of the system itself
 */
export async function listFromPs(options: readonly string[]): Promise<RunningProcess[]> {
  const columns = ['-A', '-ww', ...options, '-o', 'pid=,ppid=,pgid=,stat=,lstart=,command='];
  // The time of start must read the same whatever language and time zone the daemon runs in.
  const env = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
  const text = await new Promise<string>((resolve, reject) => {
    execFile('ps', columns, { env, maxBuffer: MAX_PS_BYTES }, (error, stdout) => (error === null ? resolve(stdout) : reject(error)));
  });
  return text.split('\n').flatMap((line) => readPsLine(line) ?? []);
}

function readPsLine(line: string): RunningProcess | undefined {
  const fields = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\w+\s+\w+\s+\d+\s+[\d:]+\s+\d+)\s(.*)$/.exec(line);
  if (fields === null) return undefined;
  const [, pid, parentPid, groupId, state, startedAt, command] = fields as unknown as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  if (state.startsWith('Z')) return undefined;
  return { pid: Number(pid), parentPid: Number(parentPid), groupId: Number(groupId), startedAt, mark: MARK_PATTERN.exec(command)?.[1] };
}
