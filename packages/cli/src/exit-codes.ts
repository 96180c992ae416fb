// Owns the exit codes. Scripts depend on them: a number never changes its meaning.

import { type ErrorCode, HeddleError } from '@heddle/wire';

export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  notRunning: 3,
  refused: 4,
  agent: 5,
  network: 6,
  taken: 7,
  /** 128 + SIGINT, as shells have it. */
  interrupted: 130,
} as const;

/** What the help says of each. */
export const exitCodeMeanings = {
  done: 'done',
  failed: 'it failed; the turn did, with `probe`',
  usage: 'the command, a file or a payload is not as it must be',
  notRunning: 'the daemon is not running (`status` answers from the files and still ends with this)',
  refused: 'refused: unauthorized, revoked, or too many requests',
  agent: 'the agent is unknown, switched off, not available, or has ended',
  network: 'not reachable, no answer in time, or the connection was lost',
  taken: 'a daemon is running already, or the port is in use',
  interrupted: 'interrupted',
} satisfies Record<keyof typeof exitCodes, string>;

const codesOfErrors = {
  internal: exitCodes.failed,
  protocol_error: exitCodes.failed,
  message_too_large: exitCodes.failed,
  closed: exitCodes.done,
  usage: exitCodes.usage,
  bad_request: exitCodes.usage,
  config_invalid: exitCodes.usage,
  payload_invalid: exitCodes.usage,
  unknown_device: exitCodes.usage,
  state_unreadable: exitCodes.usage,
  daemon_not_running: exitCodes.notRunning,
  shutting_down: exitCodes.notRunning,
  unauthorized: exitCodes.refused,
  pairing_closed: exitCodes.refused,
  device_revoked: exitCodes.refused,
  forbidden: exitCodes.refused,
  token_rotated: exitCodes.refused,
  too_many_requests: exitCodes.refused,
  unsupported_version: exitCodes.refused,
  unknown_agent: exitCodes.agent,
  agent_disabled: exitCodes.agent,
  agent_unavailable: exitCodes.agent,
  agent_exited: exitCodes.agent,
  unreachable: exitCodes.network,
  timeout: exitCodes.network,
  connection_lost: exitCodes.network,
  replaced: exitCodes.network,
  overflowed: exitCodes.network,
  session_reset: exitCodes.network,
  daemon_running: exitCodes.taken,
  port_in_use: exitCodes.taken,
} satisfies Record<ErrorCode, number>;

/** The exit code for an error code. */
export function exitCodeFor(code: ErrorCode): number {
  return codesOfErrors[code];
}

/** The exit code for anything caught. */
export function exitCodeOf(caught: unknown): number {
  return caught instanceof HeddleError ? exitCodeFor(caught.code) : exitCodes.failed;
}
