// Owns how an error looks on stderr: for people what was wrong and what to do, for programs a JSON object.

import { HeddleError } from '@heddle/wire';
import type { Paint } from './paint.ts';
import { printable } from './printable.ts';

/** The text of an error, with its line end. An error that is no HeddleError is a bug of ours: its stack is shown. */
export function describeError(error: Error, options: { asJson: boolean; paint: Paint }): string {
  const code = error instanceof HeddleError ? error.code : 'internal';
  const hint = error instanceof HeddleError ? error.hint : undefined;
  if (options.asJson) return `${JSON.stringify({ error: { code, message: error.message, ...(hint === undefined ? {} : { hint }) } })}\n`;
  if (!(error instanceof HeddleError)) {
    const where = error.stack?.split('\n').slice(1).join('\n') ?? '';
    return `${options.paint('red', 'heddle:')} ${error.message}\n  This is a bug in heddle; please report it with these lines:\n${where}\n`;
  }
  const message = `${options.paint('red', 'heddle:')} ${indent(error.message, '  ')}\n`;
  return hint === undefined ? message : `${message}  hint: ${indent(hint, '        ')}\n`;
}

function indent(text: string, by: string): string {
  return printable(text).replaceAll('\n', `\n${by}`); // it may come from another computer
}
