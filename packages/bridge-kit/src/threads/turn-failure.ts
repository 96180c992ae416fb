// Owns the way in which an agent says why its turn failed.

import type { CodexErrorInfo, TurnError } from '@heddle/wire';

/** Thrown by `HubAgent.runTurn`: the turn ends as failed, with this error as clients see it. */
export class TurnFailure extends Error {
  override readonly name = 'TurnFailure';
  readonly error: TurnError;

  /** One that is told already as clients see it. */
  static of({ message, codexErrorInfo, additionalDetails }: TurnError): TurnFailure {
    return new TurnFailure(message, codexErrorInfo as CodexErrorInfo, additionalDetails);
  }

  constructor(message: string, info: CodexErrorInfo, additionalDetails: string | null = null) {
    super(message);
    this.error = { message, codexErrorInfo: info, additionalDetails };
  }
}
