// claude by itself, as a program meets it that starts `claude -p` and reads what it prints. What heddle adds is measured
// against this.

import { spawn } from 'node:child_process';
import { monotonicMs, textOfLine, type TimedText } from './timed-text.ts';

export interface PlainClaude {
  /** Says something, if it is not among the arguments, and resolves with the answer. Times count from this call on. */
  turn(said?: string): Promise<TimedText[]>;
  /** Resolves when it has ended. */
  end(): Promise<void>;
}

export interface ClaudeSurroundings {
  command: string;
  env: NodeJS.ProcessEnv;
  cwd: string;
}

interface PlainOptions extends ClaudeSurroundings {
  /** Further arguments; what to say may be the last. */
  args: readonly string[];
}

export function startPlainClaude({ command, env, cwd, args }: PlainOptions): PlainClaude {
  const output = ['--output-format', 'stream-json', '--verbose', '--include-partial-messages'];
  const claude = spawn(command, ['-p', ...output, ...args], { env, cwd, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => claude.once('exit', () => resolve()));
  let onLine = (_line: string) => {};
  let unfinished = '';
  claude.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (unfinished + chunk).split('\n');
    unfinished = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
  return {
    turn(said) {
      const { promise, resolve, reject } = Promise.withResolvers<TimedText[]>();
      const answer: TimedText[] = [];
      onLine = (line) => {
        const text = textOfLine(line);
        if (text !== undefined) answer.push({ atMs: monotonicMs(), text });
        else if (line.includes('"type":"result"')) resolve(answer);
      };
      void ended.then(() => reject(new Error('claude ended before its answer did')));
      if (said === undefined) claude.stdin.end();
      else claude.stdin.write(`${JSON.stringify({ type: 'user', message: { role: 'user', content: said } })}\n`);
      return promise;
    },
    end() {
      claude.stdin.end();
      return ended;
    },
  };
}
