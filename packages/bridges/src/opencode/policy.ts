// Owns which of opencode's questions need not be put to people, as the policy of the thread has it at that moment. It looks
// at paths, with their links followed; it asks nobody.

import { approvalPolicyInForce, areEditsFree, isInsideAny, type Permissions } from '@heddle/bridge-kit';
import { basename, relative } from 'node:path';
import type { OpencodeWishes } from './settings.ts';

/** What lies in them is run later, by git or by opencode itself, without anybody being asked. */
const guardedFolders: ReadonlySet<string> = new Set(['.git', '.opencode', '.claude', '.agents']);
const guardedFiles: ReadonlySet<string> = new Set(['opencode.json', 'opencode.jsonc']);

/**
 * Whether what opencode asks about is granted already.
 *
 * | in force | granted |
 * |---|---|
 * | never | everything |
 * | on-request with a workspace-write sandbox, or edits accepted for the session | edits of files in the folder |
 * | anything else | nothing |
 *
 * @param files that an edit is about, absolute; `undefined` when it is no edit
 */
export async function isGranted(files: readonly string[] | undefined, wishes: OpencodeWishes, permissions: Permissions): Promise<boolean> {
  if (approvalPolicyInForce(wishes, permissions) === 'never') return true;
  if (files === undefined || files.length === 0 || wishes.mode === 'plan' || !areEditsFree(wishes)) return false;
  const { cwd } = wishes;
  for (const file of files) if (isGuarded(file, cwd) || !(await isInsideAny(file, [cwd]))) return false;
  return true;
}

function isGuarded(file: string, cwd: string): boolean {
  const parts = relative(cwd, file).split(/[/\\]/);
  return file === cwd || parts.some((part) => guardedFolders.has(part.toLowerCase())) || guardedFiles.has(basename(file).toLowerCase());
}
