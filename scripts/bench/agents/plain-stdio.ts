// An agent by itself that speaks lines of JSON on its stdin and stdout, as a program meets it that starts it. What heddle
// adds is measured against this.

import { spawn } from 'node:child_process';
import type { PieceOfLine } from '../tap-notes.ts';
import { monotonicMs, type TimedText } from '../timed-text.ts';

export interface StdioDialect {
  /** For messages: `claude`. */
  name: string;
  pieceOf: PieceOfLine;
  /** Whether the answer ends with this line. */
  isEnd(line: string): boolean;
  /** The line that says something. */
  say(said: string): string;
}

export interface StdioStart {
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  cwd: string;
}

export interface PlainProcess {
  /** Says something, if it is not among the arguments, and resolves with the answer. Times count from this call on. */
  turn(said?: string): Promise<TimedText[]>;
  /** Resolves when it has ended. */
  end(): Promise<void>;
}

export function startPlainProcess({ command, args, env, cwd }: StdioStart, dialect: StdioDialect): PlainProcess {
  const agent = spawn(command, args, { env, cwd, stdio: 'pipe' });
  let complaint = '';
  agent.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(-4096)));
  const ended = new Promise<void>((resolve) => agent.once('exit', () => resolve()));
  let onLine = (_line: string) => {};
  let unfinished = '';
  agent.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (unfinished + chunk).split('\n');
    unfinished = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
  return {
    turn(said) {
      const { promise, resolve, reject } = Promise.withResolvers<TimedText[]>();
      const answer: TimedText[] = [];
      onLine = (line) => {
        const piece = dialect.pieceOf(line);
        if (piece !== undefined) answer.push({ atMs: monotonicMs(), text: piece.text });
        else if (dialect.isEnd(line)) resolve(answer);
      };
      void ended.then(() => reject(new Error(`${dialect.name} ended before its answer did: ${complaint}`)));
      if (said === undefined) agent.stdin.end();
      else agent.stdin.write(`${dialect.say(said)}\n`);
      return promise;
    },
    end() {
      agent.stdin.end();
      return ended;
    },
  };
}
