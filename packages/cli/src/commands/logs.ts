// `heddle logs`: the daemon's log files, the last lines or as they grow. It asks no daemon.

import { logFiles } from '@heddle/host';
import { Command, InvalidArgumentError } from 'commander';
import type { CliContext } from '../context.ts';
import { followLog } from '../logs/follow-log.ts';
import { dayOfLogLine, formatLogLine } from '../logs/format-log-line.ts';
import { readLastLines } from '../logs/last-lines.ts';

const DEFAULT_LINES = 200;

export function logsCommand(context: CliContext): Command {
  return new Command('logs')
    .description("show the daemon's log; it works without a daemon too")
    .option('-f, --follow', 'go on as the log grows, until Ctrl-C')
    .option('-n, --lines <number>', 'show the last lines, this many', wholeNumber, DEFAULT_LINES)
    .option('--json', 'print the lines as they are, a JSON object each')
    .action(async (options: { follow?: true; lines: number; json?: true }) => {
      const { logDir } = context.paths;
      const show = options.json ? (line: string) => context.print(line) : humanLines(context);
      const decoder = new TextDecoder();
      const { lines, end } = await readLastLines(await logFiles(logDir), options.lines);
      for (const line of lines) show(decoder.decode(line));
      if (end === undefined) context.note(`there is no log yet in ${logDir}`);
      if (!options.follow) return;
      const signal = context.catchInterrupt();
      for await (const line of followLog({ files: () => logFiles(logDir), from: end, signal })) show(decoder.decode(line));
    });
}

/** Times are without a day, so the day is told whenever it changes. */
function humanLines({ print, paintStdout: paint }: CliContext): (line: string) => void {
  let day: string | undefined;
  return (line) => {
    const dayOfLine = dayOfLogLine(line) ?? day;
    if (dayOfLine !== day) print(paint('bold', `── ${dayOfLine} ──`));
    day = dayOfLine;
    print(formatLogLine(line, paint));
  };
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}
