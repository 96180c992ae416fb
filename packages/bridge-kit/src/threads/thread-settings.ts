// Owns how a thread runs: what a client may ask for, and what is then in force. The two differ wherever an agent
// can't do what was asked; only the second is ever reported.

import type { ApprovalPolicy, SandboxMode, SandboxPolicy } from '@heddle/wire';

/** What a client asked for; absent: no wish, or as before. */
export interface WantedSettings {
  /** Absolute. */
  cwd?: string;
  model?: string;
  effort?: string;
  approvalPolicy?: ApprovalPolicy;
  sandbox?: SandboxMode;
  mode?: CollaborationMode;
  developerInstructions?: string;
}

/** `plan`: the agent proposes and changes nothing. */
export type CollaborationMode = 'default' | 'plan';

/** What is in force in a thread. */
export interface SettingsInForce {
  /** Absolute. */
  cwd: string;
  model: string;
  /** The agent's name, as `HubAgent.name`. */
  modelProvider: string;
  reasoningEffort: string | null;
  approvalPolicy: ApprovalPolicy;
  /** Only what is really enforced; an agent without a sandbox runs in `dangerFullAccess`. */
  sandbox: SandboxPolicy;
  mode: CollaborationMode;
}
