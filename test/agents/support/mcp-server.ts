// A small MCP server on stdio, for agents that are told of one: it offers one tool, `look`, which answers with words.
// Protocol: modelcontextprotocol.io, version 2025-06-18.

import { splitLines } from '@heddle/rpc';

interface Message {
  id?: number | string;
  method: string;
  params?: { protocolVersion?: string };
}

const look = {
  name: 'look',
  description: 'Looks something up.',
  inputSchema: { type: 'object', properties: { word: { type: 'string' } } },
};

function answerTo({ method, params }: Message): object {
  if (method === 'initialize') {
    const serverInfo = { name: 'docs', version: '1.0.0' };
    return { protocolVersion: params?.protocolVersion ?? '2025-06-18', capabilities: { tools: {} }, serverInfo };
  }
  if (method === 'tools/list') return { tools: [look] };
  if (method === 'tools/call') return { content: [{ type: 'text', text: 'A word is a word.' }] };
  return {};
}

for await (const line of splitLines(process.stdin, 1024 * 1024)) {
  const message = JSON.parse(new TextDecoder().decode(line)) as Message;
  if (message.id === undefined) continue;
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id: message.id, result: answerTo(message) })}\n`);
}
