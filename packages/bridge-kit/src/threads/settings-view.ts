// Owns the forms in which what is in force in a thread is told to clients.

import type { ApprovalPolicy, CollaborationMode, SandboxPolicy, ThreadSettingsInForce } from '@heddle/wire';
import type { SettingsInForce } from './thread-settings.ts';

/** The settings in the answers to start, resume and fork. */
export interface SettingsAnswer {
  model: string;
  modelProvider: string;
  serviceTier: null;
  cwd: string;
  instructionSources: string[];
  approvalPolicy: ApprovalPolicy;
  approvalsReviewer: 'user';
  sandbox: SandboxPolicy;
  reasoningEffort: string | null;
}

export function settingsAnswer(settings: SettingsInForce): SettingsAnswer {
  const { model, modelProvider, cwd, approvalPolicy, sandbox, reasoningEffort } = settings;
  return {
    model,
    modelProvider,
    serviceTier: null,
    cwd,
    instructionSources: [],
    approvalPolicy,
    approvalsReviewer: 'user',
    sandbox,
    reasoningEffort,
  };
}

export function collaborationModeView({ mode, model, reasoningEffort }: SettingsInForce): CollaborationMode {
  return { mode, settings: { model, reasoning_effort: reasoningEffort, developer_instructions: null } };
}

export function settingsNotice(settings: SettingsInForce): ThreadSettingsInForce {
  const { model, modelProvider, cwd, approvalPolicy, sandbox, reasoningEffort } = settings;
  return {
    model,
    modelProvider,
    cwd,
    effort: reasoningEffort,
    approvalPolicy,
    approvalsReviewer: 'user',
    sandboxPolicy: sandbox,
    collaborationMode: collaborationModeView(settings),
  };
}
