// Owns how a client's wishes read in pi's terms, and what may be said to be in force. Pure.
// pi has no sandbox and asks nobody: what must be asked is decided in policy.ts.

import { approvalPolicyInForce, type Permissions, type SettingsInForce, type ThreadWishes, type WantedSettings } from '@heddle/bridge-kit';
import { modelName, type PiModel } from './models.ts';

export type ThinkingLevel = 'off' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh';
/** A client's words for them, from the least to the most. pi's `max` is not among them. */
const clientEfforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'] as const;

/** What pi says that it runs with. */
export interface AppliedSettings {
  model: PiModel | undefined;
  /** pi's word, `max` included. */
  thinking: string;
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
