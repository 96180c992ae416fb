// `heddle attach`: this computer's own programs talk to an agent as they would to `codex app-server`.

import { attachThroughControl } from '@heddle/control/client';
import { HeddleError } from '@heddle/wire';
import { Command } from 'commander';
import { attachStdio } from '../attach/attach-stdio.ts';
import { parseListenAddress } from '../attach/listen-address.ts';
import { startWebSocketListener } from '../attach/websocket-listener.ts';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';

export function attachCommand(context: CliContext): Command {
  return new Command('attach')
    .description('give programs made for `codex app-server` a session with any agent')
    .argument('<agent>', 'name of the agent, from `heddle agents list`')
    .option('--stdio', 'JSON lines on stdin and stdout; the end of stdin ends the session')
    .option('--listen <url>', 'listen for WebSockets at ws://127.0.0.1:PORT; port 0 takes a free one')
    .addHelpText(
      'after',
      `
Examples:
  heddle attach demo --listen ws://127.0.0.1:4500
  codex --remote ws://127.0.0.1:4500

Both speak the protocol of codex app-server, one JSON-RPC message a line or a text frame. Notes go to stderr.
Each WebSocket connection is a session of its own. GET /readyz and /healthz answer 200; requests of web pages
(with an Origin header) get 403.`,
    )
    .action(async (agent: string, options: { stdio?: true; listen?: string }, command: Command) => {
      if (options.stdio && options.listen !== undefined) command.error('error: --stdio and --listen exclude each other');
      if (options.listen !== undefined) await listenFor(agent, options.listen, context);
      else if (options.stdio) await stdioWith(agent, context);
      else command.error('error: either --stdio or --listen is needed');
    });
}

async function stdioWith(agent: string, context: CliContext): Promise<void> {
  context.surviveBrokenOutput(); // a session whose reader has gone ends in order
  const channel = await attachThroughControl(context.paths.controlSocket, agent, { onVersion: context.onVersion });
  const interrupted = context.catchInterrupt();
  interrupted.addEventListener('abort', () => channel.close(), { once: true });
  const { code, message, hint } = await attachStdio(channel, context);
  if (interrupted.aborted) context.exitCode = exitCodes.interrupted;
  else if (code !== 'closed') throw new HeddleError(code, message, { hint });
}

async function listenFor(agent: string, url: string, context: CliContext): Promise<void> {
  const say = (text: string) => void context.stderr.write(`heddle: ${text}\n`);
  const { controlSocket } = context.paths;
  const address = parseListenAddress(url);
  // A wrong name or a missing agent is told now and not to the first program that connects.
  const trial = await attachThroughControl(controlSocket, agent, { onVersion: context.onVersion });
  trial.close();
  const interrupted = context.catchInterrupt();
  const listener = await startWebSocketListener({
    ...address,
    openSession: () => attachThroughControl(controlSocket, agent),
    onSessionOpened: () => say(`a program has connected to ${agent}`),
    onSessionEnded: ({ code, message }) => say(code === 'closed' ? 'a program has left' : `a session has ended: ${message}`),
    onSessionRefused: (error) => say(`a program was refused: ${error.message}`),
  });
  say(`${agent} listens on ${listener.url} until Ctrl-C; try: codex --remote ${listener.url}`);
  await new Promise<void>((resolve) => {
    if (interrupted.aborted) resolve();
    interrupted.addEventListener('abort', () => resolve(), { once: true });
  });
  await listener.close();
}
