// Owns the contract of a logger, so that no room needs the host's to say something.

/** Structured facts beside the message. Never a token, never the text of a conversation. */
export type LogFields = Record<string, unknown>;

export interface Log {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger whose lines say which part they come from. */
  scope(name: string): Log;
}

const nothing = () => {};
/** Says nothing. */
export const silentLog: Log = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing, scope: () => silentLog };
