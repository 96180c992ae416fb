// Whether a process runs. One that is dead and has not been collected by its parent does not.

import { spawnSync } from 'node:child_process';

export function isAlive(pid: number): boolean {
  const state = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
  return state !== '' && !state.startsWith('Z');
}
