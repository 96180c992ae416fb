// Owns an MCP server as clients of codex know one. What an agent does not tell is left open, never made up.

import type { McpServerStatus } from '@heddle/wire';
import type { McpServer } from './hub-agent.ts';

export function mcpServerView({ name, status, error, tools }: McpServer): McpServerStatus {
  return {
    name,
    runtimeStatus: status,
    pluginId: null,
    httpOrigin: null,
    serverInfo: null,
    serverCapabilities: null,
    toolListMeta: null,
    tools: Object.fromEntries(tools.map((tool) => [tool.name, { ...tool, inputSchema: { type: 'object' } }])),
    toolsError: error,
    resources: [],
    resourceTemplates: [],
    authStatus: status === 'authenticationRequired' ? 'notLoggedIn' : 'unknown',
  };
}
