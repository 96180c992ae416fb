// Owns the sentence about an agent's process that has ended.

import { HeddleError } from '@heddle/wire';
import type { Exit } from './child-process.ts';

/** Lines of stderr that go into an error. */
const REASON_LINES = 3;
/** A line may be anything, such as a whole minified program. */
const MAX_REASON_CHARACTERS = 1_000;

/**
 * How an agent's process ended, with the last lines of what it wrote to stderr.
 * @param agent its name for people: `codex app-server`
 */
export function explainExit(agent: string, exit: Exit): HeddleError {
  const how = exit.signal ?? `exit code ${exit.code}`;
  const said = plainLines(exit.stderrTail).slice(-REASON_LINES).join(' ').slice(-MAX_REASON_CHARACTERS);
  return new HeddleError('agent_exited', `${agent} ended (${how}): ${said || 'it said nothing'}`, {
    hint: `Try \`${agent}\` in a terminal; \`heddle logs\` has more.`,
  });
}

function plainLines(text: string): string[] {
  // oxlint-disable-next-line no-control-regex -- terminal colours begin with the escape character
  const withoutColours = text.replace(/\x1b\[[0-9;]*m/g, '');
  return withoutColours.split('\n').filter((line) => line.trim() !== '');
}
