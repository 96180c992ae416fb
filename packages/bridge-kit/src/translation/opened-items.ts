// Owns the items that any agent's tool call may open, before anything of it is done. What is special about one agent's
// tools is in its own folder.

import type {
  CollabAgentToolCallItem,
  CommandExecutionItem,
  DynamicToolCallItem,
  ItemId,
  McpToolCallItem,
  ThreadId,
  WebSearchItem,
} from '@heddle/wire';
import { commandActions } from './command-actions.ts';
import { bashLine } from './shell-words.ts';

/** A shell command that is about to run. @param cwd absolute */
export function openedCommand(id: ItemId, script: string, cwd: string): CommandExecutionItem {
  return {
    type: 'commandExecution',
    id,
    command: bashLine(script),
    cwd,
    status: 'inProgress',
    commandActions: commandActions(script, cwd),
    source: 'agent',
    aggregatedOutput: null,
    exitCode: null,
    durationMs: null,
    processId: null,
  };
}

/** A call of a tool that has no item of its own on the wire. @param agent whose tool it is: `claude` */
export function openedToolCall(id: ItemId, agent: string, tool: string, input: unknown): DynamicToolCallItem {
  return {
    type: 'dynamicToolCall',
    id,
    namespace: agent,
    tool,
    arguments: input,
    status: 'inProgress',
    contentItems: null,
    success: null,
    durationMs: null,
  };
}

/** A call of an MCP server's tool. */
export function openedMcpCall(id: ItemId, server: string, tool: string, input: unknown): McpToolCallItem {
  return {
    type: 'mcpToolCall',
    id,
    server,
    tool,
    status: 'inProgress',
    arguments: input,
    appContext: null,
    mcpAppUi: null,
    pluginId: null,
    readOnlyHint: null,
    result: null,
    error: null,
    durationMs: null,
  };
}

export function openedWebSearch(id: ItemId, query: string): WebSearchItem {
  return { type: 'webSearch', id, query, action: { type: 'search', query, queries: null } };
}

/** A sub-agent that is about to be started. @param prompt, model `null`: not told */
export function openedSubAgent(id: ItemId, senderThreadId: ThreadId, prompt: string | null, model: string | null): CollabAgentToolCallItem {
  return {
    type: 'collabAgentToolCall',
    id,
    tool: 'spawnAgent',
    status: 'inProgress',
    senderThreadId,
    receiverThreadIds: [],
    prompt,
    model,
    reasoningEffort: null,
    agentsStates: {},
  };
}
