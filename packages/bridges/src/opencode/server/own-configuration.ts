// Owns the question what the user's own configuration says: opencode itself puts it together and prints it. It holds
// keys, so it is looked at in memory only, and nothing of it is kept or told.

import { execFile } from 'node:child_process';
import { type Fields, fieldsOf } from '@heddle/bridge-kit';
import type { Log } from '@heddle/rpc';

const TIMEOUT_MS = 15_000;
const MAX_BYTES = 16 * 1024 * 1024;

/** What applies everywhere; `{}` when opencode does not tell. @param options.cwd a folder that is no project */
export function readOwnConfiguration(options: { command: string; env: NodeJS.ProcessEnv; cwd: string; log: Log }): Promise<Fields> {
  const { command, env, cwd, log } = options;
  const settings = {
    env: { ...env, OPENCODE_DISABLE_AUTOUPDATE: '1', PWD: cwd },
    cwd,
    timeout: TIMEOUT_MS,
    maxBuffer: MAX_BYTES,
    windowsHide: true,
  };
  return new Promise((resolve) => {
    const asked = execFile(command, ['debug', 'config'], settings, (error, stdout) => {
      const configuration = error === null ? parsed(stdout) : undefined;
      if (configuration === undefined) log.warn('opencode does not tell its configuration; it will ask before everything', {});
      resolve(configuration ?? {});
    });
    asked.stdin?.end();
  });
}

function parsed(text: string): Fields | undefined {
  try {
    return fieldsOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}
