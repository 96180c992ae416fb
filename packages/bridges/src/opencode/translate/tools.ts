// Owns which item each of opencode's tools is shown as, what it opens with and what it ends with. A tool that is not
// listed is shown under its own name. Source: opencode 1.18.33.

import {
  type Fields,
  fieldsOf,
  type ItemChanges,
  listOf,
  numberOf,
  openedCommand,
  openedMcpCall,
  openedSubAgent,
  openedToolCall,
  openedWebSearch,
  textOf,
} from '@heddle/bridge-kit';
import type { CollabAgentState, PlanStep, ThreadItem } from '@heddle/wire';
import { resolve } from 'node:path';
import type { NativePart, ToolState } from '../native-message.ts';
import { threadIdOf } from '../thread-id.ts';
import { type FileChange, fileTools, wireChange } from './file-changes.ts';

export type ToolPart = Extract<NativePart, { type: 'tool' }>;
export type ToolEnd = Extract<ToolState, { status: 'completed' | 'error' }>;
type ToolKind = 'command' | 'fileChange' | 'mcp' | 'webSearch' | 'subAgent' | 'plan' | 'question' | 'image' | 'other';

const kinds: Readonly<Record<string, ToolKind>> = {
  bash: 'command',
  task: 'subAgent',
  todowrite: 'plan',
  todoread: 'plan',
  question: 'question',
  websearch: 'webSearch',
};
const imagePath = /\.(?:png|jpe?g|gif|webp)$/i;
/** What a command that has printed nothing is said to have printed. */
const NO_OUTPUT = '(no output)';
const REJECTED = 'The user rejected permission';
/** What the model is told when somebody declines. */
export const DECLINED_BY_USER = 'The user declined this. Go on without it, or ask what to do instead.';

export interface ToolContext {
  /** The thread in which the tool is called. */
  threadId: string;
  /** Absolute. */
  cwd: string;
  /** Names of the MCP servers: their tools are called after them. */
  mcpServers: readonly string[];
}

export function toolKind(tool: string, input: Fields, { mcpServers }: Pick<ToolContext, 'mcpServers'>): ToolKind {
  if (fileTools.has(tool)) return 'fileChange';
  if (tool === 'read' && imagePath.test(textOf(input['filePath']) ?? '')) return 'image';
  if (Object.hasOwn(kinds, tool)) return kinds[tool] ?? 'other';
  return mcpServers.some((server) => isOfServer(tool, server)) ? 'mcp' : 'other';
}

/** `undefined`: the call is shown otherwise (the todo list, a question). */
export function openedItem(part: ToolPart, input: Fields, context: ToolContext, changes: readonly FileChange[]): ThreadItem | undefined {
  const { id, tool } = part;
  const { cwd, mcpServers, threadId } = context;
  switch (toolKind(tool, input, context)) {
    case 'command':
      return openedCommand(id, textOf(input['command']) ?? '', cwd);
    case 'fileChange':
      return { type: 'fileChange', id, changes: changes.map(wireChange), status: 'inProgress' };
    case 'mcp': {
      const server = mcpServers.find((each) => isOfServer(tool, each)) ?? '';
      return openedMcpCall(id, server, tool.slice(safeName(server).length + 1), input);
    }
    case 'webSearch':
      return openedWebSearch(id, textOf(input['query']) ?? '');
    case 'subAgent':
      return openedSubAgent(id, threadId, textOf(input['prompt']) ?? null, null);
    case 'image':
      return { type: 'imageView', id, path: resolve(cwd, textOf(input['filePath']) ?? '') };
    case 'other':
      return openedToolCall(id, 'opencode', tool, input);
    case 'plan':
    case 'question':
      return undefined;
  }
}

/** What has become known of a call's item when it has ended. */
export function closingChanges(part: ToolPart, end: ToolEnd, context: ToolContext): ItemChanges {
  const { startedAtMs, endedAtMs } = end;
  const durationMs = startedAtMs === undefined || endedAtMs === undefined ? null : endedAtMs - startedAtMs;
  const isError = end.status === 'error';
  switch (toolKind(part.tool, end.input, context)) {
    case 'command':
      return { ...commandEnd(end), durationMs };
    case 'fileChange':
      return { status: isDeclined(end) ? 'declined' : isError ? 'failed' : 'completed' };
    case 'mcp':
      if (isError) return { status: 'failed', error: { message: end.error }, durationMs };
      return { status: 'completed', result: { content: mcpContent(end), structuredContent: null, _meta: null }, durationMs };
    case 'subAgent':
      return subAgentEnd(end);
    case 'other':
      return {
        status: isError ? 'failed' : 'completed',
        success: !isError,
        contentItems: isError ? [{ type: 'inputText', text: end.error }] : contentItems(end),
        durationMs,
      };
    case 'webSearch':
    case 'image':
    case 'plan':
    case 'question':
      return {};
  }
}

