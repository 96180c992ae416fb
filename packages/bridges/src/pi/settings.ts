// Owns how a client's wishes read in pi's terms, and what may be said to be in force. Pure.
// pi has no sandbox and asks nobody: what must be asked is decided in policy.ts.

import type { SettingsInForce, WantedSettings } from '@heddle/bridge-kit';
import type { ApprovalPolicy } from '@heddle/wire';
import { modelName, type PiModel } from './models.ts';

export type ThinkingLevel = 'off' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh';
/** A client's words for them, from the least to the most. pi's `max` is not among them. */
const clientEfforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'] as const;

/** All that was asked for in a thread so far. */
export interface ThreadWishes extends WantedSettings {
  cwd: string;
  /** Somebody accepted changes of files for the session. */
  areEditsAccepted?: boolean;
}

/** What pi says that it runs with. */
export interface AppliedSettings {
  model: PiModel | undefined;
  /** pi's word, `max` included. */
  thinking: string;
}

/** What may be granted on this computer. */
export interface Permissions {
  /** host.toml allows pi to act without being asked about it. */
  allowFullAccess: boolean;
}

/** Takes over what is given. A new approval policy or sandbox takes back what was accepted for the session. */
export function withWishes(before: ThreadWishes, wanted: WantedSettings): ThreadWishes {
  const given = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined)) as WantedSettings;
  const next = { ...before, ...given };
  if (given.approvalPolicy !== undefined || given.sandbox !== undefined) delete next.areEditsAccepted;
  return next;
}

/** The policy that is really kept: `never` only when host.toml allows it. */
export function approvalPolicyInForce({ approvalPolicy }: WantedSettings, { allowFullAccess }: Permissions): ApprovalPolicy {
  if (approvalPolicy === 'never' && allowFullAccess) return 'never';
  return approvalPolicy === 'untrusted' ? 'untrusted' : 'on-request';
}

/** pi takes less where the model has not so much. `undefined`: no wish, or a word that pi does not know. */
export function thinkingOf({ effort }: WantedSettings): ThinkingLevel | undefined {
  const known = clientEfforts.find((each) => each === effort);
  return known === 'none' ? 'off' : known;
}

/** pi's level in a client's word; `null` for a model that does not reason. */
function effortOf({ model, thinking }: AppliedSettings): string | null {
  if (model?.isReasoning !== true) return null;
  if (thinking === 'max') return 'xhigh';
  return thinking === 'off' ? 'none' : (clientEfforts.find((each) => each === thinking) ?? null);
}

export function settingsInForce(wishes: ThreadWishes, applied: AppliedSettings, permissions: Permissions): SettingsInForce {
  return {
    cwd: wishes.cwd,
    model: applied.model === undefined ? '' : modelName(applied.model),
    modelProvider: 'pi', // the hub groups threads by their agent's name
    reasoningEffort: effortOf(applied),
    approvalPolicy: approvalPolicyInForce(wishes, permissions),
    sandbox: { type: 'dangerFullAccess' },
    mode: 'default',
  };
}
