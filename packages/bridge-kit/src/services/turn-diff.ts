// Owns what a turn has done to files, as one git diff: what each held before the turn first changed it, and what it
// holds now. Files are told in the order of their paths, as codex 0.169 does it.

import { createHash } from 'node:crypto';
import { isAbsolute, relative, sep } from 'node:path';
import { updateHunks } from './update-hunks.ts';

/** A larger file is only named: its lines help nobody on a phone. */
const MAX_FILE_BYTES = 1024 * 1024;
/** The diff is told again and again; files that do not fit any more are only named. */
const MAX_DIFF_BYTES = 2 * 1024 * 1024;
const NO_BLOB = '0'.repeat(40);

/** What a file held; `text` is kept only where lines can be compared. `null`: it was not there. */
type Content = { blob: string; bytes: number; text: string | undefined; isBinary: boolean } | null;

interface FileChange {
  before: Content;
  after: Content;
  patch: string;
}

export class TurnDiff {
  readonly #root: string;
  readonly #changes = new Map<string, FileChange>();

  /** @param root absolute: what lies in it is named from there, everything else by its whole path. */
  constructor(root: string) {
    this.#root = root;
  }

  /** A file was written, made (`before` is null) or removed (`after` is null). Only the first `before` counts. */
  noteChange(absolutePath: string, before: string | null, after: string | null): void {
    const known = this.#changes.get(absolutePath);
    const first = known === undefined ? contentOf(before) : known.before;
    const last = contentOf(after);
    const name = this.#nameOf(absolutePath);
    if (first?.blob === last?.blob) this.#changes.set(absolutePath, { before: first, after: last, patch: '' });
    else this.#changes.set(absolutePath, { before: first, after: last, patch: filePatch(name, first, last) });
  }

  /** The diff of everything so far; empty when all is as it was. */
  toString(): string {
    let diff = '';
    let bytes = 0;
    for (const [path, { before, after, patch }] of [...this.#changes].toSorted(([left], [right]) => (left < right ? -1 : 1))) {
      const patchBytes = Buffer.byteLength(patch);
      bytes += patchBytes;
      diff += bytes <= MAX_DIFF_BYTES || patch === '' ? patch : header(this.#nameOf(path), before, after) + leftOut(before, after);
    }
    return diff;
  }

  #nameOf(path: string): string {
    const inside = relative(this.#root, path);
    const isOutside = inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside);
    const name = isOutside ? path : inside;
    return sep === '/' ? name : name.replaceAll(sep, '/');
  }
}

function contentOf(text: string | null): Content {
  if (text === null) return null;
  const bytes = Buffer.byteLength(text);
  const isBinary = text.includes('\0');
  return { blob: blobHash(text, bytes), bytes, isBinary, text: isBinary || bytes > MAX_FILE_BYTES ? undefined : text };
}

function filePatch(name: string, before: Content, after: Content): string {
  const head = header(name, before, after);
  if (before?.isBinary === true || after?.isBinary === true) {
    return `${head}Binary files ${sideName('a', name, before)} and ${sideName('b', name, after)} differ\n`;
  }
  const [old, next] = [before === null ? '' : before.text, after === null ? '' : after.text];
  if (old === undefined || next === undefined) return head + leftOut(before, after);
  const names = `--- ${sideName('a', name, before)}\n+++ ${sideName('b', name, after)}\n`;
  const hunks = updateHunks(old, next);
  return hunks === '' ? head : head + names + hunks; // an empty file has no hunks
}

function header(name: string, before: Content, after: Content): string {
  const mode = before === null ? 'new file mode 100644\n' : after === null ? 'deleted file mode 100644\n' : '';
  return `diff --git ${quoted(`a/${name}`)} ${quoted(`b/${name}`)}\n${mode}index ${before?.blob ?? NO_BLOB}..${after?.blob ?? NO_BLOB}\n`;
}

function sideName(side: 'a' | 'b', name: string, content: Content): string {
  return content === null ? '/dev/null' : quoted(`${side}/${name}`);
}

/** As git does it, for names that would end a line or a quotation. */
function quoted(name: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  const special = /[\u0000-\u001f\u007f"\\]/g;
  if (name.search(special) < 0) return name;
  const octal = (character: string) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`;
  return `"${name.replaceAll(special, (character) => (character === '"' || character === '\\' ? `\\${character}` : octal(character)))}"`;
}

/** No hunk and nothing that looks like one: readers of git diffs pass over it. */
function leftOut(before: Content, after: Content): string {
  return `The lines are left out: the file has ${after?.bytes ?? 0} bytes now and had ${before?.bytes ?? 0}.\n`;
}

/** git's id of a file's content: SHA-1 over a header and the bytes. */
function blobHash(text: string, bytes: number): string {
  return createHash('sha1').update(`blob ${bytes}\0`).update(text).digest('hex');
}
