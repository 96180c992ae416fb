// What taps note: the bytes that left an agent, with the time of each chunk. A tap has other things to do than to
// understand them, so they are taken apart when all is over, and an answer is found by its words.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import type { TimedText } from './timed-text.ts';

/** A piece of an answer that a line of the agent's carries, if it does; `of` tells apart what is said at the same time. */
export type PieceOfLine = (line: string) => { of: string; text: string } | undefined;

export interface NotedChunk {
  atMs: number;
  bytes: Buffer;
}

/** @param name of this flow of bytes, in that folder */
export function writeNotes(folder: string, name: string, chunks: readonly NotedChunk[]): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const notes = chunks.map(({ atMs, bytes }) => ({ atMs, base64: bytes.toString('base64') }));
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(notes), { mode: 0o600 });
}

export class TapNotes {
  readonly #said: TimedText[][] = [];

  constructor(folder: string, pieceOf: PieceOfLine) {
    for (const name of readdirSync(folder)) {
      const notes = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { atMs: number; base64: string }[];
      const chunks = notes.map(({ atMs, base64 }) => ({ atMs, bytes: Buffer.from(base64, 'base64') }));
      this.#said.push(...piecesOf(chunks, pieceOf).values());
    }
  }

  /** The pieces of an answer as they left the agent. @throws Error when no such words did. */
  whenLeft(answer: readonly TimedText[]): TimedText[] {
    const words = answer.map(({ text }) => text).join('');
    for (const pieces of this.#said) {
      const beginning = pieces
        .map(({ text }) => text)
        .join('')
        .indexOf(words);
      if (words !== '' && beginning !== -1) return within(pieces, beginning, beginning + words.length);
    }
    throw new Error(`an answer of ${words.length} characters came that no tap has seen`);
  }
}

function piecesOf(chunks: readonly NotedChunk[], pieceOf: PieceOfLine): Map<string, TimedText[]> {
  const pieces = new Map<string, TimedText[]>();
  const decoder = new StringDecoder('utf8');
  let unfinished = '';
  for (const { atMs, bytes } of chunks) {
    const lines = (unfinished + decoder.write(bytes)).split('\n');
    unfinished = lines.pop() ?? '';
    for (const line of lines) {
      const piece = pieceOf(line);
      if (piece === undefined) continue;
      const said = pieces.get(piece.of);
      if (said === undefined) pieces.set(piece.of, [{ atMs, text: piece.text }]);
      else said.push({ atMs, text: piece.text });
    }
  }
  return pieces;
}

function within(pieces: readonly TimedText[], from: number, to: number): TimedText[] {
  let at = 0;
  return pieces.filter(({ text }) => {
    at += text.length;
    return at > from && at <= to;
  });
}
