// Owns the guess at what a command line is for, which clients show in its place: only where it is certain. Anything
// with more shell in it than plain words is `unknown`.

import { resolve } from 'node:path';

export type CommandAction =
  | { type: 'read'; command: string; name: string; path: string }
  | { type: 'listFiles'; command: string; path: string | null }
  | { type: 'search'; command: string; query: string | null; path: string | null }
  | { type: 'unknown'; command: string };

/** Plain words only: no operators, expansions, redirections, comments or escapes. */
const plainLine = /^(?:[\w./:=@%+,-]+|'[^']*'|"[^"$`\\!]*"|[ \t])+$/;
const word = /(?:[\w./:=@%+,-]+|'[^']*'|"[^"]*")+/g;

/** @param cwd absolute. */
export function commandActions(command: string, cwd: string): CommandAction[] {
  return [knownAction(command, cwd) ?? { type: 'unknown', command }];
}

function knownAction(command: string, cwd: string): CommandAction | undefined {
  if (!plainLine.test(command)) return undefined;
  const [program, ...rest] = (command.match(word) ?? []).map((text) => text.replaceAll(/'([^']*)'|"([^"]*)"/g, '$1$2'));
  const flags = rest.filter((text) => text.startsWith('-'));
  const operands = rest.filter((text) => !text.startsWith('-'));
  const [first, second] = operands;
  switch (program) {
    case 'cat':
      if (first === undefined || operands.length > 1) return undefined;
      return { type: 'read', command, name: first.slice(first.lastIndexOf('/') + 1), path: resolve(cwd, first) };
    case 'ls':
      return operands.length > 1 ? undefined : { type: 'listFiles', command, path: first ?? null };
    case 'grep':
    case 'rg':
      // A flag may take the next word as its value; only these few are known not to.
      if (first === undefined || operands.length > 2 || flags.some((flag) => !/^-[rRinlcwEF]+$/.test(flag))) return undefined;
      return { type: 'search', command, query: first, path: second ?? null };
    default:
      return undefined;
  }
}
