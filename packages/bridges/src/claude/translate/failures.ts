// Owns what claude's failures are called on the wire. Source: claude 2.1.197, measured, and the error kinds it declares.

import type { CodexErrorInfo, TurnError } from '@heddle/wire';

/** What claude tells of a failure, in a result, in an error message of a transcript or before it tries again. */
export interface NativeFailure {
  text: string;
  /** HTTP status; `null` when there was no answer, or nobody was asked. */
  status: number | null;
  /** claude's own name: `authentication_failed`, `rate_limit`, … */
  kind: string | null;
  stopReason: string | null;
  terminalReason: string | null;
}

const infoByKind: Readonly<Record<string, CodexErrorInfo>> = {
  authentication_failed: 'unauthorized',
  oauth_org_not_allowed: 'unauthorized',
  billing_error: 'usageLimitExceeded',
  rate_limit: 'usageLimitExceeded',
  overloaded: 'serverOverloaded',
  invalid_request: 'badRequest',
  model_not_found: 'badRequest',
};

export function failureOf(failure: NativeFailure): TurnError {
  return {
    message: failure.text === '' ? 'claude gave no reason' : failure.text,
    codexErrorInfo: infoOf(failure),
    additionalDetails: null,
  };
}

function infoOf({ text, status, kind, stopReason, terminalReason }: NativeFailure): CodexErrorInfo {
  // In a transcript only the text tells.
  if (terminalReason === 'prompt_too_long' || text.startsWith('Prompt is too long')) return 'contextWindowExceeded';
  if (stopReason === 'refusal') return 'other'; // codex's `cyberPolicy` is for one of many reasons; claude does not tell which
  if (status !== null) return infoOfStatus(status);
  if (text.includes('Unable to connect to API')) return { httpConnectionFailed: { httpStatusCode: null } };
  return (kind === null ? undefined : infoByKind[kind]) ?? 'other';
}

function infoOfStatus(status: number): CodexErrorInfo {
  if (status === 401 || status === 403) return 'unauthorized';
  if (status === 429) return 'usageLimitExceeded';
  if (status === 529) return 'serverOverloaded';
  if (status >= 500) return 'internalServerError';
  return status >= 400 ? 'badRequest' : 'other';
}
