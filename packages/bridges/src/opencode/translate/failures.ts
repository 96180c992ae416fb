// Owns what opencode's failures are called on the wire. Source: opencode 1.18.33, measured, and the errors it declares.

import type { TurnOutcome } from '@heddle/bridge-kit';
import type { CodexErrorInfo, TurnError } from '@heddle/wire';
import type { NativeError } from '../native-message.ts';

/** Stopped by somebody: no failure. */
const ABORTED = 'MessageAbortedError';

const infoByName: Readonly<Record<string, CodexErrorInfo>> = {
  ProviderAuthError: 'unauthorized',
  ContextOverflowError: 'contextWindowExceeded',
};

export function outcomeOf(error: NativeError | undefined): TurnOutcome {
  if (error === undefined) return { status: 'completed' };
  return error.name === ABORTED ? { status: 'interrupted' } : { status: 'failed', error: failureOf(error) };
}

function failureOf(error: NativeError): TurnError {
  const message = error.message === '' ? `opencode says ${error.name} and no more` : error.message;
  return { message, codexErrorInfo: infoOf(error), additionalDetails: null };
}

/** What went wrong, as long as opencode tries again. */
export function retryOf(attempt: number, message: string): TurnError {
  return { message: `${message} (attempt ${attempt} has failed; opencode tries again)`, codexErrorInfo: 'other', additionalDetails: null };
}

function infoOf({ name, message, status, isRetryable }: NativeError): CodexErrorInfo {
  if (status !== undefined) return infoOfStatus(status);
  if (name === 'APIError') return isRetryable ? { httpConnectionFailed: { httpStatusCode: null } } : 'other';
  if (name === 'UnknownError' && /^(?:\w+Error: )?Model not found/.test(message)) return 'badRequest';
  return Object.hasOwn(infoByName, name) ? (infoByName[name] ?? 'other') : 'other';
}

function infoOfStatus(status: number): CodexErrorInfo {
  if (status === 401 || status === 403) return 'unauthorized';
  if (status === 429) return 'usageLimitExceeded';
  if (status === 529) return 'serverOverloaded';
  if (status >= 500) return 'internalServerError';
  return status >= 400 ? 'badRequest' : 'other';
}
