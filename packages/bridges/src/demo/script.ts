// Owns what the demo understands: a message becomes a list of steps. It does nothing and says nothing itself.

/** One thing to do. What is absent the demo fills in. */
export type Step =
  | { kind: 'text'; text?: string }
  | { kind: 'reason' }
  | { kind: 'plan' }
  | { kind: 'command'; command?: string }
  | { kind: 'file' }
  | { kind: 'slow'; words: number }
  | { kind: 'fail' };

export type Script = { kind: 'tour' } | { kind: 'steps'; steps: Step[] };

/** More steps than this in one message are left out. */
export const MAX_STEPS = 20;
const DEFAULT_SLOW_WORDS = 20;
const MAX_SLOW_WORDS = 1_000;

const withArgument = /^(text|command):\s*(.+)$/is;
const bareWord = /(?:^|[\s,]+)(text|reason|plan|command|file|fail|slow(?:\s+\d+)?)(?=$|[\s,])/iy;

/**
 * Reads a message line by line. A line is `text: WORDS`, `command: SHELL TEXT`, or one or more of the words
 * `text reason plan command file slow fail` with spaces or commas between, `slow` with a count of words behind it if
 * you like (`slow 40`). Lines of another form are not for the demo; with no other kind of line it gives the tour.
 */
export function readScript(message: string): Script {
  const steps = message.split('\n').flatMap((line) => readLine(line.trim()));
  return steps.length === 0 ? { kind: 'tour' } : { kind: 'steps', steps: steps.slice(0, MAX_STEPS) };
}

function readLine(line: string): Step[] {
  const [, keyword, argument] = withArgument.exec(line) ?? [];
  if (keyword !== undefined && argument !== undefined) {
    return [keyword.toLowerCase() === 'text' ? { kind: 'text', text: argument } : { kind: 'command', command: argument }];
  }
  const steps: Step[] = [];
  bareWord.lastIndex = 0;
  while (bareWord.lastIndex < line.length) {
    const word = bareWord.exec(line)?.[1]?.toLowerCase();
    if (word === undefined) return []; // something else stands between the words: the line is prose
    steps.push(bareStep(word));
  }
  return steps;
}

function bareStep(word: string): Step {
  const [kind, count] = word.split(/\s+/);
  if (kind === 'slow') return { kind, words: Math.min(Number(count ?? DEFAULT_SLOW_WORDS), MAX_SLOW_WORDS) };
  return { kind: kind as Exclude<Step['kind'], 'slow'> };
}
