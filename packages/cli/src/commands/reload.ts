// `heddle reload`: the daemon reads host.toml again and says what it could take over.

import { Command } from 'commander';
import { askDaemon } from '../ask-daemon.ts';
import type { CliContext } from '../context.ts';

export function reloadCommand(context: CliContext): Command {
  return new Command('reload')
    .description('make the daemon read host.toml again; says what needs a restart')
    .option('--json', 'print JSON')
    .action(async (options: { json?: true }) => {
      const { applied, needs_restart, warnings } = await askDaemon(context, 'reload', {});
      if (options.json) {
        context.print(JSON.stringify({ applied, needs_restart, warnings }));
        return;
      }
      const { paintStdout: paint } = context;
      const lines = [
        ...applied.map((key) => `${paint('green', '✓')} ${key} holds now`),
        ...needs_restart.map(
          (key) => `${paint('yellow', '!')} ${key} has changed and needs a restart: \`heddle stop\`, then \`heddle serve\``,
        ),
        ...warnings.map((warning) => `${paint('yellow', 'warning:')} ${warning}`),
      ];
      context.print(lines.length === 0 ? 'Nothing has changed.' : lines.join('\n'));
    });
}
