// Owns the caller's end of the control socket: the one thin client that every front end shares.
// A dead socket is explained here, so that nobody else has to know what ENOENT means.

import { connect } from 'node:net';
import { type ByteDuplex, type Channel, clientLinkLimits, FrameReader, attachedLink, readJsonFrame, writeJsonFrame } from '@heddle/rpc';
import { asError, HeddleError } from '@heddle/wire';
import {
  CONTROL_VERSION,
  controlAnswerSchema,
  type ControlData,
  type ControlOp,
  controlOps,
  type ControlParams,
  MAX_CONTROL_ANSWER_BYTES,
  type QuestionOp,
} from './protocol.ts';
import { socketDuplex } from './socket-duplex.ts';

/** A daemon asks every agent for its version before it answers some questions, and starts one before others. */
const ANSWER_TIMEOUT_MS = 60_000;

export interface ControlCallOptions {
  /** Stops the waiting; the daemon goes on with what it was asked. */
  signal?: AbortSignal;
  /** Told the daemon's version with each answer, a refusal too, so that a caller can compare it with its own. */
  onVersion?: (version: string) => void;
}

/**
 * Asks the daemon one question. `stop` resolves when the daemon has let go of its socket, not before.
 * @throws HeddleError `daemon_not_running`; `timeout`; `unsupported_version`; `state_unreadable` when the socket is
 *   not ours to open; `connection_lost` when the daemon went away in between; or the daemon's own refusal.
 */
export async function callControl<Op extends QuestionOp>(
  socketPath: string,
  op: Op,
  params: ControlParams<Op>,
  options: ControlCallOptions = {},
): Promise<ControlData<Op>> {
  const { duplex, frames, data } = await ask(socketPath, op, params, options);
  try {
    if (controlOps[op].afterwards === 'until-gone') await untilGone(duplex, frames);
    return data;
  } finally {
    duplex.abort(new Error('the question was answered'));
  }
}

/**
 * Opens a local session to an agent: a channel of codex app-server JSON-RPC, whose owner sends `initialize` first.
 * @throws HeddleError as `callControl`, and `unknown_agent`, `agent_disabled` or `agent_unavailable`.
 */
export async function attachThroughControl(socketPath: string, agent: string, options: ControlCallOptions = {}): Promise<Channel> {
  const { duplex, frames } = await ask(socketPath, 'attach', { agent }, options);
  return attachedLink(duplex, frames, clientLinkLimits);
}

interface Answered<Op extends ControlOp> {
  duplex: ByteDuplex;
  frames: FrameReader;
  data: ControlData<Op>;
}

async function ask<Op extends ControlOp>(
  socketPath: string,
  op: Op,
  params: ControlParams<Op>,
  { signal, onVersion }: ControlCallOptions,
): Promise<Answered<Op>> {
  signal?.throwIfAborted();
  const duplex = await open(socketPath);
  const abort = () => duplex.abort(asError(signal?.reason));
  signal?.addEventListener('abort', abort, { once: true });
  try {
    signal?.throwIfAborted(); // it may have been aborted while the socket was opened
    const frames = new FrameReader(duplex.source);
    const raw = await exchange(duplex, frames, { ...params, v: CONTROL_VERSION, op });
    return { duplex, frames, data: parseAnswer(op, raw, onVersion) };
  } catch (caught) {
    duplex.abort(asError(caught));
    signal?.throwIfAborted();
    throw caught;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

async function exchange(duplex: ByteDuplex, frames: FrameReader, request: { v: number; op: ControlOp }): Promise<unknown> {
  // A daemon with no room left answers before it has read anything: what it says counts, not the failed write.
  const writing = writeJsonFrame(duplex, request).catch(() => {});
  try {
    const answer = await readJsonFrame(frames, duplex, { maxBytes: MAX_CONTROL_ANSWER_BYTES, timeoutMs: ANSWER_TIMEOUT_MS });
    await writing;
    return answer;
  } catch (cause) {
    const hint = '`heddle logs` shows what the daemon is doing.';
    if (cause instanceof HeddleError && cause.code === 'timeout') {
      throw new HeddleError('timeout', `the daemon did not answer "${request.op}" within ${ANSWER_TIMEOUT_MS / 1000} s`, { hint, cause });
    }
    throw new HeddleError('connection_lost', `the daemon went away before it answered "${request.op}"`, { hint, cause });
  }
}

function open(socketPath: string): Promise<ByteDuplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: socketPath, allowHalfOpen: true });
    const fail = (error: NodeJS.ErrnoException) => reject(explainConnect(error, socketPath));
    socket.once('error', fail);
    socket.once('connect', () => {
      socket.off('error', fail);
      resolve(socketDuplex(socket));
    });
  });
}

function parseAnswer<Op extends ControlOp>(op: Op, raw: unknown, onVersion?: (version: string) => void): ControlData<Op> {
  const answer = controlAnswerSchema.safeParse(raw);
  if (!answer.success) throw new HeddleError('protocol_error', 'what listens on the control socket is no heddle daemon');
  const { v, version, ok } = answer.data;
  onVersion?.(version);
  if (!ok) {
    const { code, message, hint } = answer.data.error;
    throw new HeddleError(code, message, { hint });
  }
  const data = controlOps[op].data.safeParse(answer.data.data);
  if (data.success) return data.data as ControlData<Op>;
  const cause = data.error;
  const path = cause.issues[0]?.path.join('.');
  throw new HeddleError(
    v === CONTROL_VERSION ? 'protocol_error' : 'unsupported_version',
    `the answer of the running daemon (${version}) to "${op}" can't be understood, at "${path}"`,
    { hint: 'Restart the daemon with this version: `heddle stop`, then `heddle serve`.', cause },
  );
}

/** The daemon ends the connection by its own end; an ordinary close and a cut say the same. */
async function untilGone(duplex: ByteDuplex, frames: FrameReader): Promise<void> {
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    duplex.abort(new Error('waited long enough'));
  }, ANSWER_TIMEOUT_MS);
  try {
    while ((await frames.next(MAX_CONTROL_ANSWER_BYTES)) !== undefined);
  } catch (cause) {
    if (isLate) throw new HeddleError('timeout', `the daemon is still stopping after ${ANSWER_TIMEOUT_MS / 1000} s`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

function explainConnect(error: NodeJS.ErrnoException, socketPath: string): HeddleError {
  const cause = error;
  const start = 'Start it with `heddle serve`.';
  switch (error.code) {
    case 'ENOENT':
      return new HeddleError('daemon_not_running', 'the heddle daemon is not running', { hint: start, cause });
    case 'ECONNREFUSED':
      return new HeddleError('daemon_not_running', 'the heddle daemon is not running any more; it did not end cleanly', {
        hint: `${start} \`heddle logs\` shows what it did last.`,
        cause,
      });
    case 'EACCES':
    case 'EPERM':
      return new HeddleError('state_unreadable', `the control socket ${socketPath} belongs to another user`, {
        hint: 'Run heddle as the user whose daemon it is.',
        cause,
      });
    case 'EAGAIN':
      return new HeddleError('too_many_requests', 'the heddle daemon is too busy to answer', { cause });
    default:
      return new HeddleError('state_unreadable', `can't open the control socket ${socketPath}: ${error.message}`, { cause });
  }
}
