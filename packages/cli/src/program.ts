// Owns the tree of commands and the help around it. What a command does is in commands/.

import { Command } from 'commander';
import { agentsCommand } from './commands/agents.ts';
import { attachCommand } from './commands/attach.ts';
import { devicesCommand } from './commands/devices.ts';
import { logsCommand } from './commands/logs.ts';
import { pairCommand } from './commands/pair.ts';
import { probeCommand } from './commands/probe.ts';
import { reloadCommand } from './commands/reload.ts';
import { rotateCommand } from './commands/rotate.ts';
import { serveCommand } from './commands/serve.ts';
import { statusCommand } from './commands/status.ts';
import { stopCommand } from './commands/stop.ts';
import type { CliContext } from './context.ts';
import { exitCodeMeanings, exitCodes } from './exit-codes.ts';

const intro = `Drive the coding agents on this computer from your phone: peer to peer, end-to-end encrypted,
no account, no server in between.`;

export function buildProgram(context: CliContext): Command {
  const program = new Command('heddle')
    .description(intro)
    .version(context.version, '--version', 'print the version')
    .helpOption('--help', 'print help, also behind each command')
    .helpCommand(false)
    .usage('COMMAND [options]')
    .addHelpText('after', footer);
  const groups: [string, ((context: CliContext) => Command)[]][] = [
    ['The daemon:', [serveCommand, statusCommand, reloadCommand, stopCommand, logsCommand]],
    ['Phones:', [pairCommand, devicesCommand, rotateCommand, probeCommand]],
    ['Agents:', [agentsCommand, attachCommand]],
  ];
  for (const [title, commands] of groups) {
    for (const command of commands) program.addCommand(command(context).helpGroup(title));
  }
  // `[options]` behind every name says nothing; the words that must follow do.
  program.configureHelp({ subcommandTerm: (command) => [command.name(), ...wordsBehind(command)].join(' ') });
  prepare(program, context);
  return program;
}

function wordsBehind(command: Command): string[] {
  const own = command.registeredArguments.map((argument) =>
    argument.required ? argument.name().toUpperCase() : `[${argument.name().toUpperCase()}]`,
  );
  return [...own, ...command.commands.map((child) => child.name())];
}

/** Commander ends the process and prints errors by itself unless each command is told otherwise. */
function prepare(command: Command, context: CliContext): void {
  command.exitOverride();
  command.helpOption('--help', 'print this help');
  command.configureOutput({
    writeOut: (text) => void context.stdout.write(text),
    writeErr: (text) => void context.stderr.write(text),
    outputError: () => {}, // told once, by run-program.ts
    getOutHelpWidth: () => Math.min(context.stdout.columns ?? 100, 100),
    getErrHelpWidth: () => 100,
    getOutHasColors: () => false,
  });
  for (const child of command.commands) prepare(child, context);
}

function footer(): string {
  const names = Object.keys(exitCodes) as (keyof typeof exitCodes)[];
  const codes = names.map((name) => `  ${String(exitCodes[name]).padEnd(5)}${exitCodeMeanings[name]}`);
  return `
First steps:
  heddle serve                 start the daemon and show the code that pairs a phone
  heddle probe "say hello"     try it without a phone

Exit codes:
${codes.join('\n')}

Files are in the usual places of this system, or all in the folder that HEDDLE_HOME names.
NO_COLOR switches colours off.`;
}
