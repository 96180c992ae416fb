// Owns the list of MCP servers as opencode tells it: their state, and why one can't be used. Pure. Which tools they
// offer opencode does not tell apart (1.18.33).

import { fieldsOf, type McpServer, textOf } from '@heddle/bridge-kit';

const states: Readonly<Record<string, McpServer['status']>> = {
  connected: 'connected',
  disabled: 'disabled',
  failed: 'failed',
  needs_auth: 'authenticationRequired',
  needs_client_registration: 'authenticationRequired',
};

/** @param answer of `GET /mcp` */
export function mcpServersOf(answer: unknown): McpServer[] {
  return Object.entries(fieldsOf(answer)).map(([name, value]): McpServer => {
    const { status, error } = fieldsOf(value);
    return { name, status: states[textOf(status) ?? ''] ?? 'notStarted', error: textOf(error) ?? null, tools: [] };
  });
}
