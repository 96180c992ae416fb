// Owns the tap before an agent that is started and spoken to on stdio: a program that is the agent, for whoever starts it.

import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type PieceOfLine, TapNotes } from '../tap-notes.ts';

const tap = fileURLToPath(new URL('../stdio-tap.ts', import.meta.url));

export interface StdioTap {
  /** To be started instead of the agent. */
  command: string;
  /** Everything that was started has ended. */
  end(): TapNotes;
}

export function makeStdioTap(command: string, pieceOf: PieceOfLine): StdioTap {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-bench-tap-'));
  const notes = join(folder, 'notes');
  mkdirSync(notes, { mode: 0o700 });
  const file = join(folder, 'agent');
  writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${tap}' '${notes}' '${command}' "$@"\n`);
  chmodSync(file, 0o700);
  return {
    command: file,
    end() {
      try {
        return new TapNotes(notes, pieceOf);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  };
}
