// Owns the reading of what a client asks for in start, resume, fork, turn/start and thread/settings/update, and which
// of it is news.

import { isAbsolute } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ApprovalPolicy, SandboxMode, SandboxPolicy } from '@heddle/wire';
import { type Params, refusal } from '../server/params.ts';
import type { CollaborationMode, SettingsInForce, WantedSettings } from './thread-settings.ts';

const sandboxModes: readonly SandboxMode[] = ['read-only', 'workspace-write', 'danger-full-access'];
const modes: readonly CollaborationMode[] = ['default', 'plan'];
const sandboxOfPolicy = {
  readOnly: 'read-only',
  workspaceWrite: 'workspace-write',
  dangerFullAccess: 'danger-full-access',
  externalSandbox: 'danger-full-access',
} as const satisfies Record<SandboxPolicy['type'], SandboxMode>;
/** Permission profiles, which 0.169 has beside the sandbox. */
const sandboxOfProfile: Readonly<Record<string, SandboxMode>> = {
  ':read-only': 'read-only',
  ':workspace': 'workspace-write',
  ':danger-full-access': 'danger-full-access',
};
const sandboxTypes = Object.keys(sandboxOfPolicy) as SandboxPolicy['type'][];

/** @throws RpcError for a value that no codex knows, and for a `cwd` that is not absolute. */
export function readWanted(params: Params): WantedSettings {
  const collaboration = params.optionalObject('collaborationMode');
  const inMode = collaboration?.optionalObject('settings');
  const policy = params.optionalObject('sandboxPolicy')?.optionalChoice('type', sandboxTypes);
  const profile = sandboxOfProfile[params.optionalText('permissions') ?? ''];
  const cwd = params.optionalText('cwd');
  if (cwd !== undefined && !isAbsolute(cwd)) throw refusal(`Invalid request: \`cwd\` must be an absolute path, not ${cwd}`);
  return withoutAbsent({
    cwd,
    model: inMode?.optionalText('model') ?? params.optionalText('model'),
    // The Codex TUI asks for an effort in the configuration of a new thread.
    effort:
      inMode?.optionalText('reasoning_effort') ??
      params.optionalText('effort') ??
      params.optionalObject('config')?.optionalText('model_reasoning_effort'),
    approvalPolicy: readApprovalPolicy(params),
    sandbox: policy === undefined ? (params.optionalChoice('sandbox', sandboxModes) ?? profile) : sandboxOfPolicy[policy],
    mode: collaboration?.optionalChoice('mode', modes),
    developerInstructions: inMode?.optionalText('developer_instructions') ?? params.optionalText('developerInstructions'),
  });
}

/** What is not as it is wanted; undefined when everything is. */
export function newWishes(wanted: WantedSettings, inForce: SettingsInForce): WantedSettings | undefined {
  const now: WantedSettings = {
    ...withoutAbsent({ effort: inForce.reasoningEffort ?? undefined }),
    cwd: inForce.cwd,
    model: inForce.model,
    approvalPolicy: inForce.approvalPolicy,
    sandbox: sandboxOfPolicy[inForce.sandbox.type],
    mode: inForce.mode,
  };
  const news = Object.entries(wanted).filter(([name, value]) => !isDeepStrictEqual(now[name as keyof WantedSettings], value));
  return news.length === 0 ? undefined : (Object.fromEntries(news) as WantedSettings);
}

/** Phones made for codex 0.132 still say `on-failure`, which asks in fewer cases than anything that is left. */
function readApprovalPolicy(params: Params): ApprovalPolicy | undefined {
  if (params.isObject('approvalPolicy')) return { granular: params.optionalObject('approvalPolicy')?.flags('granular') ?? {} };
  const policy = params.optionalChoice('approvalPolicy', ['untrusted', 'on-request', 'never', 'on-failure']);
  return policy === 'on-failure' ? 'on-request' : policy;
}

type Optional<T> = { [Name in keyof T]?: T[Name] | undefined };

function withoutAbsent(values: Optional<WantedSettings>): WantedSettings {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as WantedSettings;
}
