// Owns the demo's command: shown, asked about, and then really run in the thread's folder, with nothing of the
// user's environment but where programs are and which language is spoken.

import { type Decision, runShellCommand, type RunningTurn, shellArguments, uuidV7 } from '@heddle/bridge-kit';
import type { CommandApprovalParams, CommandExecutionItem } from '@heddle/wire';

/** How a person says no. `cancelled`: and the turn is to end. */
export type Refusal = 'declined' | 'cancelled' | 'invalid';
export const refusals = { decline: 'declined', cancel: 'cancelled', invalid: 'invalid' } as const satisfies Record<
  Exclude<Decision, 'accept' | 'acceptForSession'>,
  Refusal
>;

export type CommandOutcome =
  | { kind: 'ran'; exitCode: number; why: string | undefined }
  | { kind: Refusal }
  | { kind: 'failed'; why: string };

/** What the demo runs when the user names no command: slow enough to be seen streaming. */
export const ownCommand =
  process.platform === 'win32'
    ? 'echo Hello from the demo agent & cd & ver'
    : 'for step in 1 2 3; do echo "step $step of 3"; sleep 0.2; done; pwd; uname -s';

/**
 * Asks, whatever the client's policy is, unless the same command was accepted for the session; then runs.
 * @throws the turn's abort reason when it is cut short.
 */
export async function performCommand(turn: RunningTurn, command: string, launchEnv: NodeJS.ProcessEnv): Promise<CommandOutcome> {
  const env = commandEnv(launchEnv, turn.cwd);
  const { display } = shellArguments(command, env);
  const itemId = uuidV7();
  const commandActions = [{ type: 'unknown', command }];
  const item: CommandExecutionItem = {
    type: 'commandExecution',
    id: itemId,
    command: display,
    cwd: turn.cwd,
    processId: null,
    source: 'agent',
    status: 'inProgress',
    commandActions,
    aggregatedOutput: null,
    exitCode: null,
    durationMs: null,
  };
  turn.signal.throwIfAborted();
  const subject = `command ${command}`;
  if (turn.isRemembered(subject)) {
    turn.apply({ type: 'itemStarted', item });
    return run(turn, itemId, command, env);
  }
  const params = approvalParams(turn, itemId, display, commandActions);
  const decision = await turn.ask('item/commandExecution/requestApproval', params, subject, item);
  if (decision === 'accept' || decision === 'acceptForSession') return run(turn, itemId, command, env);
  return { kind: refusals[decision] };
}

function approvalParams(turn: RunningTurn, itemId: string, command: string, commandActions: unknown[]): CommandApprovalParams {
  return {
    kind: 'command',
    threadId: turn.threadId,
    turnId: turn.id,
    itemId,
    startedAtMs: Date.now(),
    reason: 'The demo agent asks before it runs a command.',
    command,
    cwd: turn.cwd,
    commandActions,
    availableDecisions: ['accept', 'acceptForSession', 'decline', 'cancel'],
  };
}

async function run(turn: RunningTurn, itemId: string, command: string, env: NodeJS.ProcessEnv): Promise<CommandOutcome> {
  try {
    const result = await runShellCommand({
      command,
      cwd: turn.cwd,
      env,
      signal: turn.signal,
      onStarted: (processId) => turn.apply({ type: 'itemChanged', itemId, changes: { processId: String(processId) } }),
      onText: (delta) => turn.apply({ type: 'outputDelta', itemId, delta }),
    });
    const { output: aggregatedOutput, exitCode, durationMs } = result;
    const status = exitCode === 0 && result.why === undefined ? 'completed' : 'failed';
    turn.apply({ type: 'itemCompleted', itemId, changes: { status, aggregatedOutput, exitCode, durationMs } });
    turn.signal.throwIfAborted();
    return { kind: 'ran', exitCode, why: result.why };
  } catch (error) {
    turn.signal.throwIfAborted();
    const why = error instanceof Error ? error.message : String(error);
    turn.apply({ type: 'itemCompleted', itemId, changes: { status: 'failed', aggregatedOutput: why } });
    return { kind: 'failed', why };
  }
}

/** Nothing that could be a secret: where programs are, where home is, which language. */
function commandEnv(launchEnv: NodeJS.ProcessEnv, home: string): NodeJS.ProcessEnv {
  const kept = process.platform === 'win32' ? ['Path', 'PATH', 'ComSpec', 'SystemRoot', 'PATHEXT'] : ['PATH', 'LANG'];
  const passed = Object.fromEntries(kept.flatMap((name) => (launchEnv[name] === undefined ? [] : [[name, launchEnv[name]]])));
  return { ...passed, HOME: home };
}
