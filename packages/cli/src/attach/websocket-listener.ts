// Owns the one socket that the command line opens itself: a WebSocket listener like that of `codex app-server`
// (0.169, measured): /readyz and /healthz answer 200, whatever has an Origin header, as every browser's WebSocket
// has, gets 403, and each connection is a session of its own.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { asError, HeddleError } from '@heddle/wire';
import {
  type Channel,
  closedNormally,
  type CloseReason,
  joinChannels,
  MAX_MESSAGE_TO_CLIENT_BYTES,
  MAX_MESSAGE_TO_DAEMON_BYTES,
  webSocketChannel,
} from '@heddle/rpc';
import { WebSocketServer } from 'ws';
import type { ListenAddress } from './listen-address.ts';

/** Bytes taken from a program ahead of the agent. */
const READ_AHEAD_BYTES = 1024 * 1024;

export interface WebSocketListenerOptions extends ListenAddress {
  /** Opens a session; its failure is what the program that connects gets to read. */
  openSession: () => Promise<Channel>;
  onSessionOpened: () => void;
  onSessionEnded: (reason: CloseReason) => void;
  onSessionRefused: (error: Error) => void;
}

export interface WebSocketListener {
  /** With the real port. */
  readonly url: string;
  /** Ends every session and stops listening. */
  close(): Promise<void>;
}

/** @throws HeddleError `port_in_use` */
export async function startWebSocketListener(options: WebSocketListenerOptions): Promise<WebSocketListener> {
  const sessions = new Map<Channel, Promise<unknown>>();
  const http = createServer(answerPlainRequest);
  const webSockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_TO_DAEMON_BYTES, perMessageDeflate: false });
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy()); // until it is a WebSocket nobody else listens
    void upgrade(request, socket, head);
  });

  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.headers.origin !== undefined) {
      refuse(socket, 403, 'Forbidden', 'requests of web pages are not served');
      return;
    }
    let session: Channel;
    try {
      session = await options.openSession();
    } catch (caught) {
      const error = asError(caught);
      options.onSessionRefused(error);
      refuse(
        socket,
        503,
        'Service Unavailable',
        error instanceof HeddleError && error.hint ? `${error.message}\n${error.hint}` : error.message,
      );
      return;
    }
    let isUpgraded = false;
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      isUpgraded = true;
      options.onSessionOpened();
      const program = webSocketChannel(webSocket, { readAheadBytes: READ_AHEAD_BYTES, maxOutgoingBytes: MAX_MESSAGE_TO_CLIENT_BYTES });
      const ended = joinChannels(program, session).then(options.onSessionEnded);
      sessions.set(session, ended);
      void ended.then(() => sessions.delete(session));
    });
    if (!isUpgraded) session.close(); // it was no WebSocket request; `ws` has told the program so
  };

  const port = await listen(http, options);
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `ws://${host}:${port}`,
    async close() {
      http.close();
      const ended = [...sessions.values()];
      for (const session of sessions.keys()) session.close(closedNormally);
      await Promise.all(ended);
      http.closeAllConnections();
    },
  };
}

function answerPlainRequest(request: IncomingMessage, response: ServerResponse): void {
  const isHealth = request.method === 'GET' && (request.url === '/readyz' || request.url === '/healthz');
  const status = request.headers.origin !== undefined ? 403 : isHealth ? 200 : 400;
  response.writeHead(status, { 'content-length': 0 }).end();
}

function refuse(socket: Duplex, status: number, title: string, text: string): void {
  const body = Buffer.from(`${text}\n`);
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${body.byteLength}\r\n\r\n${body.toString()}`,
  );
}

function listen(http: ReturnType<typeof createServer>, { host, port }: ListenAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') reject(error);
      else
        reject(
          new HeddleError('port_in_use', `port ${port} is in use already`, {
            cause: error,
            hint: 'Take another one, or 0 for any free one.',
          }),
        );
    });
    http.listen({ host, port }, () => {
      const address = http.address();
      if (typeof address === 'object' && address !== null) resolve(address.port);
    });
  });
}
