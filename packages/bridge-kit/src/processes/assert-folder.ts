// Owns the words for a folder that is not there: what a process is started in must be said to be missing, not the program.

import { stat } from 'node:fs/promises';
import { refusal } from '../server/params.ts';

/** @throws RpcError when `cwd` is no folder. */
export async function assertFolder(cwd: string): Promise<void> {
  const stats = await stat(cwd).catch(() => undefined);
  if (stats?.isDirectory() !== true) throw refusal(`the folder ${cwd} is not there`);
}
