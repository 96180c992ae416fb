// Owns what an agent remembers of a client's wishes for a thread, and what of them may be granted. Pure. It is the same
// for every agent that heddle itself keeps from acting; none has a sandbox that could be switched on.

import type { ApprovalPolicy } from '@heddle/wire';
import type { WantedSettings } from './thread-settings.ts';

/** All that was asked for in a thread so far. */
export interface ThreadWishes extends WantedSettings {
  cwd: string;
  /** Somebody accepted changes of files for the session, or a plan with its edits. */
  areEditsAccepted?: boolean;
}

/** What may be granted on this computer. */
export interface Permissions {
  /** host.toml allows the agent to act without asking. */
  allowFullAccess: boolean;
}

/** Takes over what is given. A new approval policy or sandbox takes back what was accepted for the session. */
export function withWishes<Wishes extends ThreadWishes>(before: Wishes, wanted: WantedSettings): Wishes {
  const given = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined)) as WantedSettings;
  const next = { ...before, ...given };
  if (given.approvalPolicy !== undefined || given.sandbox !== undefined) delete next.areEditsAccepted;
  return next;
}

/** The policy that is really kept: `never` only when host.toml allows it, and no finer grades than these. */
export function approvalPolicyInForce({ approvalPolicy }: WantedSettings, { allowFullAccess }: Permissions): ApprovalPolicy {
  if (approvalPolicy === 'never' && allowFullAccess) return 'never';
  return approvalPolicy === 'untrusted' ? 'untrusted' : 'on-request';
}

/** Whether changes of files in the thread's folder need no question. */
export function areEditsFree({ approvalPolicy, sandbox, areEditsAccepted }: ThreadWishes): boolean {
  return areEditsAccepted === true || (approvalPolicy === 'on-request' && sandbox === 'workspace-write');
}
