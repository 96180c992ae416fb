// Owns the question whether each message of a recording is one that codex app-server could have sent. Strict:
// a method that the schema does not have is a violation, whatever it carries.

import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import type { Entry, Message, MessageEntry } from './recording.ts';
import type { Schema, SchemaBundle } from './schema-bundle.ts';

/** The committed schema. A test under test/agents compares it with what the installed codex generates. */
export const schemaFile = new URL('../goldens/codex/app-server-0.169.schema.json', import.meta.url);

export interface SchemaViolation {
  seq: number;
  connection: string;
  text: string;
}

export interface SchemaCheck {
  codexVersion: string;
  check(entries: readonly Entry[]): SchemaViolation[];
}

export function loadSchemaCheck(): SchemaCheck {
  return createSchemaCheck(JSON.parse(readFileSync(schemaFile, 'utf8')) as SchemaBundle);
}

export function createSchemaCheck(bundle: SchemaBundle): SchemaCheck {
  const validate = compiler(bundle);
  return {
    codexVersion: bundle.codex,
    check(entries) {
      const asked = new OpenRequests();
      const violations: SchemaViolation[] = [];
      for (const entry of entries) {
        if (entry.kind !== 'message') continue;
        const text = checkMessage(entry, { bundle, validate, asked });
        if (text !== undefined) violations.push({ seq: entry.seq, connection: entry.connection, text });
      }
      return violations;
    },
  };
}

/** Answers `undefined` for a value that fits, else what is wrong with it. A schema that is absent allows anything. */
type Validate = (schema: Schema | undefined, value: unknown) => string | undefined;

function compiler(bundle: SchemaBundle): Validate {
  // codex's formats (int64, uint32…) are Rust's and unknown to ajv; its types are checked all the same.
  const ajv = new Ajv({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'codex', definitions: bundle.definitions });
  const compiled = new Map<string, ValidateFunction>();
  return (schema, value) => {
    if (schema === undefined) return undefined;
    const ref = `codex${String(schema['$ref'])}`;
    const check = compiled.get(ref) ?? ajv.compile({ $ref: ref });
    compiled.set(ref, check);
    if (check(value)) return undefined;
    const error = check.errors?.[0];
    return `${error?.instancePath ?? ''} ${error?.message ?? 'does not fit'} ${JSON.stringify(error?.params ?? {})}`.trim();
  };
}

/** Which method an answer belongs to: ids are each side's own, on each connection. */
class OpenRequests {
  readonly #methods = new Map<string, string>();
  open({ connection, direction, message }: MessageEntry): void {
    this.#methods.set(this.#key(connection, direction, message), String(message['method']));
  }
  methodOf({ connection, direction, message }: MessageEntry): string | undefined {
    return this.#methods.get(this.#key(connection, direction === 'toServer' ? 'toClient' : 'toServer', message));
  }
  #key(connection: string, askedBy: string, message: Message): string {
    return `${connection} ${askedBy} ${JSON.stringify(message['id'])}`;
  }
}

interface Tools {
  bundle: SchemaBundle;
  validate: Validate;
  asked: OpenRequests;
}

function checkMessage(entry: MessageEntry, tools: Tools): string | undefined {
  const { message } = entry;
  if (typeof message['method'] !== 'string') return checkAnswer(entry, tools);
  if ('id' in message) return checkRequest(entry, message['method'], tools);
  return entry.direction === 'toClient' ? checkNotification(message, message['method'], tools) : undefined;
}

function checkNotification(message: Message, method: string, { bundle, validate }: Tools): string | undefined {
  const known = bundle.notifications[method];
  if (known === undefined) return `the notification ${method} is not in the schema`;
  return prefixed(method, validate(known.params, message['params']));
}

function checkRequest(entry: MessageEntry, method: string, { bundle, validate, asked }: Tools): string | undefined {
  const { message, direction } = entry;
  if (typeof message['id'] !== 'string' && !Number.isInteger(message['id'])) return `${method}: an id is a string or an integer`;
  asked.open(entry);
  const known = direction === 'toClient' ? bundle.serverRequests[method] : bundle.clientRequests[method];
  if (known !== undefined) return prefixed(method, validate(known.params, message['params']));
  // A client may try a method that does not exist; the answer must then be a refusal.
  return direction === 'toClient' ? `the server request ${method} is not in the schema` : undefined;
}

function checkAnswer(entry: MessageEntry, { bundle, validate, asked }: Tools): string | undefined {
  const { message, direction } = entry;
  const method = asked.methodOf(entry);
  if (method === undefined)
    return `neither a request, a notification nor an answer to an open request: ${JSON.stringify(message).slice(0, 200)}`;
  if ('error' in message) return prefixed(`refusal of ${method}`, checkError(message['error']));
  if (!('result' in message)) return `the answer to ${method} has neither result nor error`;
  const known = direction === 'toClient' ? bundle.clientRequests[method] : bundle.serverRequests[method];
  if (known === undefined) return `a result for ${method}, which is not in the schema`;
  return prefixed(`answer to ${method}`, validate(known.result, message['result']));
}

function checkError(error: unknown): string | undefined {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return Number.isInteger(code) && typeof message === 'string' ? undefined : 'an error has an integer code and a message';
}

const prefixed = (what: string, problem: string | undefined) => (problem === undefined ? undefined : `${what}: ${problem}`);
