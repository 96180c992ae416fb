// Owns the words for what is wrong in host.toml: each problem with its line, what was expected and what is there.
// It never shows the value of a secret.

import { HeddleError } from '@heddle/wire';
import type * as z from 'zod';
import { closestName } from './closest-name.ts';
import { allConfigKeys, knownKeys } from './config-schema.ts';
import type { TomlDocument } from './toml-document.ts';

interface Problem {
  line: number;
  text: string;
  hint?: string;
}

const MAX_SHOWN_CHARACTERS = 60;

/** All problems as one error, a line each, in the order of the file. */
export function configError(issues: readonly z.core.$ZodIssue[], document: TomlDocument, file: string): HeddleError {
  const problems = withoutRepetition(issues.flatMap((issue) => describe(issue, document))).toSorted((a, b) => a.line - b.line);
  const hints = problems.filter((problem) => problem.hint !== undefined);
  return new HeddleError('config_invalid', problems.map(({ line, text }) => `${file}:${line}: ${text}`).join('\n'), {
    hint:
      hints.length === 0
        ? 'Correct it, then run the command again. The keys are explained in host.example.toml.'
        : hints.map(({ line, hint }) => (problems.length === 1 ? hint : `line ${line}: ${hint}`)).join('\n'),
  });
}

/** A number that is no safe integer is also over the limit; once is enough. */
function withoutRepetition(problems: Problem[]): Problem[] {
  return problems.filter(({ text }, index) => problems.findIndex((other) => other.text === text) === index);
}

function describe(issue: z.core.$ZodIssue, document: TomlDocument): Problem[] {
  const path = issue.path.filter((key) => typeof key !== 'symbol');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      line: document.lineOf([...path, key]),
      text: `unknown key "${dotted([...path, key])}"`,
      hint: hintForUnknownKey(path, key),
    }));
  }
  const value = document.valueAt(path);
  const line = document.lineOf(path);
  if (value === undefined) return [{ line, text: `"${dotted(path)}" is missing; it must be ${issue.message}`, hint: hintForMissing(path) }];
  const shown = isSecret(path) ? describeSecret(value) : show(value);
  return [{ line, text: `"${dotted(path)}" must be ${issue.message}, but is ${shown}` }];
}

function hintForUnknownKey(path: readonly (string | number)[], key: string): string {
  const known = knownKeys(path) ?? [];
  const meant = closestName(key, known);
  const elsewhere = allConfigKeys().find((name) => name.endsWith(`.${key}`));
  const guess =
    meant !== undefined
      ? `did you mean "${meant}"? `
      : elsewhere !== undefined
        ? `"${key}" belongs under [${elsewhere.slice(0, -key.length - 1)}]. `
        : '';
  return `${guess}Known keys here: ${known.join(', ')}.`;
}

function hintForMissing(path: readonly (string | number)[]): string {
  const table = path.slice(0, -1).join('.');
  const where = table === '' ? 'at the top of the file, above the first [table]' : `under [${table}]`;
  return `Add it ${where}, or move the file away: a new one is made at the next start, and phones pair again.`;
}

/** `endpoint.listen[1]` */
function dotted(path: readonly (string | number)[]): string {
  return path.map((key, depth) => (typeof key === 'number' ? `[${key}]` : depth === 0 ? key : `.${key}`)).join('');
}

/** `api_key_env` holds none, but who gets it wrong has put one there. */
function isSecret(path: readonly (string | number)[]): boolean {
  return path[0] === 'token' || path.at(-1) === 'server_password' || path.at(-1) === 'api_key_env';
}

function describeSecret(value: unknown): string {
  return typeof value === 'string' ? `something else (${value.length} characters, not shown)` : `a ${typeof value} (not shown)`;
}

function show(value: unknown): string {
  if (typeof value === 'number' || value instanceof Date) return value instanceof Date ? 'a date' : String(value);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return 'a table';
  const text = JSON.stringify(value);
  return text.length <= MAX_SHOWN_CHARACTERS ? text : `${text.slice(0, MAX_SHOWN_CHARACTERS)}…`;
}
