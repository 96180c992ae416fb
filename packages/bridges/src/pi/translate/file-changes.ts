// Owns what pi's file tools do to a file: proposed, from the call and the file as it is, and done, from the file
// afterwards. Of a stored call only what the session has is known.

import { type Fields, fieldsOf, listOf, textOf, updateHunks } from '@heddle/bridge-kit';
import type { FileUpdateChange } from '@heddle/wire';
import { homedir } from 'node:os';
import { isAbsolute, resolve } from 'node:path';
import type { ToolCall, ToolResult } from '../native-messages.ts';
import { hunksOfPrintedDiff } from './printed-diff.ts';

/** The spaces that pi takes for a plain one in a path. */
const oddSpaces = /[\u00A0\u2000-\u200A\u202F\u205F\u3000]/g;

export function isFileTool({ name }: Pick<ToolCall, 'name'>): boolean {
  return name === 'edit' || name === 'write';
}

/** Where a path of a tool's leads, as pi itself reads it. Absolute. */
export function pathOfCall(input: Readonly<Record<string, unknown>>, cwd: string): string {
  const plain = (textOf(input['path']) ?? textOf(input['file_path']) ?? '').replace(oddSpaces, ' ').replace(/^@/, '');
  const expanded = plain === '~' || plain.startsWith('~/') ? homedir() + plain.slice(1) : plain;
  return isAbsolute(expanded) ? expanded : resolve(cwd, expanded);
}

/** What a call would do. @param before the file's text; `null`: it is not there; `undefined`: it was not looked at. */
export function proposedChange(call: ToolCall, cwd: string, before: string | null | undefined): FileUpdateChange {
  const path = pathOfCall(call.input, cwd);
  if (before === undefined) return unseenChange(call, path);
  const after = call.name === 'write' ? textOf(call.input['content']) : textAfterEdits(call.input, before);
  return after === undefined ? { path, kind: { type: 'update', move_path: null }, diff: '' } : changeOf(path, before, after);
}

export function changeOf(path: string, before: string | null, after: string): FileUpdateChange {
  if (before === null) return { path, kind: { type: 'add' }, diff: after };
  return { path, kind: { type: 'update', move_path: null }, diff: updateHunks(before, after) };
}

/** What a stored call has done, as its result tells. `undefined`: no more than the call. */
export function storedChange(call: ToolCall, cwd: string, { details }: ToolResult): FileUpdateChange | undefined {
  if (call.name !== 'edit') return undefined;
  const path = pathOfCall(call.input, cwd);
  const patch = textOf(details['patch']); // 0.87
  const printed = textOf(details['diff']);
  const hunks = patch === undefined ? (printed === undefined ? undefined : hunksOfPrintedDiff(printed)) : hunksOfPatch(patch);
  return hunks === undefined ? undefined : { path, kind: { type: 'update', move_path: null }, diff: hunks };
}

/** Without the file: what is written is shown whole, what is replaced is not shown. */
function unseenChange({ name, input }: ToolCall, path: string): FileUpdateChange {
  const content = textOf(input['content']);
  if (name === 'write' && content !== undefined) return { path, kind: { type: 'add' }, diff: content };
  return { path, kind: { type: 'update', move_path: null }, diff: '' };
}

function hunksOfPatch(patch: string): string {
  const start = patch.search(/^@@ /m);
  return start < 0 ? '' : patch.slice(start);
}

/** `undefined`: pi would refuse, or find the place in a way of its own (it overlooks some spaces and quotes). */
function textAfterEdits(input: Fields, before: string | null): string | undefined {
  if (before === null) return undefined;
  const isWindows = before.includes('\r\n');
  const text = isWindows ? before.replaceAll('\r\n', '\n') : before;
  const places = editsOf(input).map(({ from, to }) => ({
    at: text.indexOf(from),
    isOnly: text.indexOf(from) === text.lastIndexOf(from),
    from,
    to,
  }));
  if (places.length === 0 || places.some(({ at, isOnly, from }) => at < 0 || !isOnly || from === '')) return undefined;
  const fromTheEnd = places.toSorted((one, other) => other.at - one.at);
  const after = fromTheEnd.reduce((rest, { at, from, to }) => rest.slice(0, at) + to + rest.slice(at + from.length), text);
  return isWindows ? after.replaceAll('\n', '\r\n') : after;
}

/** All are looked for in the file as it was. One may also stand beside the path, as older pis had it. */
function editsOf(input: Fields): { from: string; to: string }[] {
  const listed = typeof input['edits'] === 'string' ? parsedList(input['edits']) : listOf(input['edits']);
  const all = [...listed, ...(textOf(input['oldText']) === undefined ? [] : [input])];
  return all.map((edit) => {
    const { oldText, newText } = fieldsOf(edit);
    return { from: (textOf(oldText) ?? '').replaceAll('\r\n', '\n'), to: (textOf(newText) ?? '').replaceAll('\r\n', '\n') };
  });
}

function parsedList(text: string): readonly unknown[] {
  try {
    return listOf(JSON.parse(text));
  } catch {
    return [];
  }
}
