// Stands between an agent and whoever starts it, and notes when each chunk leaves the agent's stdout, just before it is
// passed on. It writes its notes when the agent has ended, and nobody's time is measured any more.
// Arguments: the folder for the notes, the agent to start, the agent's own arguments.

import { spawn } from 'node:child_process';
import { type NotedChunk, writeNotes } from './tap-notes.ts';
import { monotonicMs } from './timed-text.ts';

const [folder = '', command = '', ...args] = process.argv.slice(2);
const agent = spawn(command, args, { stdio: ['inherit', 'pipe', 'inherit'] });
const chunks: NotedChunk[] = [];
agent.stdout.on('data', (bytes: Buffer) => {
  chunks.push({ atMs: monotonicMs(), bytes });
  process.stdout.write(bytes);
});
// The agent is in the same group and gets the signal too; its end is ours.
process.on('SIGTERM', () => {});
agent.once('close', (code, signal) => {
  writeNotes(folder, String(process.pid), chunks);
  process.exitCode = code ?? (signal === null ? 0 : 1);
});
