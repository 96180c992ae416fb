// `heddle agents list`: the agents as a phone sees them, with what is missing where one can't be used.

import { Command } from 'commander';
import { askDaemon } from '../ask-daemon.ts';
import type { CliContext } from '../context.ts';
import { renderAgents } from '../render-agents.ts';

export function agentsCommand(context: CliContext): Command {
  const list = new Command('list')
    .description("list the agents of this computer, and what is missing where one can't be used")
    .option('--json', 'print JSON')
    .action(async (options: { json?: true }) => {
      const { agents } = await askDaemon(context, 'agents', {});
      if (options.json) context.print(JSON.stringify({ agents }, null, 2));
      else if (agents.length === 0) context.print('No agent is switched on. See [agents] in host.toml.');
      else context.print(renderAgents(agents, context.paintStdout).join('\n'));
    });
  return new Command('agents').description('see the agents of this computer').helpCommand(false).addCommand(list);
}
