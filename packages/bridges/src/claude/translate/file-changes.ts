// Owns what a file tool does to a file, as texts before and after: proposed, from the call and the file as it is, and
// done, from what claude tells afterwards. Diffs are made from these texts; claude's own patch shows tabs as spaces.

import { type Fields, fieldsOf, listOf, numberOf, textOf, updateHunks } from '@heddle/bridge-kit';
import type { FileUpdateChange } from '@heddle/wire';
import { resolve } from 'node:path';

/** A change of one file. `before: null`: it is made. Without texts nothing but the path is known. */
export interface FileChange {
  /** Absolute. */
  path: string;
  texts?: { before: string | null; after: string };
  /** Hunks as claude tells them, for want of the texts. */
  hunks?: string;
}

interface Replacement {
  from: string;
  to: string;
  isForAll: boolean;
}

export const fileTools: ReadonlySet<string> = new Set(['Edit', 'MultiEdit', 'Write', 'NotebookEdit']);

/** The file that a call of a file tool is about. */
export function changedPath(input: Fields, cwd: string): string {
  return resolve(cwd, textOf(input['file_path']) ?? textOf(input['notebook_path']) ?? '');
}

/** What a call would do. @param before the file's text; `null`: it is not there; `undefined`: it was not looked at. */
export function proposedChange(tool: string, input: Fields, cwd: string, before: string | null | undefined): FileChange {
  const path = changedPath(input, cwd);
  const after = before === undefined ? undefined : textAfter(tool, input, before);
  return before === undefined || after === undefined ? { path } : { path, texts: { before, after } };
}

/** What a call has done. @param data the tool's result as claude tells it. */
export function doneChange(tool: string, data: Fields, path: string): FileChange {
  const texts = doneTexts(tool, data);
  if (texts !== undefined) return { path, texts };
  const hunks = listOf(data['structuredPatch']).map((hunk) => hunkText(fieldsOf(hunk)));
  return hunks.length === 0 ? { path } : { path, hunks: hunks.join('') };
}

/** As the wire has it. */
export function wireChange({ path, texts, hunks }: FileChange): FileUpdateChange {
  if (texts?.before === null) return { path, kind: { type: 'add' }, diff: texts.after };
  const diff = texts === undefined ? (hunks ?? '') : updateHunks(texts.before, texts.after);
  return { path, kind: { type: 'update', move_path: null }, diff };
}

function textAfter(tool: string, input: Fields, before: string | null): string | undefined {
  if (tool === 'Write') return textOf(input['content']);
  if (tool === 'NotebookEdit') return undefined; // the cell's place in the file's JSON is claude's to find
  const edits = tool === 'MultiEdit' ? listOf(input['edits']).map((edit) => fieldsOf(edit)) : [input];
  return replaceAllOf(
    before,
    edits.map((edit) => replacementOf(edit['old_string'], edit['new_string'], edit['replace_all'])),
  );
}

function doneTexts(tool: string, data: Fields): { before: string | null; after: string } | undefined {
  const before = textOf(data['originalFile'] ?? data['originalFileContents'] ?? data['original_file']) ?? null;
  if (tool === 'NotebookEdit') {
    const after = textOf(data['updated_file']);
    return after === undefined ? undefined : { before, after };
  }
  if (tool === 'Write') {
    const after = textOf(data['content']);
    const isNew = data['type'] === 'create';
    return after === undefined || (before === null && !isNew) ? undefined : { before: isNew ? null : before, after };
  }
  const edits = listOf(data['edits']).map((edit) => fieldsOf(edit));
  const replacements =
    edits.length === 0
      ? [replacementOf(data['oldString'], data['newString'], data['replaceAll'])]
      : edits.map((edit) => replacementOf(edit['old_string'], edit['new_string'], edit['replace_all']));
  const after = replaceAllOf(before, replacements);
  // An edit that looks for nothing makes the file; claude tells its text before as empty then.
  const isNew = (before ?? '') === '' && replacements[0]?.from === '';
  return after === undefined ? undefined : { before: isNew ? null : before, after };
}

function replacementOf(from: unknown, to: unknown, isForAll: unknown): Replacement {
  return { from: textOf(from) ?? '', to: textOf(to) ?? '', isForAll: isForAll === true };
}

/** `undefined` when claude would refuse: a text that is to be replaced is not there, or in several places. */
function replaceAllOf(before: string | null, replacements: readonly Replacement[]): string | undefined {
  let text = before ?? '';
  for (const { from, to, isForAll } of replacements) {
    if (from === '' ? text !== '' : !text.includes(from)) return undefined;
    if (from !== '' && !isForAll && text.indexOf(from) !== text.lastIndexOf(from)) return undefined;
    if (from === '') text = to;
    else text = isForAll ? text.replaceAll(from, () => to) : text.replace(from, () => to);
  }
  return text;
}

function hunkText(hunk: Fields): string {
  const range = (start: string, lines: string) => {
    const count = numberOf(hunk[lines]) ?? 0;
    return `${(numberOf(hunk[start]) ?? 1) - (count === 0 ? 1 : 0)}${count === 1 ? '' : `,${count}`}`;
  };
  const lines = listOf(hunk['lines']).map((line) => `${String(line)}\n`);
  return `@@ -${range('oldStart', 'oldLines')} +${range('newStart', 'newLines')} @@\n${lines.join('')}`;
}
