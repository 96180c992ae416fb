// `heddle serve`: the daemon in the foreground, until Ctrl-C or `heddle stop`.

import type { Daemon } from '@heddle/daemon';
import { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { renderAgents } from '../render-agents.ts';
import { renderFields } from '../render-fields.ts';
import { showPairing } from '../show-pairing.ts';

interface ServeOptions {
  qr: boolean;
  quiet?: true;
  verbose?: true;
}

export function serveCommand(context: CliContext): Command {
  return new Command('serve')
    .description('run the daemon in the foreground, until Ctrl-C')
    .option('--no-qr', 'do not print the QR code')
    .option('--quiet', 'print nothing at the start')
    .option('--verbose', 'write the log to stderr too')
    .addHelpText(
      'after',
      `
The code and the text that pair a phone are printed on a terminal only: what goes into a file or the journal of a
service would be read by others; and while no device is paired only. \`heddle pair\` shows them at any time.`,
    )
    .action(async (options: ServeOptions) => {
      context.surviveBrokenOutput();
      const { startDaemon } = await import('@heddle/daemon'); // loads libp2p, which other commands need not wait for
      const interrupted = context.catchInterrupt();
      const daemon = await startDaemon({ paths: context.paths, version: context.version, stderrLevel: stderrLevel(options) });
      const stop = () => {
        if (options.quiet !== true) context.note('stopping; Ctrl-C again ends it at once');
        void daemon.stop();
      };
      if (interrupted.aborted) stop();
      interrupted.addEventListener('abort', stop, { once: true });
      for (const warning of daemon.warnings) context.note(warning);
      if (options.quiet !== true) await Promise.race([printBanner(context, daemon, options.qr), daemon.stopped]);
      await daemon.stopped;
      if (options.quiet !== true) context.print('heddle has stopped.');
    });
}

async function printBanner(context: CliContext, daemon: Daemon, withQr: boolean): Promise<void> {
  const { paintStdout: paint } = context;
  const payload = daemon.pairPayload();
  const deviceCount = daemon.deviceCount();
  context.print(`${paint('bold', `heddle ${context.version}`)} on ${paint('bold', payload.host_name ?? 'this computer')}\n`);
  const rows = renderFields(
    [
      ['peer id', [daemon.peerId]],
      ['listens on', payload.addrs],
      ['devices', [deviceCount === 0 ? 'none is paired' : `${deviceCount} paired`]],
      ['logs', [context.paths.logDir]],
    ],
    paint,
  );
  context.print(`${rows.join('\n')}\n`);
  if (withQr && context.stdout.isTTY) {
    const window = daemon.openFirstPairing();
    if (window !== undefined) showPairing(context, payload, window);
    else context.print('New devices pair with `heddle pair`.');
    context.print('');
  } else {
    context.print('`heddle pair` shows the code that pairs a phone.\n');
  }
  // Last: agents are looked for in the environment of the login shell, which may take its time to tell it.
  const agents = renderAgents(await daemon.listAgents(), paint);
  const agentRows = renderFields([['agents', agents.length === 0 ? ['none is switched on'] : agents]], paint);
  context.print(`${agentRows.join('\n')}\n`);
  context.print('Ctrl-C stops heddle.');
}

/** A person in front of a terminal wants to hear of trouble; `--verbose` gives all that `host.toml` lets into the log. */
function stderrLevel(options: ServeOptions): 'trace' | 'warn' | undefined {
  if (options.verbose === true) return 'trace';
  return options.quiet === true ? undefined : 'warn';
}
