// Owns the one way to signal a process group.

import { spawn } from 'node:child_process';

/**
 * Signals a whole process group. Windows has neither groups nor polite signals: there the tree is ended at once.
 * @returns whether there was anybody to be signalled; that nobody is left is mostly what was wanted
 */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  if (process.platform === 'win32') {
    spawn('taskkill', ['/pid', String(pid), '/T', '/F'], { stdio: 'ignore', windowsHide: true }).on('error', () => {});
    return true;
  }
  try {
    return process.kill(-pid, signal);
  } catch {
    return false; // ESRCH, or EPERM where only dead members are left (macOS)
  }
}
