// Owns which item each of claude's tools is shown as. A tool that is not listed is shown under its own name.

import { textOf } from '@heddle/bridge-kit';
import type { ToolUse } from '../native-content.ts';
import { fileTools } from './file-changes.ts';
import { taskTools } from './tasks.ts';

export type ToolKind = 'command' | 'fileChange' | 'mcp' | 'webSearch' | 'subAgent' | 'plan' | 'tasks' | 'question' | 'image' | 'other';

const kinds: Readonly<Record<string, ToolKind>> = {
  Bash: 'command',
  WebSearch: 'webSearch',
  Agent: 'subAgent',
  Task: 'subAgent', // its name before 2.1
  ExitPlanMode: 'plan',
  AskUserQuestion: 'question',
};
const imagePath = /\.(?:png|jpe?g|gif|webp)$/i;

export function toolKind({ name, input }: ToolUse): ToolKind {
  if (fileTools.has(name)) return 'fileChange';
  if (taskTools.has(name)) return 'tasks';
  if (mcpName(name) !== undefined) return 'mcp';
  if (name === 'Read' && imagePath.test(textOf(input['file_path']) ?? '')) return 'image';
  return Object.hasOwn(kinds, name) ? (kinds[name] ?? 'other') : 'other';
}

/** The parts of `mcp__server__tool`. */
export function mcpName(name: string): { server: string; tool: string } | undefined {
  const match = /^mcp__(.+?)__(.+)$/s.exec(name);
  return match?.[1] === undefined || match[2] === undefined ? undefined : { server: match[1], tool: match[2] };
}
