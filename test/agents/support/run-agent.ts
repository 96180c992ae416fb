// Owns one run of an agent's own command line that answers one prompt and ends. It keeps all that was printed.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

export interface AgentRun {
  command: string;
  args: string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  stdin: string;
}

// oxlint-disable-next-line typescript/no-explicit-any -- the agents' own lines, as they come
type Line = any;

/** @returns what it printed, which must be JSON lines. */
export async function runAgent({ command, args, cwd, env, stdin }: AgentRun): Promise<{ code: number | null; lines: Line[] }> {
  const child = spawn(command, args, { cwd, env, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  child.stdin.end(stdin);
  const printed = await text(child.stdout);
  const [code] = await ended;
  const lines = printed.split('\n').filter((line) => line !== '');
  return { code, lines: lines.map((line): Line => JSON.parse(line)) };
}
