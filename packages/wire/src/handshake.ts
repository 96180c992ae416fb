// Owns the first exchange on every stream: one request, one answer, as JSON.
// It knows shapes and limits; who may enter is the endpoint's business.

import * as z from 'zod';
import { cleanDeviceName, MAX_DEVICE_NAME_LENGTH } from './device-name.ts';
import { HeddleError, type HandshakeErrorCode, handshakeErrorCodes } from './errors.ts';

/** libp2p protocol id of every heddle stream. */
export const PROTOCOL_ID = '/heddle/1';
/** Version inside the handshake. A peer with another one is told which are spoken. */
export const HANDSHAKE_VERSION = 1;
/** A handshake request larger than this is refused before it is read. */
export const MAX_HANDSHAKE_BYTES = 8 * 1024;
/** A list of agents is larger than a request, so answers have a cap of their own. */
export const MAX_HANDSHAKE_ANSWER_BYTES = 256 * 1024;
/** A stream whose request has not arrived whole by then is dropped. */
export const HANDSHAKE_TIMEOUT_MS = 5_000;

/** What an agent can do, so that a client need not guess. */
const capabilitiesSchema = z.looseObject({
  /** `before`: the agent asks before it acts. `none`: it can't, and acts unasked. */
  approvals: z.enum(['before', 'none']),
  /** Takes messages while a turn runs. */
  steer: z.boolean().optional(),
  /** `thread/fork`. */
  fork: z.boolean().optional(),
  /** `thread/revert` and `thread/rollback`. */
  rollback: z.boolean().optional(),
  /** Images in messages reach the model. */
  images: z.boolean().optional(),
  /** Its todo list comes as `turn/plan/updated`. */
  plan: z.boolean().optional(),
  reasoning: z.boolean().optional(),
  /** Tells what a turn has cost. */
  usage: z.boolean().optional(),
  /** `model/list` has the models that the user has configured; else a fixed list. */
  live_models: z.boolean().optional(),
});

export const agentInfoSchema = z.looseObject({
  name: z.string(),
  display_name: z.string(),
  available: z.boolean(),
  version: z.string().optional(),
  capabilities: capabilitiesSchema,
  /** Why it is not available, and what the user can do about it. Only when `available` is false. */
  unavailable: z.looseObject({ reason: z.string(), fix: z.string() }).optional(),
});
export type AgentInfo = z.infer<typeof agentInfoSchema>;

const envelope = { v: z.literal(HANDSHAKE_VERSION), token: z.string() };

/** Where a returning client left off: its session, and how many messages it has received in it. */
const resumeSchema = z.looseObject({ session: z.string(), received: z.int().nonnegative() });

/** What a device says of itself; it counts when the device is enrolled. */
const deviceSchema = z.looseObject({ name: z.string().max(MAX_DEVICE_NAME_LENGTH).transform(cleanDeviceName) });

export const handshakeRequestSchema = z.discriminatedUnion('op', [
  z.looseObject({ ...envelope, op: z.literal('list_agents'), device: deviceSchema.optional() }),
  z.looseObject({
    ...envelope,
    op: z.literal('connect'),
    agent: z.string(),
    resume: resumeSchema.optional(),
    device: deviceSchema.optional(),
  }),
  z.looseObject({ ...envelope, op: z.literal('restart_agent'), agent: z.string() }),
]);
export type HandshakeRequest = z.infer<typeof handshakeRequestSchema>;

const handshakeErrorSchema = z.looseObject({
  code: z.enum(handshakeErrorCodes),
  message: z.string(),
  hint: z.string().optional(),
  /** Only with `unsupported_version`: the versions this daemon speaks. */
  versions: z.array(z.int()).optional(),
});
export type HandshakeError = z.infer<typeof handshakeErrorSchema>;

/**
 * How a `connect` was attached. `reset`: the session that was asked for is not there any more, this is a
 * new one, and the client reads its threads again.
 */
const sessionSchema = z.looseObject({
  id: z.string(),
  attached: z.enum(['new', 'resumed', 'reset']),
  /** How many messages of the client the daemon has received in this session. */
  received: z.int().nonnegative(),
});
export type AttachedSession = z.infer<typeof sessionSchema>;

export const handshakeAnswerSchema = z.discriminatedUnion('ok', [
  z.looseObject({
    v: z.int(),
    ok: z.literal(true),
    agents: z.array(agentInfoSchema).optional(),
    session: sessionSchema.optional(),
  }),
  z.looseObject({ v: z.int(), ok: z.literal(false), error: handshakeErrorSchema }),
]);
export type HandshakeAnswer = z.infer<typeof handshakeAnswerSchema>;

const handshakeCodeSet: ReadonlySet<string> = new Set(handshakeErrorCodes);

/** The wire form of a local error. Whatever is no handshake code becomes `internal`, without its text. */
export function toHandshakeError(error: unknown): HandshakeError {
  if (error instanceof HeddleError && error.code !== 'internal' && handshakeCodeSet.has(error.code)) {
    return {
      code: error.code as HandshakeErrorCode,
      message: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    };
  }
  return { code: 'internal', message: 'the daemon failed to answer', hint: 'Look at `heddle logs` on that computer.' };
}

/** The local form of an error that arrived over the wire. */
export function fromHandshakeError(error: HandshakeError): HeddleError {
  return new HeddleError(error.code, error.message, { hint: error.hint });
}
