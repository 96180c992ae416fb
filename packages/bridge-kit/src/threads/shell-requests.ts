// Owns the user's own commands in a thread (`!ls` in the Codex TUI): run as they are in the thread's folder, without the
// agent, which is not told of them either. In a turn that runs they are one more item, else a turn of their own.

import type { HandlersOf } from '../server/call.ts';
import { runShellCommand, shellArguments } from '../services/shell-command.ts';
import type { RunningTurn } from './running-turn.ts';
import type { ThreadHub } from './thread-hub.ts';
import { uuidV7 } from './uuid-v7.ts';

const TIME_LIMIT_MS = 10 * 60_000;

export function shellRequests(hub: ThreadHub, launchEnv: () => Promise<NodeJS.ProcessEnv>): HandlersOf<'thread/shellCommand'> {
  return {
    async 'thread/shellCommand'(call) {
      const { params } = call;
      const { id, running } = hub.loaded.require(params.text('threadId'));
      const command = params.text('command');
      const timeLimitMs = params.optionalCount('timeoutMs') ?? TIME_LIMIT_MS;
      const run = async (turn: RunningTurn) => runInTurn(turn, { command, timeLimitMs, env: await launchEnv() });
      if (running === undefined) return hub.turns.runWithoutMessage(id, run, () => call.reply({}));
      call.reply({});
      await run(running).catch(() => {}); // the turn was cut: its item is closed with it
    },
  };
}

interface Command {
  command: string;
  timeLimitMs: number;
  env: NodeJS.ProcessEnv;
}

async function runInTurn(turn: RunningTurn, { command, timeLimitMs, env }: Command): Promise<void> {
  const itemId = uuidV7();
  const item = {
    type: 'commandExecution' as const,
    id: itemId,
    command: shellArguments(command, env).display,
    cwd: turn.cwd,
    processId: null,
    source: 'userShell',
    status: 'inProgress' as const,
    commandActions: [{ type: 'unknown', command }],
    aggregatedOutput: null,
    exitCode: null,
    durationMs: null,
  };
  turn.apply({ type: 'itemStarted', item });
  try {
    const { output, exitCode, durationMs, why } = await runShellCommand({
      command,
      cwd: turn.cwd,
      env,
      signal: turn.signal,
      timeLimitMs,
      onStarted: (processId) => turn.apply({ type: 'itemChanged', itemId, changes: { processId: String(processId) } }),
      onText: (delta) => turn.apply({ type: 'outputDelta', itemId, delta }),
    });
    const status = exitCode === 0 && why === undefined ? 'completed' : 'failed';
    turn.apply({ type: 'itemCompleted', itemId, changes: { status, aggregatedOutput: output, exitCode, durationMs } });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    turn.apply({ type: 'itemCompleted', itemId, changes: { status: 'failed', aggregatedOutput: why } });
  }
  turn.signal.throwIfAborted();
}
