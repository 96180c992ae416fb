// Owns the daemon's log: JSON lines in daily files, and short lines at a terminal. Every line goes through the
// redactor here, so nobody who logs has to think of it.

import type { Log, LogFields } from '@heddle/rpc';
import { asError, HeddleError } from '@heddle/wire';
import { pino } from 'pino';
import { DailyFile } from './log-files.ts';
import { isAtLeast, type LogLevel, logLevels } from './log-level.ts';
import { toLogRecord } from './log-record.ts';
import { terminalLine } from './log-terminal.ts';
import { ensurePrivateDir } from './private-dir.ts';
import { Redactor } from './redactor.ts';

export interface LogOptions {
  dir: string;
  level: LogLevel;
  /** Replaced wherever they appear, whatever the spelling. */
  secrets: readonly string[];
  /** From which level on lines are also said on standard error, for a person; never when absent. */
  stderr?: LogLevel | undefined;
  now?: () => Date;
}

export interface HostLog {
  log: Log;
  setLevel(level: LogLevel): void;
  /** Replaced from now on; what was written before stays. */
  addSecret(text: string): void;
  /** What is logged afterwards goes to the terminal only. */
  close(): Promise<void>;
}

/**
 * Opens today's file (`heddle.YYYY-MM-DD.log`, 0600) and removes those older than 14 days. A line is
 * `{level, time, scope?, …fields, msg}`; `scope` of a scope is `outer.inner`.
 * @throws HeddleError `state_unreadable` when nothing can be written there.
 */
export async function openLog(options: LogOptions): Promise<HostLog> {
  const { dir, stderr, now = () => new Date() } = options;
  const redactor = new Redactor();
  for (const secret of options.secrets) redactor.add(secret);
  await ensurePrivateDir(dir);
  const file = openFile(dir, now);
  let isTerminalOpen = stderr !== undefined;
  // `heddle serve 2>&1 | head` closes it early; without a listener that would end the process.
  const closeTerminal = () => {
    isTerminalOpen = false;
  };
  process.stderr.on('error', closeTerminal);
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${now().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      // pino would make its own form of anything under this name that has a message; fields are plain already.
      serializers: { err: (value: unknown) => value },
    },
    { write: (line) => file.write(line) },
  );

  const say = (level: LogLevel, scope: string | undefined, message: string, fields: LogFields) => {
    if (!logger.isLevelEnabled(level)) return;
    const record = toLogRecord(fields, redactor);
    const text = redactor.text(message);
    const from = scope === undefined ? undefined : redactor.text(scope);
    logger[level]({ ...(from === undefined ? {} : { scope: from }), ...record }, text);
    if (isTerminalOpen && stderr !== undefined && isAtLeast(level, stderr))
      process.stderr.write(terminalLine({ time: now(), level, scope: from, message: text, record }));
  };
  return {
    log: scopedLog(say, undefined),
    setLevel(level) {
      logger.level = level;
    },
    addSecret: (text) => redactor.add(text),
    async close() {
      file.close();
      process.stderr.off('error', closeTerminal);
    },
  };
}

type Say = (level: LogLevel, scope: string | undefined, message: string, fields: LogFields) => void;

function scopedLog(say: Say, scope: string | undefined): Log {
  const methods = Object.fromEntries(
    logLevels.map((level) => [level, (message: string, fields: LogFields = {}) => say(level, scope, message, fields)]),
  ) as Pick<Log, LogLevel>;
  return { ...methods, scope: (name) => scopedLog(say, scope === undefined ? name : `${scope}.${name}`) };
}

function openFile(dir: string, now: () => Date): DailyFile {
  const hint = `Look at the free space and at who owns the files in ${dir}.`;
  try {
    return new DailyFile({
      dir,
      now,
      // The one place left to say it: the log itself is what fails.
      onFailure: (error) => process.stderr.write(`heddle: can't write the log in ${dir}: ${error.message}. ${hint}\n`),
    });
  } catch (caught) {
    const cause = asError(caught);
    throw new HeddleError('state_unreadable', `can't write the log in ${dir}: ${cause.message}`, { cause, hint });
  }
}
