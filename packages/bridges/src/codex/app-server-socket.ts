// Owns the connection to an app-server's control socket: WebSocket over a Unix socket, one message a text frame.
// Source: codex app-server 0.132 and 0.169, measured.

import { connect } from 'node:net';
import { type Channel, type CloseReason, MAX_MESSAGE_TO_CLIENT_BYTES, MAX_MESSAGE_TO_DAEMON_BYTES, webSocketChannel } from '@heddle/rpc';
import { WebSocket } from 'ws';

/**
 * codex disconnects a client whose outbound queue of 128 messages is full. So a slow phone is held back only after
 * this much was taken off codex's hands.
 */
const READ_AHEAD_BYTES = 16 * 1024 * 1024;
const OPEN_TIMEOUT_MS = 3_000;

/**
 * Connects to an app-server.
 * @throws Error when nothing answers there with a WebSocket.
 */
export function connectAppServer(socketPath: string): Promise<Channel> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket('ws://localhost/', {
      createConnection: () => connect(socketPath),
      handshakeTimeout: OPEN_TIMEOUT_MS,
      maxPayload: MAX_MESSAGE_TO_CLIENT_BYTES,
      perMessageDeflate: false,
    });
    socket.once('error', reject);
    socket.once('open', () => {
      socket.off('error', reject);
      resolve(webSocketChannel(socket, { readAheadBytes: READ_AHEAD_BYTES, maxOutgoingBytes: MAX_MESSAGE_TO_DAEMON_BYTES, explainClose }));
    });
  });
}

function explainClose(code: number): CloseReason {
  return {
    code: 'agent_exited',
    message: `codex ended the session (WebSocket code ${code})`,
    hint: 'Connect again: if codex has crashed, it is started anew.',
  };
}
