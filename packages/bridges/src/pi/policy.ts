// Owns which calls of pi's tools a person is asked about, as the policy of the thread has it at that moment. It looks at
// paths, with their links followed; it asks nobody.

import { approvalPolicyInForce, areEditsFree, isInsideAny, type Permissions, type ThreadWishes } from '@heddle/bridge-kit';
import { relative } from 'node:path';
import type { GuardedCall } from './guard-source.ts';
import { isFileTool, pathOfCall } from './translate/file-changes.ts';

export interface PolicyContext {
  wishes: ThreadWishes;
  permissions: Permissions;
  /** Absolute folders in which pi may read without being asked about: those of the user's skills. */
  readable: readonly string[];
}

const OUTSIDE = 'The path leads out of the folder.';
const readingTools: ReadonlySet<string> = new Set(['read', 'grep', 'find', 'ls']);
/** What lies in them is run later, by git or by pi itself, without anybody being asked. */
const guardedNames: ReadonlySet<string> = new Set(['.git', '.pi', '.agents']);

/** That people are asked about a call, and why it is more than the thread's policy has free. */
export interface MustAsk {
  reason: string | null;
}

/**
 * Whether a person has to be asked; `undefined`: nobody.
 *
 * | call | asked |
 * |---|---|
 * | any, with `never` that host.toml allows | no |
 * | pi's own read, grep, find, ls in the folder or among the skills | no |
 * | pi's own edit and write in the folder, with `on-request` and a workspace-write sandbox, or accepted for the session | no |
 * | anything else | yes |
 */
export async function mustAsk(call: GuardedCall, { wishes, permissions, readable }: PolicyContext): Promise<MustAsk | undefined> {
  if (approvalPolicyInForce(wishes, permissions) === 'never') return undefined;
  if (!call.isBuiltIn) return { reason: 'This tool is not one of pi’s own.' };
  const { cwd } = wishes;
  const isReading = readingTools.has(call.toolName);
  if (!isReading && !isFileTool({ name: call.toolName })) return { reason: null };
  const path = pathOfCall(call.input, cwd);
  if (!(await isInsideAny(path, isReading ? [cwd, ...readable] : [cwd]))) return { reason: OUTSIDE };
  if (isReading) return undefined;
  if (isGuarded(path, cwd)) return { reason: 'What is written there may be run later without anybody being asked.' };
  return areEditsFree(wishes) ? undefined : { reason: null };
}

/** Whether what the call is about is a file that it changes. */
export function isAboutFile(call: GuardedCall): boolean {
  return call.isBuiltIn && isFileTool({ name: call.toolName });
}

function isGuarded(path: string, cwd: string): boolean {
  return relative(cwd, path)
    .split(/[/\\]/)
    .some((part) => guardedNames.has(part.toLowerCase()));
}