/** What a running command has printed so far. */
export function commandOutput(metadata: Fields): string {
  const output = textOf(metadata['output']) ?? '';
  return output === NO_OUTPUT ? '' : output;
}

/** The session of the sub-agent that a call has started. */
export function childSessionOf(metadata: Fields): string | undefined {
  return textOf(metadata['sessionId']);
}

/** The todo list that a call writes; opencode's cancelled entries have no place in a plan. */
export function planOf(input: Fields): PlanStep[] {
  return listOf(input['todos']).flatMap((each): PlanStep[] => {
    const { content, status } = fieldsOf(each);
    if (status === 'cancelled') return [];
    const known = ({ completed: 'completed', in_progress: 'inProgress' } as const)[textOf(status) ?? ''] ?? 'pending';
    return [{ step: textOf(content) ?? '', status: known }];
  });
}

function isDeclined(end: ToolEnd): boolean {
  return end.status === 'error' && end.error.startsWith(REJECTED);
}

function commandEnd(end: ToolEnd): ItemChanges {
  if (isDeclined(end)) return { status: 'declined', exitCode: null };
  const printed = commandOutput(end.metadata);
  if (end.status === 'error') return { status: 'failed', exitCode: null, aggregatedOutput: printed === '' ? end.error : printed };
  const exitCode = numberOf(end.metadata['exit']) ?? null;
  // What the user runs by hand has no exit code; what is ended by a time-out has none either, and says so.
  const isDone = exitCode === 0 || !('exit' in end.metadata);
  const aggregatedOutput = 'output' in end.metadata ? printed : end.output;
  return { status: isDone ? 'completed' : 'failed', exitCode, aggregatedOutput };
}

function subAgentEnd(end: ToolEnd): ItemChanges {
  const child = childSessionOf(end.metadata);
  const state: CollabAgentState =
    end.status === 'error' ? { status: 'errored', message: end.error } : { status: 'completed', message: answerOf(end.output) };
  const model = fieldsOf(end.metadata['model']);
  const [provider, id] = [textOf(model['providerID']), textOf(model['modelID'])];
  return {
    status: end.status === 'error' ? 'failed' : 'completed',
    ...(provider === undefined || id === undefined ? {} : { model: `${provider}/${id}` }),
    ...(child === undefined ? {} : { receiverThreadIds: [threadIdOf(child)], agentsStates: { [threadIdOf(child)]: state } }),
  };
}

/** A sub-agent's answer without what opencode wraps it in for the model. */
function answerOf(output: string): string {
  return /<task_result>\n?([^]*?)\n?<\/task_result>/.exec(output)?.[1] ?? output;
}

function contentItems({ output, attachments }: Extract<ToolEnd, { status: 'completed' }>) {
  const images = attachments.filter(({ mime }) => mime.startsWith('image/'));
  return [
    ...(output === '' ? [] : [{ type: 'inputText' as const, text: output }]),
    ...images.map(({ url }) => ({ type: 'inputImage' as const, imageUrl: url })),
  ];
}

function mcpContent({ output, attachments }: Extract<ToolEnd, { status: 'completed' }>): Record<string, unknown>[] {
  const images = attachments.flatMap(({ mime, url }) => {
    const data = /^data:[^,]*;base64,(.*)$/s.exec(url)?.[1];
    return data === undefined || !mime.startsWith('image/') ? [] : [{ type: 'image', mimeType: mime, data }];
  });
  return [...(output === '' ? [] : [{ type: 'text', text: output }]), ...images];
}

function isOfServer(tool: string, server: string): boolean {
  return tool.startsWith(`${safeName(server)}_`);
}

/** As opencode writes a server's name into the names of its tools. */
function safeName(server: string): string {
  return server.replaceAll(/[^\w-]/g, '_');
}
