// Whether a process runs. One that is dead and has not been collected by its parent does not.

import { spawnSync } from 'node:child_process';

export function isAlive(pid: number): boolean {
  const state = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
  return state !== '' && !state.startsWith('Z');
}

/** The living processes of this user that have `text` in their command or in their environment, with the command's beginning. */
export function processesWith(text: string): { pid: number; command: string }[] {
  const withEnvironment = process.platform === 'darwin' ? ['-A', '-E'] : ['axe'];
  const { stdout } = spawnSync('ps', [...withEnvironment, '-ww', '-o', 'pid=,stat=,command='], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.split('\n').flatMap((line) => {
    const [, pid, state, command] = /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (command === undefined || state?.startsWith('Z') === true || !command.includes(text)) return [];
    return [{ pid: Number(pid), command: command.slice(0, 80) }];
  });
}
