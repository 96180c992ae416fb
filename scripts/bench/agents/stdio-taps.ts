// Owns the tap before an agent that is started and spoken to on stdio: a program that is the agent, for whoever starts it.

import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type PieceOfLine, TapNotes } from '../tap-notes.ts';

const tap = fileURLToPath(new URL('../stdio-tap.ts', import.meta.url));

/** @param measure is given what to start instead of the agent; it has ended all of it when it resolves */
export async function withStdioTap<T>(
  { command, pieceOf }: { command: string; pieceOf: PieceOfLine },
  measure: (command: string) => Promise<T>,
): Promise<{ measured: T; notes: TapNotes }> {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-bench-tap-'));
  const notes = join(folder, 'notes');
  mkdirSync(notes, { mode: 0o700 });
  const file = join(folder, 'agent');
  writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${tap}' '${notes}' '${command}' "$@"\n`);
  chmodSync(file, 0o700);
  try {
    const measured = await measure(file);
    return { measured, notes: new TapNotes(notes, pieceOf) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
