// Owns what heddle asks of a running claude by control requests, and how the answers read. Source: claude 2.1.197.

import type { McpServer } from '@heddle/bridge-kit';
import { HeddleError, type McpConnectionStatus } from '@heddle/wire';
import type { ClaudeProcess } from './process.ts';
import type { ClaudeEffort, PermissionMode } from './settings.ts';

/** claude reads its settings, plugins and MCP servers before it answers the first time. */
const INITIALIZE_TIMEOUT_MS = 60_000;

/** A model as claude offers it. */
export interface ClaudeModel {
  /** What `--model` takes: `sonnet`. */
  value: string;
  /** What it stands for: `claude-sonnet-5`. */
  resolvedModel: string;
  displayName: string;
  description: string;
  /** Without one the model has no effort to choose. */
  supportedEffortLevels: readonly string[];
}

/** A slash command, which is what skills are too. */
export interface ClaudeCommand {
  name: string;
  description: string;
}

/** What claude says of itself when it is introduced to. */
export interface ClaudeReport {
  models: ClaudeModel[];
  commands: ClaudeCommand[];
}

/** What a claude really runs with. */
export interface AppliedSettings {
  model: string;
  effort: string | undefined;
}

/**
 * Introduces heddle; to be asked once, first of all.
 * @param instructions what claude is told beyond its own instructions
 */
export async function initialize(process: ClaudeProcess, instructions?: string): Promise<ClaudeReport> {
  // Without `forwardSubagentText` only the tools of a sub-agent are told.
  const request = {
    subtype: 'initialize',
    hooks: null,
    forwardSubagentText: true,
    ...(instructions === undefined ? {} : { appendSystemPrompt: instructions }),
  };
  const answer = await process.request(request, { timeoutMs: INITIALIZE_TIMEOUT_MS });
  return { models: recordsOf(answer['models']).map(readModel), commands: recordsOf(answer['commands']).map(readCommand) };
}

export async function readSettings(process: ClaudeProcess): Promise<AppliedSettings> {
  const applied = ((await process.request({ subtype: 'get_settings' }))['applied'] ?? {}) as Record<string, unknown>;
  return { model: text(applied['model']), effort: typeof applied['effort'] === 'string' ? applied['effort'] : undefined };
}

export async function setModel(process: ClaudeProcess, model: string): Promise<void> {
  await process.request({ subtype: 'set_model', model });
}

export async function setEffort(process: ClaudeProcess, effort: ClaudeEffort): Promise<void> {
  await process.request({ subtype: 'apply_flag_settings', settings: { effortLevel: effort } });
}

export async function setPermissionMode(process: ClaudeProcess, mode: PermissionMode): Promise<void> {
  await process.request({ subtype: 'set_permission_mode', mode });
}

/** Stops what claude does; a `result` follows when it did something. */
export async function interrupt(process: ClaudeProcess, timeoutMs: number): Promise<void> {
  await process.request({ subtype: 'interrupt' }, { timeoutMs });
}

/** Takes back a user message. @returns false when claude has begun with it. */
export async function cancelMessage(process: ClaudeProcess, uuid: string, timeoutMs: number): Promise<boolean> {
  return (await process.request({ subtype: 'cancel_async_message', message_uuid: uuid }, { timeoutMs }))['cancelled'] === true;
}

/** The plan's limits, if the account is one of a subscription: claude may ask its service. */
export async function readUsage(process: ClaudeProcess): Promise<Record<string, unknown> | undefined> {
  const answer = await process.request({ subtype: 'get_usage' });
  return isRecord(answer['rate_limits']) ? answer['rate_limits'] : undefined;
}

/** What claude calls the states of its MCP servers. */
const mcpStates: Readonly<Record<string, McpConnectionStatus>> = {
  connected: 'connected',
  pending: 'starting',
  failed: 'failed',
  'needs-auth': 'authenticationRequired',
  disabled: 'disabled',
};

export async function readMcpServers(process: ClaudeProcess): Promise<McpServer[]> {
  const answer = await process.request({ subtype: 'mcp_status' });
  return recordsOf(answer['mcpServers']).map((server) => ({
    name: text(server['name']),
    status: mcpStates[text(server['status'])] ?? 'notStarted',
    error: text(server['error']) || null,
    tools: recordsOf(server['tools']).map((tool) => ({ name: text(tool['name']), description: text(tool['description']) })),
  }));
}

export async function renameSession(process: ClaudeProcess, title: string): Promise<void> {
  await process.request({ subtype: 'rename_session', title });
}

function readModel(model: Record<string, unknown>): ClaudeModel {
  const value = text(model['value']);
  if (value === '') throw new HeddleError('internal', 'claude offers a model without a name');
  const levels = Array.isArray(model['supportedEffortLevels']) ? model['supportedEffortLevels'] : [];
  return {
    value,
    resolvedModel: text(model['resolvedModel']) || value,
    displayName: text(model['displayName']) || value,
    description: text(model['description']),
    supportedEffortLevels: model['supportsEffort'] === true ? levels.filter((level): level is string => typeof level === 'string') : [],
  };
}

function readCommand(command: Record<string, unknown>): ClaudeCommand {
  return { name: text(command['name']), description: text(command['description']) };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function recordsOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}
