// Owns what the control socket says: one table of operations with their permission, parameters and data, and the
// two envelopes around them. It opens nothing and decides nothing; server.ts and client.ts both read this table.

import {
  agentInfoSchema,
  closeCodes,
  deviceScopes,
  type ErrorCode,
  handshakeErrorCodes,
  HeddleError,
  localErrorCodes,
  pairPayloadSchema,
} from '@heddle/wire';
import * as z from 'zod';

/** Version of the envelopes. The daemon answers every version with these envelopes, so that `stop` always works. */
export const CONTROL_VERSION = 1;
/** The first frame of a connection must have arrived whole by then. */
export const CONTROL_REQUEST_TIMEOUT_MS = 5_000;
export const MAX_CONTROL_REQUEST_BYTES = 8 * 1024;
export const MAX_CONTROL_ANSWER_BYTES = 256 * 1024;

/** `read` changes nothing and shows no secret; `admin` is everything else. */
export type Permission = 'read' | 'admin';

/** What follows the answer on the connection: its end; link frames; silence until the daemon has gone. */
export type Afterwards = 'end' | 'link' | 'until-gone';

const sessionSchema = z.looseObject({
  id: z.string(),
  agent: z.string(),
  /** `null`: opened on this computer, through the control socket. */
  peer_id: z.string().nullable(),
  /** Unix milliseconds. */
  since_ms: z.number(),
  /** `false`: its phone is away, and the session waits for it. */
  attached: z.boolean(),
});

const statusSchema = z.looseObject({
  version: z.string(),
  pid: z.int(),
  peer_id: z.string(),
  port: z.int(),
  /** Multiaddrs at which a phone reaches this daemon, best first. */
  addrs: z.array(z.string()),
  uptime_ms: z.number(),
  /** Phones that are connected right now. */
  connections: z.int(),
  sessions: z.array(sessionSchema),
  config_file: z.string(),
  log_dir: z.string(),
  warnings: z.array(z.string()),
});

const windowSchema = z.looseObject({
  /** Unix milliseconds. */
  until_ms: z.number(),
  /** How many more devices it takes. */
  devices: z.int(),
});

const deviceSchema = z.looseObject({
  peer_id: z.string(),
  name: z.string(),
  scope: z.enum(deviceScopes),
  /** A program of this computer, which needed no pairing. */
  is_local: z.boolean(),
  /** Unix milliseconds, as all times here. */
  paired_at_ms: z.number(),
  last_seen_ms: z.number().nullable(),
  /** Multiaddr it last came from. */
  last_address: z.string().nullable(),
  revoked_at_ms: z.number().nullable(),
  connected: z.boolean(),
  /** Agents it has sessions with right now. */
  agents: z.array(z.string()),
});

const devicesSchema = z.looseObject({
  devices: z.array(deviceSchema),
  /** `null`: no new device is taken. */
  window: windowSchema.nullable(),
});

/** Longer than a day is no window, it is an open door. */
export const MAX_PAIRING_MINUTES = 24 * 60;
export const MAX_PAIRING_DEVICES = 100;
const pairSchema = z.looseObject({
  minutes: z.number().positive().max(MAX_PAIRING_MINUTES).optional(),
  devices: z.int().min(1).max(MAX_PAIRING_DEVICES).optional(),
});

/** A device: its name, its peer id, or the last letters of that. */
const deviceId = { id: z.string().min(1) };
const oneDevice = z.looseObject({ peer_id: z.string(), name: z.string() });

const rotateSchema = z.looseObject({ payload: pairPayloadSchema, ended_sessions: z.int() });

const reloadSchema = z.looseObject({
  /** Settings that have changed and hold from now on. */
  applied: z.array(z.string()),
  /** Settings that have changed in the file and wait for a restart. */
  needs_restart: z.array(z.string()),
  warnings: z.array(z.string()),
});

const nothing = z.looseObject({});

