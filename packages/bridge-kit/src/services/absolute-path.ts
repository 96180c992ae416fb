// Owns the reading of a path from a request. There is no folder that a relative one could be meant from.

import { isAbsolute, resolve } from 'node:path';
import { type Params, refusal } from '../server/params.ts';

/**
 * An absolute path without `.` and `..`; links are not followed.
 * @throws RpcError for anything else. codex 0.169 says it in these words.
 */
export function absolutePath(params: Params, name: string): string {
  const path = params.text(name);
  if (!isAbsolute(path)) throw refusal('Invalid request: AbsolutePathBuf deserialized without a base path');
  if (path.includes('\0')) throw refusal(`Invalid request: \`${name}\` holds a nul byte`);
  return resolve(path);
}
