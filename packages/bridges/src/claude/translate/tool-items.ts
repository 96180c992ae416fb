// Owns the item that a tool call opens, before anything of it is done.

import { openedCommand, openedMcpCall, openedSubAgent, openedToolCall, openedWebSearch, textOf } from '@heddle/bridge-kit';
import type { ThreadItem } from '@heddle/wire';
import { resolve } from 'node:path';
import type { ToolUse } from '../native-content.ts';
import { type FileChange, wireChange } from './file-changes.ts';
import { mcpName, toolKind } from './tool-kinds.ts';

export interface ToolContext {
  /** The thread in which the tool is called. */
  threadId: string;
  /** Absolute. */
  cwd: string;
  /** What a file tool would do. */
  change: FileChange | undefined;
}

/** `undefined`: the call is shown otherwise (the todo list, a question), or not at all. */
export function openedItem(tool: ToolUse, { threadId, cwd, change }: ToolContext): ThreadItem | undefined {
  const { id, name, input } = tool;
  const kind = toolKind(tool);
  switch (kind) {
    case 'command':
      return openedCommand(id, textOf(input['command']) ?? '', cwd);
    case 'fileChange':
      return { type: 'fileChange', id, changes: change === undefined ? [] : [wireChange(change)], status: 'inProgress' };
    case 'mcp': {
      const { server, tool: called } = mcpName(name) ?? { server: '', tool: name };
      return openedMcpCall(id, server, called, input);
    }
    case 'webSearch':
      return openedWebSearch(id, textOf(input['query']) ?? '');
    case 'subAgent':
      return openedSubAgent(id, threadId, textOf(input['prompt']) ?? null, textOf(input['model']) ?? null);
    case 'plan':
      return { type: 'plan', id, text: textOf(input['plan']) ?? '' };
    case 'image':
      return { type: 'imageView', id, path: resolve(cwd, textOf(input['file_path']) ?? '') };
    case 'other':
      return openedToolCall(id, 'claude', name, input);
    case 'tasks':
    case 'question':
      return undefined;
  }
}
