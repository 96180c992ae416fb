// `heddle pair`: what a phone needs to pair, as a QR code and as text. It works without a daemon.

import { encodePairPayload } from '@heddle/wire';
import { Command } from 'commander';
import { askDaemonIfRunning } from '../ask-daemon.ts';
import type { CliContext } from '../context.ts';
import { readPairPayload } from '../file-answers.ts';
import { showPairing, showQr } from '../show-pairing.ts';

export function pairCommand(context: CliContext): Command {
  return new Command('pair')
    .description('show the code that pairs a phone with this computer')
    .option('--qr', 'print the QR code only')
    .option('--json', 'print the payload only, as JSON')
    .addHelpText(
      'after',
      `
On a terminal the code and the text are shown; into a pipe goes the text alone.
Whoever has either controls the agents on this computer: don't post it. \`heddle rotate\` makes it worthless.`,
    )
    .action(async (options: { qr?: true; json?: true }, command: Command) => {
      if (options.qr && options.json) command.error('error: --qr and --json exclude each other');
      const answer = await askDaemonIfRunning(context, 'pair', {});
      const payload = answer?.payload ?? (await readPairPayload(context.paths));
      if (options.json) context.print(JSON.stringify(payload));
      else if (options.qr) showQr(context, payload);
      else if (context.stdout.isTTY) showPairing(context, payload);
      else context.print(encodePairPayload(payload));
      if (answer === undefined) context.note('the daemon is not running, so no phone can connect yet', 'Start it with `heddle serve`.');
    });
}
