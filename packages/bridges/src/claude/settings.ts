// Owns how a client's wishes read in claude's terms, and what may be said to be in force. Pure.
// claude has no sandbox that heddle could switch on, so none is ever reported.

import type { SettingsInForce, WantedSettings } from '@heddle/bridge-kit';
import type { ApprovalPolicy } from '@heddle/wire';
import type { AppliedSettings } from './control.ts';

export type PermissionMode = 'default' | 'acceptEdits' | 'plan' | 'bypassPermissions';
/** The levels of claude's that codex's clients know; claude's `max` is not among them. */
export type ClaudeEffort = 'low' | 'medium' | 'high' | 'xhigh';

export const clientEfforts = ['low', 'medium', 'high', 'xhigh'] as const satisfies readonly ClaudeEffort[];

/** All that was asked for in a thread so far. */
export interface ThreadWishes extends WantedSettings {
  cwd: string;
  /** Somebody accepted edits for the session, or a plan with its edits. */
  areEditsAccepted?: boolean;
}

/** What may be granted on this computer. */
export interface Permissions {
  /** host.toml allows claude to act without asking. */
  allowFullAccess: boolean;
}

/** Takes over what is given. A new approval policy or sandbox takes back what was accepted for the session. */
export function withWishes(before: ThreadWishes, wanted: WantedSettings): ThreadWishes {
  const given = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined)) as WantedSettings;
  const next = { ...before, ...given };
  if (given.approvalPolicy !== undefined || given.sandbox !== undefined) delete next.areEditsAccepted;
  return next;
}

/** The policy that is really kept: `never` only when host.toml allows it, and claude knows no finer grades. */
function approvalPolicyInForce({ approvalPolicy }: WantedSettings, { allowFullAccess }: Permissions): ApprovalPolicy {
  if (approvalPolicy === 'never' && allowFullAccess) return 'never';
  return approvalPolicy === 'untrusted' ? 'untrusted' : 'on-request';
}

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
  if (wishes.areEditsAccepted === true) return 'acceptEdits';
  return wishes.approvalPolicy === 'on-request' && wishes.sandbox === 'workspace-write' ? 'acceptEdits' : 'default';
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
