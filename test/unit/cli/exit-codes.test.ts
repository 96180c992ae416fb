import { closeCodes, handshakeErrorCodes, HeddleError, localErrorCodes } from '@heddle/wire';
import { expect, test } from 'vitest';
import { exitCodeFor, exitCodeOf } from '../../../packages/cli/src/exit-codes.ts';

test('scripts depend on these numbers: they never change', () => {
  const all = [...handshakeErrorCodes, ...closeCodes, ...localErrorCodes];
  expect(Object.fromEntries(all.map((code) => [code, exitCodeFor(code)]))).toEqual({
    closed: 0,
    internal: 1,
    protocol_error: 1,
    message_too_large: 1,
    usage: 2,
    bad_request: 2,
    config_invalid: 2,
    payload_invalid: 2,
    unknown_device: 2,
    state_unreadable: 2,
    daemon_not_running: 3,
    shutting_down: 3,
    unauthorized: 4,
    pairing_closed: 4,
    device_revoked: 4,
    forbidden: 4,
    token_rotated: 4,
    too_many_requests: 4,
    unsupported_version: 4,
    unknown_agent: 5,
    agent_disabled: 5,
    agent_unavailable: 5,
    agent_exited: 5,
    unreachable: 6,
    timeout: 6,
    connection_lost: 6,
    replaced: 6,
    overflowed: 6,
    session_reset: 6,
    daemon_running: 7,
    port_in_use: 7,
  });
});

test('an error without a code of ours is a failure', () => {
  expect(exitCodeOf(new Error('x'))).toBe(1);
  expect(exitCodeOf(new HeddleError('timeout', 'x'))).toBe(6);
});
