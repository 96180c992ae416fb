// `heddle pair`: opens the pairing window and shows what a phone needs, as a QR code and as text. Without a daemon it
// only shows.

import { MAX_PAIRING_DEVICES, MAX_PAIRING_MINUTES } from '@heddle/control/protocol';
import { encodePairPayload } from '@heddle/wire';
import { Command, InvalidArgumentError } from 'commander';
import { askDaemonIfRunning } from '../ask-daemon.ts';
import type { CliContext } from '../context.ts';
import { describeWindow } from '../describe-window.ts';
import { readPairPayload } from '../file-answers.ts';
import { showPairing, showQr } from '../show-pairing.ts';

interface PairOptions {
  qr?: true;
  json?: true;
  minutes?: number;
  devices?: number;
}

export function pairCommand(context: CliContext): Command {
  return new Command('pair')
    .description('let a new phone pair for some minutes, and show the code for it')
    .option('--qr', 'print the QR code only')
    .option('--json', 'print the payload only, as JSON')
    .option('--minutes <n>', 'how long new devices may pair (default: 10)', countUpTo(MAX_PAIRING_MINUTES))
    .option('--devices <n>', 'how many (default: 1)', countUpTo(MAX_PAIRING_DEVICES))
    .addHelpText(
      'after',
      `
On a terminal the code and the text are shown; into a pipe goes the text alone.
Whoever uses either while the window is open controls the agents on this computer: don't post it. Devices that are
paired already need no window. \`heddle rotate\` makes the code worthless.`,
    )
    .action(async (options: PairOptions, command: Command) => {
      if (options.qr && options.json) command.error('error: --qr and --json exclude each other');
      const answer = await askDaemonIfRunning(context, 'pair', { minutes: options.minutes, devices: options.devices });
      const payload = answer?.payload ?? (await readPairPayload(context.paths));
      const window = answer === undefined ? undefined : { untilMs: answer.window.until_ms, devices: answer.window.devices };
      if (options.json) context.print(JSON.stringify(payload));
      else if (options.qr) showQr(context, payload);
      else if (context.stdout.isTTY) showPairing(context, payload, window);
      else context.print(encodePairPayload(payload));
      if (window === undefined) {
        context.note(
          'the daemon is not running, so no phone can connect yet',
          'Start it with `heddle serve`, then run `heddle pair` again.',
        );
      } else if (options.qr || options.json || !context.stdout.isTTY) {
        context.note(`the pairing window is ${describeWindow(window, Date.now())}`);
      }
    });
}

function countUpTo(max: number): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (Number.isInteger(count) && count >= 1 && count <= max) return count;
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${max}.`);
  };
}
