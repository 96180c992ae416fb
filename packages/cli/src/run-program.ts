// Owns one run of the command line, from its words to an exit code. It never ends the process: tests run it too.

import { asError, HeddleError } from '@heddle/wire';
import { CommanderError } from 'commander';
import { type CliContext, type CliIo, createContext } from './context.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { buildProgram } from './program.ts';
import { describeError } from './describe-error.ts';

/**
 * Runs one command. Whatever goes wrong is told on stderr.
 * @param argv the words after the program's name
 * @returns the exit code
 */
export async function runProgram(argv: readonly string[], io: CliIo): Promise<number> {
  const context = createContext(io);
  try {
    await buildProgram(context).parseAsync(argv, { from: 'user' });
    return context.exitCode;
  } catch (caught) {
    if (caught instanceof CommanderError) return endOfParsing(caught, context, argv);
    report(asError(caught), context, argv);
    return exitCodeOf(caught);
  }
}

/** Commander throws for `--help` and `--version` too. */
function endOfParsing(error: CommanderError, context: CliContext, argv: readonly string[]): number {
  if (error.exitCode === 0) return 0;
  if (error.code === 'commander.help') return exitCodes.usage; // no command was named: the help has been shown
  // The message is `error: …` with perhaps a suggestion on a second line.
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const commandNames = argv.filter((word) => /^[a-z]+$/.test(word)).slice(0, 1);
  const hint = suggestion?.replace(/^\((.*)\)$/, '$1') ?? `See \`${['heddle', ...commandNames, '--help'].join(' ')}\`.`;
  report(new HeddleError('usage', message, { hint }), context, argv);
  return exitCodes.usage;
}

function report(error: Error, context: CliContext, argv: readonly string[]): void {
  context.stderr.write(describeError(error, { asJson: argv.includes('--json'), paint: context.paintStderr }));
}
