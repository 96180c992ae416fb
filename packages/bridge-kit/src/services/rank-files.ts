// Owns which files fit a query best. A match in a file's own name is worth more than one in the folders above it. The
// work is done in slices, so that a large repository does not hold up the daemon, and ends when nobody waits for it.

import { setImmediate as nextRound } from 'node:timers/promises';
import type { FuzzyFileMatch } from '@heddle/wire';
import * as fuzzysort from 'fuzzysort';
import type { FoundPath } from './list-files.ts';

/** As many as codex 0.169 answers. */
const MAX_MATCHES = 50;
const SLICE = 1_000;
const SLICE_MS = 8;
/** On the wire a score is a whole number. */
const SCORE_SCALE = 1_000;

interface Match extends FuzzyFileMatch {
  indices: number[];
}

/** The best first; none for an empty query, and none when `signal` aborts before the end. */
export async function rankFiles(query: string, files: readonly FoundPath[], signal: AbortSignal): Promise<FuzzyFileMatch[]> {
  const words = query.split(/\s+/).filter((word) => word !== '');
  if (words.length === 0) return [];
  let best: Match[] = [];
  let sliceEndMs = Date.now() + SLICE_MS;
  for (let at = 0; at < files.length; at += SLICE) {
    if (Date.now() > sliceEndMs) {
      await nextRound();
      sliceEndMs = Date.now() + SLICE_MS;
    }
    if (signal.aborted) return [];
    const candidates = files.slice(at, at + SLICE).filter(({ path }) => words.every((word) => mayMatch(word, path)));
    best = [...best, ...matchesAmong(query, candidates)].toSorted(byScore).slice(0, MAX_MATCHES);
    fuzzysort.cleanup(); // it would keep what it has prepared of each path, which is much more than the path
  }
  return best;
}

function matchesAmong(query: string, candidates: readonly FoundPath[]): Match[] {
  const options = { limit: 0, threshold: 0 };
  const byName = fuzzysort.go(query, candidates, { ...options, key: (file: FoundPath) => nameOf(file.path) });
  const named = new Set(byName.map(({ obj }) => obj));
  const others = candidates.filter((file) => !named.has(file));
  const byPath = fuzzysort.go(query, others, { ...options, limit: MAX_MATCHES, key: 'path' });
  return [
    ...byName.map(({ obj, score, indexes }) => matchOf(obj, 1 + score, indexes, obj.path.length - nameOf(obj.path).length)),
    ...byPath.map(({ obj, score, indexes }) => matchOf(obj, score, indexes, 0)),
  ];
}

function matchOf(file: FoundPath, score: number, indexes: ReadonlyArray<number>, offset: number): Match {
  const { root, path, isDirectory } = file;
  return {
    root,
    path,
    match_type: isDirectory ? 'directory' : 'file',
    file_name: nameOf(path),
    score: Math.round(score * SCORE_SCALE),
    indices: characterIndices(
      path,
      indexes.map((index) => index + offset),
    ),
  };
}

function byScore(left: Match, right: Match): number {
  return right.score - left.score || left.path.length - right.path.length || (left.path < right.path ? -1 : 1);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The wire counts characters, a string counts code units: some characters are two. */
function characterIndices(path: string, units: readonly number[]): number[] {
  const sorted = units.toSorted((left, right) => left - right);
  if (!/[\uDC00-\uDFFF]/.test(path)) return sorted;
  return [...new Set(sorted.map((unit) => unit - (path.slice(0, unit + 1).match(/[\uDC00-\uDFFF]/g)?.length ?? 0)))];
}

/** A quick look before the thorough one: are the word's letters there in their order? Says yes when it can't tell. */
function mayMatch(word: string, path: string): boolean {
  let at = 0;
  for (let index = 0; index < path.length && at < word.length; index += 1) {
    const [wanted, there] = [word.charCodeAt(at), path.charCodeAt(index)];
    if (wanted > 0x7f || there > 0x7f) return true;
    if (foldCase(wanted) === foldCase(there)) at += 1;
  }
  return at === word.length;
}

function foldCase(ascii: number): number {
  return ascii >= 0x41 && ascii <= 0x5a ? ascii + 0x20 : ascii;
}