/** Every operation once. A new one is a new row here, a handler in the daemon and a command in the CLI. */
export const controlOps = {
  status: { permission: 'read', afterwards: 'end', params: nothing, data: statusSchema },
  agents: { permission: 'read', afterwards: 'end', params: nothing, data: z.looseObject({ agents: z.array(agentInfoSchema) }) },
  /** Opens the pairing window. */
  pair: {
    permission: 'admin',
    afterwards: 'end',
    params: pairSchema,
    data: z.looseObject({ payload: pairPayloadSchema, window: windowSchema }),
  },
  devices: { permission: 'read', afterwards: 'end', params: nothing, data: devicesSchema },
  'devices.rename': { permission: 'admin', afterwards: 'end', params: z.looseObject({ ...deviceId, name: z.string() }), data: oneDevice },
  'devices.scope': {
    permission: 'admin',
    afterwards: 'end',
    params: z.looseObject({ ...deviceId, scope: z.enum(deviceScopes) }),
    data: oneDevice.extend({ scope: z.enum(deviceScopes) }),
  },
  'devices.revoke': {
    permission: 'admin',
    afterwards: 'end',
    params: z.looseObject(deviceId),
    data: oneDevice.extend({ ended_sessions: z.int() }),
  },
  /** Makes a peer a device without a window: for programs of this computer, which need none to prove who they are. */
  'devices.enrol': {
    permission: 'admin',
    afterwards: 'end',
    params: z.looseObject({ peer_id: pairPayloadSchema.shape.peer_id, name: z.string() }),
    data: z.looseObject({ payload: pairPayloadSchema }),
  },
  rotate: { permission: 'admin', afterwards: 'end', params: nothing, data: rotateSchema },
  reload: { permission: 'admin', afterwards: 'end', params: nothing, data: reloadSchema },
  stop: { permission: 'admin', afterwards: 'until-gone', params: nothing, data: nothing },
  attach: { permission: 'admin', afterwards: 'link', params: z.looseObject({ agent: z.string().min(1) }), data: nothing },
} as const satisfies Record<string, { permission: Permission; afterwards: Afterwards; params: z.ZodType; data: z.ZodType }>;

export type ControlOp = keyof typeof controlOps;
export type ControlParams<Op extends ControlOp> = z.infer<(typeof controlOps)[Op]['params']>;
export type ControlData<Op extends ControlOp> = z.infer<(typeof controlOps)[Op]['data']>;
export type ControlStatus = ControlData<'status'>;
export type ControlSession = ControlStatus['sessions'][number];

/** Operations that are one question and one answer; `attach` opens a session instead. */
export type QuestionOp = Exclude<ControlOp, 'attach'>;

const errorCodes = [...handshakeErrorCodes, ...closeCodes, ...localErrorCodes] as const satisfies readonly ErrorCode[];

/** The request as far as every version of it goes; an operation's own parameters stand beside `op`. */
export const controlRequestSchema = z.looseObject({ v: z.int(), op: z.string() });

const errorSchema = z.looseObject({
  /** A newer daemon may have codes that are not known here. */
  code: z.enum(errorCodes).catch('internal'),
  message: z.string(),
  hint: z.string().optional(),
});

/** Every answer carries the version of the daemon that gave it. */
export const controlAnswerSchema = z.discriminatedUnion('ok', [
  z.looseObject({ v: z.int(), version: z.string(), ok: z.literal(true), data: z.unknown() }),
  z.looseObject({ v: z.int(), version: z.string(), ok: z.literal(false), error: errorSchema }),
]);
export type ControlError = z.infer<typeof errorSchema>;

/** Whether `op` names an operation; a name from a prototype (`toString`) does not. */
export function isControlOp(op: string): op is ControlOp {
  return Object.hasOwn(controlOps, op);
}

/** The wire form of a failure. What is no HeddleError is told without its text, which belongs in the log. */
export function toControlError(error: unknown): ControlError {
  if (!(error instanceof HeddleError)) {
    return { code: 'internal', message: 'the daemon failed to answer', hint: 'Look at `heddle logs`.' };
  }
  return { code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
}
