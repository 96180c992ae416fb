// Owns what a file tool does to files, as texts before and after: proposed, from the call, from opencode's question and
// from the files as they are; and as it is read back later. Pure.

import { type Fields, fieldsOf, listOf, textOf, updateHunks } from '@heddle/bridge-kit';
import type { FileUpdateChange } from '@heddle/wire';
import { resolve } from 'node:path';
import { applyPatch, hunksText } from './apply-patch.ts';

/** A file's text; `null`: it is not there. */
export type FileText = string | null;
export type FileTexts = ReadonlyMap<string, FileText>;

/** A change of one file. Without texts nothing but the path is known, or the hunks as opencode shows them. */
export interface FileChange {
  /** Absolute. */
  path: string;
  texts?: { before: FileText; after: FileText };
  hunks?: string;
  isNew?: boolean;
}

export const fileTools: ReadonlySet<string> = new Set(['edit', 'write', 'apply_patch', 'patch', 'multiedit']);

/** The files that a call is about, absolute, in its order. */
export function changedPaths(tool: string, input: Fields, cwd: string): string[] {
  const patch = textOf(input['patchText']);
  if (tool === 'apply_patch' || tool === 'patch') {
    const heads = (patch ?? '').matchAll(/^\*\*\* (?:(?:Add|Update|Delete) File|Move to): (.+)$/gm);
    return [...new Set([...heads].map(([, path = '']) => resolve(cwd, path.trim())))];
  }
  const path = textOf(input['filePath']);
  return path === undefined ? [] : [resolve(cwd, path)];
}

/** What a call would do, as far as it tells itself. @param before the files as they are, of those that were looked at */
export function proposedChanges(tool: string, input: Fields, cwd: string, before: FileTexts): FileChange[] {
  return changedPaths(tool, input, cwd).map((path) => {
    const there = before.get(path);
    const after = there === undefined ? undefined : textAfter(tool, input, there);
    return there === undefined || after === undefined ? { path } : { path, texts: { before: there, after } };
  });
}

/**
 * What opencode tells of a change, in its question or with its result.
 * @returns undefined when it tells nothing
 */
export function toldChanges(metadata: Fields, before: FileTexts, cwd: string): FileChange[] | undefined {
  const files = listOf(metadata['files']).map((each) => fieldsOf(each));
  if (files.length > 0) return files.flatMap((file) => toldFile(file, before, cwd));
  const path = textOf(metadata['filepath']) ?? textOf(fieldsOf(metadata['filediff'])['file']);
  const patch = textOf(metadata['diff']);
  return path === undefined || patch === undefined ? undefined : [patched(resolve(cwd, path), patch, before)];
}

/** A call as it is read back: nobody looked at the files then. */
export function storedChanges(tool: string, input: Fields, metadata: Fields, cwd: string): FileChange[] {
  const told = toldChanges(metadata, new Map(), cwd);
  if (told !== undefined) return told;
  const content = textOf(input['content']);
  const isNew = metadata['exists'] === false;
  return changedPaths(tool, input, cwd).map((path) => {
    return isNew && content !== undefined ? { path, texts: { before: null, after: content } } : { path };
  });
}

/** As the wire has it. */
export function wireChange({ path, texts, hunks = '', isNew = false }: FileChange): FileUpdateChange {
  if (texts === undefined) return { path, kind: isNew ? { type: 'add' } : { type: 'update', move_path: null }, diff: hunks };
  const { before, after } = texts;
  if (before === null) return { path, kind: { type: 'add' }, diff: after ?? '' };
  if (after === null) return { path, kind: { type: 'delete' }, diff: before };
  return { path, kind: { type: 'update', move_path: null }, diff: updateHunks(before, after) };
}

/** `undefined` when the call alone does not tell. */
function textAfter(tool: string, input: Fields, before: FileText): string | undefined {
  if (tool === 'write') return textOf(input['content']);
  const [from, to] = [textOf(input['oldString']), textOf(input['newString'])];
  if (tool !== 'edit' || from === undefined || to === undefined) return undefined;
  if (from === '') return before === null || before === '' ? to : undefined;
  const text = before ?? '';
  const first = text.indexOf(from);
  if (first < 0) return undefined; // opencode finds it all the same, by its own rules; its patch will tell
  if (input['replaceAll'] === true) return text.replaceAll(from, () => to);
  return first === text.lastIndexOf(from) ? text.replace(from, () => to) : undefined;
}

function toldFile(file: Fields, before: FileTexts, cwd: string): FileChange[] {
  const path = textOf(file['filePath']);
  if (path === undefined) return [];
  const source = resolve(cwd, path);
  const there = before.get(source);
  const patch = textOf(file['patch']) ?? textOf(file['diff']) ?? '';
  const target = textOf(file['movePath']);
  switch (file['type']) {
    case 'delete':
      return [there === undefined ? { path: source, hunks: hunksText(patch) } : { path: source, texts: { before: there, after: null } }];
    case 'add':
      return [patched(source, patch, new Map([[source, null]]))];
    default: {
      const change = patched(source, patch, before);
      if (target === undefined) return [change];
      const moved = resolve(cwd, target);
      if (change.texts === undefined) return [{ ...change, path: moved }];
      return [
        { path: source, texts: { before: change.texts.before, after: null } },
        { path: moved, texts: { before: before.get(moved) ?? null, after: change.texts.after } },
      ];
    }
  }
}

function patched(path: string, patch: string, before: FileTexts): FileChange {
  const there = before.get(path);
  const after = there === undefined ? undefined : applyPatch(there ?? '', patch);
  if (there !== undefined && after !== undefined) return { path, texts: { before: there, after } };
  const isNew = /^@@ -0,0 /m.test(patch);
  const added = isNew ? applyPatch('', patch) : undefined;
  return added === undefined ? { path, hunks: hunksText(patch) } : { path, texts: { before: null, after: added } };
}
