// Owns one connection to the control socket, from its first frame to its end. Which operations there are is in
// protocol.ts; what they do is given by the daemon.

import {
  type ByteDuplex,
  type Channel,
  type CloseReason,
  daemonLinkLimits,
  FrameReader,
  joinChannels,
  attachedLink,
  type Log,
  readJsonFrame,
  writeJsonFrame,
} from '@heddle/rpc';
import { asError, HeddleError } from '@heddle/wire';
import {
  CONTROL_REQUEST_TIMEOUT_MS,
  CONTROL_VERSION,
  type ControlData,
  type ControlOp,
  controlOps,
  type ControlParams,
  controlRequestSchema,
  isControlOp,
  MAX_CONTROL_REQUEST_BYTES,
  type Permission,
  toControlError,
} from './protocol.ts';

/**
 * What the daemon does for each operation. A failure that a caller should read is a HeddleError. `attach` opens a
 * session, whose owner the server becomes. `stop` starts the end and does not wait for it: its own answer is part
 * of what the end waits for.
 */
export type ControlHandlers = {
  [Op in ControlOp]: (
    params: ControlParams<Op>,
  ) => (Op extends 'attach' ? Channel : ControlData<Op>) | Promise<Op extends 'attach' ? Channel : ControlData<Op>>;
};

export interface ConnectionContext {
  version: string;
  handlers: ControlHandlers;
  /** What callers of this socket may do. */
  permission: Permission;
  log: Log;
  /** Resolves when the server is closing, with what attached sessions are told. */
  closing: Promise<CloseReason>;
}

const shows = { read: 0, admin: 1 } satisfies Record<Permission, number>;

/**
 * Reads the one request, answers it, and serves the session if it opened one. Never rejects.
 * @returns whether the connection has served its purpose, or stands until the daemon has gone.
 */
export async function serveConnection(duplex: ByteDuplex, context: ConnectionContext): Promise<'served' | 'until-gone'> {
  const { log } = context;
  const frames = new FrameReader(duplex.source);
  let op = 'none';
  try {
    const request = await readRequest(frames, duplex);
    op = request.op;
    const startedMs = performance.now();
    if (!isControlOp(request.op)) throw unknownOp(request.op);
    const spec = controlOps[request.op];
    if (shows[context.permission] < shows[spec.permission]) {
      throw new HeddleError('unauthorized', `"${op}" needs the permission "${spec.permission}", this socket gives "${context.permission}"`);
    }
    const params = parseParams(request.op, request);
    const handle = context.handlers[request.op] as (params: unknown) => Promise<unknown>;
    const result = await handle(params);
    log.debug('answered', { op, ms: Math.round(performance.now() - startedMs) });
    if (spec.afterwards === 'link') {
      await serveLink(result as Channel, duplex, frames, context);
      return 'served';
    }
    await answer(duplex, context, { ok: true, data: result });
    return spec.afterwards === 'until-gone' ? 'until-gone' : 'served';
  } catch (caught) {
    const error = asError(caught);
    if (error instanceof HeddleError) log.debug('refused', { op, code: error.code, message: error.message });
    else log.error('a control request failed', { op, error });
    await answer(duplex, context, { ok: false, error: toControlError(error) }).catch(() => {}); // the caller has left
    return 'served';
  }
}

async function readRequest(frames: FrameReader, duplex: ByteDuplex) {
  const raw = await readJsonFrame(frames, duplex, { maxBytes: MAX_CONTROL_REQUEST_BYTES, timeoutMs: CONTROL_REQUEST_TIMEOUT_MS });
  const request = controlRequestSchema.safeParse(raw);
  if (!request.success) throw new HeddleError('bad_request', 'a control request is a JSON object with the members "v" and "op"');
  if (request.data.v !== CONTROL_VERSION) {
    throw new HeddleError('unsupported_version', `version ${request.data.v} of control is not spoken here, only ${CONTROL_VERSION}`, {
      hint: 'The daemon and the `heddle` you typed are different versions: restart the daemon.',
    });
  }
  return request.data;
}

function unknownOp(op: string): HeddleError {
  return new HeddleError('bad_request', `"${op}" is no control operation`, {
    hint: `There are: ${Object.keys(controlOps).join(', ')}.`,
  });
}

function parseParams(op: ControlOp, request: Record<string, unknown>): unknown {
  const params = controlOps[op].params.safeParse(request);
  if (params.success) return params.data;
  const issue = params.error.issues[0];
  throw new HeddleError('bad_request', `"${issue?.path.join('.')}" of a "${op}" request is wrong: ${issue?.message}`);
}

async function serveLink(channel: Channel, duplex: ByteDuplex, frames: FrameReader, context: ConnectionContext): Promise<void> {
  try {
    await answer(duplex, context, { ok: true, data: {} });
  } catch (error) {
    channel.close(); // the caller left while the agent was started
    throw error;
  }
  const link = attachedLink(duplex, frames, daemonLinkLimits);
  void context.closing.then((reason) => link.close(reason));
  const reason = await joinChannels(link, channel);
  context.log.debug('a local session ended', { code: reason.code });
  await duplex.closed;
}

function answer(
  duplex: ByteDuplex,
  { version }: ConnectionContext,
  body: { ok: true; data: unknown } | { ok: false; error: unknown },
): Promise<void> {
  return writeJsonFrame(duplex, { v: CONTROL_VERSION, version, ...body });
}
