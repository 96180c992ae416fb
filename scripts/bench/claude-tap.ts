// Stands between claude and whoever starts it, and notes when each piece of text leaves claude's stdout, just before it
// is passed on. The times are of the system's monotonic clock, the same in every process of this computer.
// Arguments: the claude to start, the folder for the notes, claude's own arguments.

import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { monotonicMs, textOfLine, type TimedText } from './timed-text.ts';

const [command = '', folder = '', ...args] = process.argv.slice(2);
const sessionAt = args.indexOf('--session-id') + 1;
const sessionId = sessionAt === 0 ? undefined : args[sessionAt];
const claude = spawn(command, args, { stdio: ['inherit', sessionId === undefined ? 'inherit' : 'pipe', 'inherit'] });
claude.once('exit', (code, signal) => (process.exitCode = code ?? (signal === null ? 0 : 1)));

let chunks: { atMs: number; bytes: Buffer }[] = [];
claude.stdout?.on('data', (bytes: Buffer) => {
  chunks.push({ atMs: monotonicMs(), bytes });
  process.stdout.write(bytes);
  if (bytes.includes('"type":"result"')) noteAll();
});

/** After the turn, when nobody's time is measured: a line with its pieces. */
function noteAll(): void {
  const texts: TimedText[] = [];
  let unfinished = '';
  for (const { atMs, bytes } of chunks) {
    const lines = (unfinished + bytes.toString('utf8')).split('\n');
    unfinished = lines.pop() ?? '';
    for (const line of lines) {
      const text = textOfLine(line);
      if (text !== undefined) texts.push({ atMs, text });
    }
  }
  chunks = [];
  appendFileSync(join(folder, `${sessionId}.jsonl`), `${JSON.stringify(texts)}\n`, { mode: 0o600 });
}
