// Owns how a client's wishes read in opencode's terms, and what may be said to be in force. Pure. opencode has no sandbox that heddle could switch on: none is ever reported.

import {
  approvalPolicyInForce,
  type Permissions,
  type SettingsInForce,
  type ThreadWishes,
  type WantedSettings,
  withWishes,
} from '@heddle/bridge-kit';
import { effortOf, findModel, fullName, type ModelCatalog, variantOf } from './models.ts';
import type { NativeSession } from './native-session.ts';

const PLAN_AGENT = 'plan';

/** All that was asked for in a thread so far. */
export interface OpencodeWishes extends ThreadWishes {
  /** opencode's agent where the mode does not say it; `undefined`: its own choice. */
  agent?: string;
}

/** How a prompt is to be done. */
export interface PromptSettings {
  /** `provider/model`. */
  model: string;
  variant: string | undefined;
  agent: string | undefined;
  system: string | undefined;
}

/** What a thread was last prompted with in opencode's own store. */
export function wishesOf(session: NativeSession, catalog: ModelCatalog): OpencodeWishes {
  const model = session.model === undefined ? undefined : fullName(session.model);
  const variants = model === undefined ? [] : (findModel(catalog, model)?.variants ?? []);
  const effort = effortOf(session.model?.variant, variants);
  const { agent } = session;
  return {
    cwd: session.directory,
    ...(model === undefined ? {} : { model }),
    ...(effort === undefined ? {} : { effort }),
    ...(agent === PLAN_AGENT ? { mode: 'plan' as const } : agent === undefined ? {} : { agent }),
  };
}

/** Takes over what is given, but for the folder: a session of opencode's belongs to its own. */
export function wished(before: OpencodeWishes, wanted: WantedSettings): OpencodeWishes {
  return { ...withWishes(before, wanted), cwd: before.cwd };
}

export function promptSettings(wishes: OpencodeWishes, catalog: ModelCatalog): PromptSettings {
  const wanted = wishes.model ?? catalog.standard ?? '';
  const known = findModel(catalog, wanted);
  return {
    model: known === undefined ? wanted : fullName(known),
    variant: variantOf(wishes.effort, known?.variants ?? []),
    agent: wishes.mode === 'plan' ? PLAN_AGENT : wishes.agent,
    system: wishes.developerInstructions,
  };
}

export function settingsInForce(wishes: OpencodeWishes, catalog: ModelCatalog, permissions: Permissions): SettingsInForce {
  const { model, variant } = promptSettings(wishes, catalog);
  return {
    cwd: wishes.cwd,
    model,
    modelProvider: 'opencode', // the hub groups threads by their agent's name
    reasoningEffort: effortOf(variant, findModel(catalog, model)?.variants ?? []) ?? null,
    approvalPolicy: approvalPolicyInForce(wishes, permissions),
    sandbox: { type: 'dangerFullAccess' },
    mode: wishes.mode ?? 'default',
  };
}
