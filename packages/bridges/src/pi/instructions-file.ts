// Owns the file with a client's instructions for pi's system prompt: pi takes them as an argument or from a file, and
// arguments can be read by everybody on the computer.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ThreadId } from '@heddle/wire';

/** Writes the file; it goes with the process that it is for. @returns nothing when there are no instructions */
export async function writeInstructions(
  runtimeDir: string,
  threadId: ThreadId,
  instructions: string | undefined,
): Promise<{ instructionsFile?: string; files?: readonly string[] }> {
  if (instructions === undefined || instructions.trim() === '') return {};
  const name = `pi-${threadId}.md`;
  const instructionsFile = join(runtimeDir, name);
  await writeFile(instructionsFile, instructions, { mode: 0o600 });
  return { instructionsFile, files: [name] };
}
