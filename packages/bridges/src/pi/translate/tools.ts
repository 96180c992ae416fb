// Owns which item each of pi's tools is shown as, and what a result makes of it. A tool that has no item of its own is
// shown under its own name.

import { type ItemChanges, openedCommand, openedToolCall, textOf } from '@heddle/bridge-kit';
import type { DynamicToolCallItem, ItemId, ThreadItem } from '@heddle/wire';
import { DECLINED_BY_USER } from '../guard-source.ts';
import { type NativeBlock, textOfBlocks, type ToolCall, type ToolResult } from '../native-messages.ts';
import { isFileTool, proposedChange } from './file-changes.ts';

const NO_OUTPUT = '(no output)';
/** What pi writes below the output of a command that did not end well. */
const exitLine = /(?:^|\n\n)Command exited with code (\d+)$/;
const cutLine =
  /(?:^|\n\n)(?:Command aborted|Command timed out after [\d.]+ seconds|Command terminated without an exit code|Operation aborted)$/;

export function isShellTool({ name }: Pick<ToolCall, 'name'>): boolean {
  return name === 'bash' || name === 'powershell';
}

/** @param before see `proposedChange` */
export function openedItem(itemId: ItemId, call: ToolCall, cwd: string, before: string | null | undefined): ThreadItem {
  if (isShellTool(call)) return openedCommand(itemId, textOf(call.input['command']) ?? '', cwd);
  if (!isFileTool(call)) return openedToolCall(itemId, 'pi', call.name, call.input);
  return { type: 'fileChange', id: itemId, changes: [proposedChange(call, cwd, before)], status: 'inProgress' };
}

/** What is known of a call's item when its result is there; the change of a file is told elsewhere. */
export function closingChanges(call: ToolCall, result: ToolResult): ItemChanges {
  const text = textOfBlocks(result.blocks);
  const isDeclined = result.isError && text === DECLINED_BY_USER;
  if (isShellTool(call)) return isDeclined ? { status: 'declined' } : commandEnd(text, result.isError);
  const status = result.isError ? 'failed' : 'completed';
  if (isFileTool(call)) return { status: isDeclined ? 'declined' : status };
  return { status, success: !result.isError, contentItems: contentItems(result.blocks) };
}

function commandEnd(text: string, isError: boolean): ItemChanges {
  const aggregatedOutput = outputOf(text);
  if (!isError) return { status: 'completed', exitCode: 0, aggregatedOutput };
  const [, code] = exitLine.exec(text) ?? [];
  return { status: 'failed', exitCode: code === undefined ? null : Number(code), aggregatedOutput };
}

/** Without what pi says itself. */
export function outputOf(text: string): string {
  const output = text.replace(exitLine, '').replace(cutLine, '');
  return output === NO_OUTPUT ? '' : output;
}

/**
 * What a command has said since. pi tells the whole output each time, and of a long one its end.
 * @param before what it had said
 */
export function newOutput(before: string, now: string): string {
  if (now.startsWith(before)) return now.slice(before.length);
  const end = before.slice(-256);
  const at = now.lastIndexOf(end);
  return at < 0 ? '' : now.slice(at + end.length);
}

function contentItems(blocks: readonly NativeBlock[]): DynamicToolCallItem['contentItems'] {
  return blocks.flatMap((block): NonNullable<DynamicToolCallItem['contentItems']> => {
    if (block.type === 'text') return [{ type: 'inputText', text: block.text }];
    return block.type === 'image' ? [{ type: 'inputImage', imageUrl: `data:${block.mimeType};base64,${block.data}` }] : [];
  });
}
