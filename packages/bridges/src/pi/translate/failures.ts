// Owns what pi's failures are called on the wire. pi tells a line of text, in whatever words the provider's library has
// for it; a status stands in front where there was an answer. Source: pi 0.73.1 and 0.87.1, measured.

import { fieldsOf, textOf } from '@heddle/bridge-kit';
import type { CodexErrorInfo, TurnError } from '@heddle/wire';

const overflow = /prompt is too long|input is too long|context[ _]?(?:length|window)|maximum context|too many tokens|context overflow/i;
const noConnection = /connection|fetch failed|socket|network|ECONN|ENOTFOUND|ETIMEDOUT|timed? ?out|terminated|stream (?:ended|closed)/i;
const aborted = /^(?:Request was aborted|This operation was aborted|The operation was aborted|Operation aborted)/i;

export function failureOf(errorMessage: string): TurnError {
  const { status, text } = taken(errorMessage);
  return { message: text === '' ? 'pi gave no reason' : text, codexErrorInfo: infoOf(status, text), additionalDetails: null };
}

/** After an abort 0.87 may call the answer failed. */
export function isAbort(errorMessage: string | null): boolean {
  return errorMessage !== null && aborted.test(errorMessage);
}

/** `500: {"message":"…"}` as a line for people. */
function taken(errorMessage: string): { status: number | undefined; text: string } {
  const [, digits, rest = ''] = /^(\d{3})\b:?\s*([^]*)$/.exec(errorMessage) ?? [];
  if (digits === undefined) return { status: undefined, text: errorMessage.trim() };
  const body = parsed(rest);
  const said = textOf(body['message']) ?? textOf(fieldsOf(body['error'])['message']) ?? rest.trim();
  return { status: Number(digits), text: `${digits} ${said}`.trim() };
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    return fieldsOf(JSON.parse(text));
  } catch {
    return {};
  }
}

function infoOf(status: number | undefined, text: string): CodexErrorInfo {
  if (overflow.test(text)) return 'contextWindowExceeded';
  if (status === undefined) return noConnection.test(text) ? { httpConnectionFailed: { httpStatusCode: null } } : 'other';
  if (status === 401 || status === 403) return 'unauthorized';
  if (status === 429) return 'usageLimitExceeded';
  if (status === 529 || /overloaded/i.test(text)) return 'serverOverloaded';
  if (status >= 500) return 'internalServerError';
  return status >= 400 ? 'badRequest' : 'other';
}
