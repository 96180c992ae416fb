// `heddle stop`: ends the daemon and returns when it has let go of everything.

import { Command } from 'commander';
import { askDaemon } from '../ask-daemon.ts';
import type { CliContext } from '../context.ts';

export function stopCommand(context: CliContext): Command {
  return new Command('stop').description('stop the daemon; returns when it has stopped').action(async () => {
    await askDaemon(context, 'stop', {});
    context.print('heddle has stopped.');
  });
}
