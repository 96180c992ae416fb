// Owns how a client's wishes read in claude's terms, and what may be said to be in force. Pure.
// claude has no sandbox that heddle could switch on, so none is ever reported.

import {
  approvalPolicyInForce,
  areEditsFree,
  type Permissions,
  type SettingsInForce,
  type ThreadWishes,
  type WantedSettings,
} from '@heddle/bridge-kit';
import type { AppliedSettings } from './control.ts';

export type PermissionMode = 'default' | 'acceptEdits' | 'plan' | 'bypassPermissions';
/** The levels of claude's that codex's clients know; claude's `max` is not among them. */
export type ClaudeEffort = 'low' | 'medium' | 'high' | 'xhigh';

export const clientEfforts = ['low', 'medium', 'high', 'xhigh'] as const satisfies readonly ClaudeEffort[];

/**
 * | wanted | claude |
 * |---|---|
 * | mode plan | `plan` |
 * | never, allowed in host.toml | `bypassPermissions` |
 * | on-request with a workspace-write sandbox, or edits accepted for the session | `acceptEdits` |
 * | anything else | `default` |
 */
export function permissionModeOf(wishes: ThreadWishes, permissions: Permissions): PermissionMode {
  if (wishes.mode === 'plan') return 'plan';
  if (approvalPolicyInForce(wishes, permissions) === 'never') return 'bypassPermissions';
  return areEditsFree(wishes) ? 'acceptEdits' : 'default';
}

/** codex's efforts in claude's words: what is below its lowest is its lowest. */
export function effortOf({ effort }: WantedSettings): ClaudeEffort | undefined {
  if (effort === undefined) return undefined;
  if (effort === 'none' || effort === 'minimal') return 'low';
  return clientEfforts.find((known) => known === effort);
}

export function settingsInForce(wishes: ThreadWishes, applied: AppliedSettings, permissions: Permissions): SettingsInForce {
  return {
    cwd: wishes.cwd,
    model: applied.model,
    modelProvider: 'claude', // the hub groups threads by their agent's name
    reasoningEffort: clientEfforts.find((known) => known === applied.effort) ?? null,
    approvalPolicy: approvalPolicyInForce(wishes, permissions),
    sandbox: { type: 'dangerFullAccess' },
    mode: wishes.mode ?? 'default',
  };
}
