// Owns what the demo answers about itself: its model, and that it has no account, no limits, no skills, no settings.

import { type FixedSettings, type Handler, type HandlersOf, noRateLimits, refusal } from '@heddle/bridge-kit';
import type { Model, Page } from '@heddle/wire';

export const MODEL = 'demo';

/**
 * How every thread of the demo runs. It asks before each command and each write, which is what `untrusted` means, and
 * commands that were allowed run without a sandbox; saying anything else would be false.
 */
export const demoSettings: FixedSettings = {
  serviceTier: null,
  instructionSources: [],
  approvalPolicy: 'untrusted',
  approvalsReviewer: 'user',
  sandbox: { type: 'dangerFullAccess' },
  reasoningEffort: null,
};

const model: Model & { inputModalities: string[]; supportsPersonality: boolean } = {
  id: MODEL,
  model: MODEL,
  displayName: 'Demo script',
  description: 'No model: a script that streams text, asks for approvals, runs a command and writes a file.',
  isDefault: true,
  hidden: false,
  supportedReasoningEfforts: [{ reasoningEffort: 'none', description: 'The script does not think.' }],
  defaultReasoningEffort: 'none',
  inputModalities: ['text'],
  supportsPersonality: false,
};

/** Methods that only a client with the capability `experimentalApi` may call, as in codex. */
export const experimentalMethods: ReadonlySet<string> = new Set(['collaborationMode/list']);

type AboutHandlers = HandlersOf<'model/list'> & {
  'account/read': Handler<{ account: null; userId: null; requiresOpenaiAuth: boolean; workspaceRouting: null }>;
  'account/rateLimits/read': Handler<{ rateLimits: typeof noRateLimits; rateLimitsByLimitId: null }>;
  'skills/list': Handler<{ data: { cwd: string; skills: never[]; errors: never[] }[] }>;
  'collaborationMode/list': Handler<{ data: { name: string; mode: string; model: null; reasoning_effort: null }[] }>;
  'hooks/list': Handler<{ data: { cwd: string; hooks: never[]; warnings: never[]; errors: never[] }[] }>;
  'configRequirements/read': Handler<{ requirements: null }>;
  'config/read': Handler<{ config: Record<string, unknown>; origins: Record<string, never>; layers: null }>;
};

export const aboutRequests: AboutHandlers = {
  'model/list'(call) {
    const cursor = call.params.optionalText('cursor');
    if (cursor !== undefined) throw refusal(`invalid cursor: ${cursor}`); // one page, so no cursor was ever given out
    call.reply({ data: [model], nextCursor: null } satisfies Page<Model>);
  },

  'account/read'(call) {
    call.reply({ account: null, userId: null, requiresOpenaiAuth: false, workspaceRouting: null });
  },

  'account/rateLimits/read'(call) {
    call.reply({ rateLimits: noRateLimits, rateLimitsByLimitId: null });
  },

  'skills/list'(call) {
    const folders = call.params.optionalTexts('cwds') ?? [];
    call.reply({ data: folders.map((cwd) => ({ cwd, skills: [], errors: [] })) });
  },

  'collaborationMode/list'(call) {
    call.reply({ data: [{ name: 'Default', mode: 'default', model: null, reasoning_effort: null }] });
  },

  'hooks/list'(call) {
    const folders = call.params.optionalTexts('cwds') ?? [];
    call.reply({ data: folders.map((cwd) => ({ cwd, hooks: [], warnings: [], errors: [] })) });
  },

  // The Codex TUI does not start without this answer (0.169, tried with `codex --remote`).
  'configRequirements/read'(call) {
    call.reply({ requirements: null });
  },

  'config/read'(call) {
    const config = {
      model: MODEL,
      model_provider: MODEL,
      approval_policy: demoSettings.approvalPolicy,
      sandbox_mode: 'danger-full-access',
    };
    call.reply({ config, origins: {}, layers: null });
  },
};
