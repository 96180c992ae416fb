// Owns the daemon's end of the control socket: who listens, how many may be connected, and the order of the end.
// To hold this socket is to be the daemon: it is the single-instance lock as well.

import { createServer, type Socket } from 'node:net';
import { type CloseReason, type Log, writeJsonFrame } from '@heddle/rpc';
import { HeddleError } from '@heddle/wire';
import { callControl } from './client.ts';
import { listenExclusively } from './listen-exclusively.ts';
import { CONTROL_VERSION, type Permission, toControlError } from './protocol.ts';
import { type ConnectionContext, type ControlHandlers, serveConnection } from './serve-connection.ts';
import { socketDuplex } from './socket-duplex.ts';

export type { ControlHandlers } from './serve-connection.ts';

export interface ControlServerOptions {
  /** A Unix socket's path or a Windows pipe's name. */
  socketPath: string;
  /** The daemon's version, which every answer carries. */
  version: string;
  handlers: ControlHandlers;
  log: Log;
  /** What callers may do; only the owner can open the socket, so `admin` unless told otherwise. */
  permission?: Permission;
}

export interface ControlServer {
  readonly socketPath: string;
  /**
   * Gives the path up, ends attached sessions with `shutting_down`, lets answers that are on their way leave, then
   * ends every connection. Call it last: whoever waits for `stop` is released by it, and another daemon may start.
   */
  close(): Promise<void>;
}

const MAX_CONNECTIONS = 64;
/** How long answers and closing sessions have at the end. */
const CLOSE_GRACE_MS = 3_000;
/** How long we wait to hear who the daemon is that runs already. */
const ASK_PID_MS = 2_000;

const shuttingDown: CloseReason = { code: 'shutting_down', message: 'the daemon is stopping' };

/**
 * Starts to answer on the control socket.
 * @throws HeddleError `daemon_running`, with the pid of the other when it tells; `state_unreadable`.
 */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const { socketPath, version, log } = options;
  const closing = Promise.withResolvers<CloseReason>();
  const context: ConnectionContext = { ...options, permission: options.permission ?? 'admin', closing: closing.promise };
  const sockets = new Map<Socket, Promise<void>>();

  const server = createServer({ allowHalfOpen: true }, (socket) => {
    if (sockets.size >= MAX_CONNECTIONS) {
      void refuse(socket, version);
      return;
    }
    const served = serveConnection(socketDuplex(socket), context).then((end) => {
      if (end === 'served') socket.destroySoon();
    });
    sockets.set(socket, served);
    socket.once('close', () => sockets.delete(socket));
  });
  const listener = await listenExclusively(server, socketPath).catch((error: unknown) => rethrowWithPid(error, socketPath));
  // After the start `error` tells of a failed accept (too many open files): the next one may succeed.
  server.on('error', (error) => log.warn('a control connection could not be accepted', { error }));
  log.debug('listening', { path: socketPath });

  let ended: Promise<void> | undefined;
  const end = async () => {
    await listener.release();
    closing.resolve(shuttingDown);
    await settledWithin(sockets.values(), CLOSE_GRACE_MS);
    // Left are those who wait for our end, and those who would not read.
    for (const socket of sockets.keys()) socket.destroy();
  };
  return { socketPath, close: () => (ended ??= end()) };
}

async function refuse(socket: Socket, version: string): Promise<void> {
  const duplex = socketDuplex(socket);
  const error = new HeddleError('too_many_requests', `${MAX_CONNECTIONS} local connections are open already`, {
    hint: 'Close some `heddle attach` sessions, then try again.',
  });
  await writeJsonFrame(duplex, { v: CONTROL_VERSION, version, ok: false, error: toControlError(error) }).catch(() => {}); // it has left
  socket.destroySoon();
}

async function rethrowWithPid(error: unknown, socketPath: string): Promise<never> {
  if (!(error instanceof HeddleError) || error.code !== 'daemon_running') throw error;
  const hint = 'See `heddle status`; `heddle stop` ends it.';
  let pid: number;
  try {
    ({ pid } = await callControl(socketPath, 'status', {}, { signal: AbortSignal.timeout(ASK_PID_MS) }));
  } catch {
    throw new HeddleError(error.code, error.message, { hint, cause: error }); // it runs, but does not say who it is
  }
  throw new HeddleError('daemon_running', `a heddle daemon is running already, with pid ${pid}`, { hint, cause: error });
}

async function settledWithin(promises: Iterable<Promise<void>>, ms: number): Promise<void> {
  const { promise: isTimeOver, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([Promise.allSettled(promises), isTimeOver]);
  clearTimeout(timer);
}
