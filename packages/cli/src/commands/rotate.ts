// `heddle rotate`: a new token. With a daemon it ends every phone's session at once; without one it edits the file.

import { loadConfig, replaceToken } from '@heddle/host';
import { Command } from 'commander';
import { askDaemonIfRunning } from '../ask-daemon.ts';
import type { CliContext } from '../context.ts';

export function rotateCommand(context: CliContext): Command {
  return new Command('rotate')
    .description('replace the token: every phone is cut off and has to pair again')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Do this when somebody may have seen the code or the text of \`heddle pair\`, or when a phone is lost. All devices are
forgotten; this computer keeps its peer id.`,
    )
    .action(async (options: { json?: true }) => {
      const answer = await askDaemonIfRunning(context, 'rotate', {});
      if (answer === undefined) {
        await loadConfig(context.paths.configFile); // makes a missing one, and tells what is wrong in a wrong one
        await replaceToken(context.paths.configFile);
      }
      if (options.json) {
        context.print(JSON.stringify({ running: answer !== undefined, ended_sessions: answer?.ended_sessions ?? 0 }));
        return;
      }
      const ended = answer?.ended_sessions ?? 0;
      const sessions = ended === 0 ? '' : `; ${ended === 1 ? 'one session was' : `${ended} sessions were`} ended`;
      context.print(`The token was replaced${sessions}. All phones have to pair again: \`heddle pair\` shows the new code.`);
    });
}
