// Owns how commands talk to the daemon of this computer: with the version compared, and, for some questions, with
// another answer when no daemon runs.

import { callControl } from '@heddle/control/client';
import type { ControlData, ControlParams, QuestionOp } from '@heddle/control/protocol';
import { HeddleError } from '@heddle/wire';
import type { CliContext } from './context.ts';

/** @throws HeddleError as `callControl` */
export function askDaemon<Op extends QuestionOp>(context: CliContext, op: Op, params: ControlParams<Op>): Promise<ControlData<Op>> {
  return callControl(context.paths.controlSocket, op, params, { onVersion: context.onVersion });
}

/** Asks the daemon; undefined when none is running. */
export async function askDaemonIfRunning<Op extends QuestionOp>(
  context: CliContext,
  op: Op,
  params: ControlParams<Op>,
): Promise<ControlData<Op> | undefined> {
  try {
    return await askDaemon(context, op, params);
  } catch (error) {
    if (error instanceof HeddleError && error.code === 'daemon_not_running') return undefined;
    throw error;
  }
}
