// Owns the reading of a request's parameters: an unknown value becomes typed fields, or the request is refused with
// the path of what is wrong. Unknown fields are ignored, as codex does.

import { isAbsolute } from 'node:path';
import { RpcError } from '@heddle/rpc';
import { jsonRpcCodes, type SortDirection, type UserInput } from '@heddle/wire';

/** codex's own limit for the text of one message (0.169, measured). */
const MAX_INPUT_CHARACTERS = 1_048_576;

/** An image that comes within a message, as the characters of its URL; phones make them smaller. */
const MAX_IMAGE_CHARACTERS = 10 * 1024 * 1024;

/** What each kind of input must have beside its type. */
const requiredInputFields: Record<string, readonly string[]> = {
  text: ['text'],
  image: ['url'],
  localImage: ['path'],
  skill: ['name', 'path'],
  mention: ['name', 'path'],
};

/** A refusal with the code that codex gives to nearly every one. */
export function refusal(message: string): RpcError {
  return new RpcError(jsonRpcCodes.invalidRequest, message);
}

/** The parameters of one request. Each reader throws an RpcError that names the field. */
export class Params {
  readonly #fields: Record<string, unknown>;

  constructor(params: unknown) {
    if (params === undefined || params === null) throw refusal('Invalid request: missing field `params`');
    if (typeof params !== 'object' || Array.isArray(params)) throw refusal('Invalid request: `params` must be an object');
    this.#fields = params as Record<string, unknown>;
  }

  text(name: string): string {
    const value = this.optionalText(name);
    if (value === undefined) throw refusal(`Invalid request: missing field \`${name}\``);
    return value;
  }

  optionalText(name: string): string | undefined {
    return this.#optional(name, 'a string', (value): value is string => typeof value === 'string');
  }

  /** A list of strings; a single string counts as a list of one. */
  optionalTexts(name: string): string[] | undefined {
    if (typeof this.#fields[name] === 'string') return [this.#fields[name]];
    return this.#optional(
      name,
      'a list of strings',
      (value): value is string[] => Array.isArray(value) && value.every((entry) => typeof entry === 'string'),
    );
  }

  flag(name: string): boolean {
    return this.#optional(name, 'true or false', (value): value is boolean => typeof value === 'boolean') ?? false;
  }

  optionalCount(name: string): number | undefined {
    return this.#optional(name, 'a whole number, 0 or more', (value): value is number => Number.isSafeInteger(value) && Number(value) >= 0);
  }

  optionalChoice<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined {
    const isChoice = (value: unknown): value is Choice => (choices as readonly unknown[]).includes(value);
    return this.#optional(name, `one of ${choices.join(', ')}`, isChoice);
  }

  sortDirection(fallback: SortDirection): SortDirection {
    return this.optionalChoice('sortDirection', ['asc', 'desc']) ?? fallback;
  }

  isEmptyList(name: string): boolean {
    const value = this.#fields[name];
    return Array.isArray(value) && value.length === 0;
  }

  isObject(name: string): boolean {
    const value = this.#fields[name];
    return typeof value === 'object' && value !== null;
  }

  /** An object inside whose members are all true or false. */
  flags(name: string): Record<string, boolean> {
    const isFlags = (value: unknown): value is Record<string, boolean> =>
      typeof value === 'object' && value !== null && Object.values(value).every((flag) => typeof flag === 'boolean');
    return this.#optional(name, 'an object of true and false', isFlags) ?? {};
  }

  /** The parameters of an object inside; absent when it is. */
  optionalObject(name: string): Params | undefined {
    const value = this.#fields[name];
    return value === undefined || value === null ? undefined : new Params(value);
  }

  /** @throws RpcError also when the text is longer than codex takes. */
  userInput(name: string): UserInput[] {
    const value = this.#fields[name];
    if (value === undefined) throw refusal(`Invalid request: missing field \`${name}\``);
    if (!Array.isArray(value)) throw refusal(`Invalid request: \`${name}\` must be a list`);
    const inputs = value.map((entry: unknown, index) => readInput(entry, `${name}[${index}]`));
    const characters = inputs.reduce((sum, input) => sum + (input.type === 'text' ? input.text.length : 0), 0);
    if (characters > MAX_INPUT_CHARACTERS) {
      throw new RpcError(jsonRpcCodes.invalidParams, `Input exceeds the maximum length of ${MAX_INPUT_CHARACTERS} characters.`);
    }
    return inputs;
  }

  #optional<T>(name: string, what: string, is: (value: unknown) => value is T): T | undefined {
    const value = this.#fields[name];
    if (value === undefined || value === null) return undefined;
    if (!is(value)) throw refusal(`Invalid request: \`${name}\` must be ${what}`);
    return value;
  }
}

function readInput(entry: unknown, path: string): UserInput {
  const fields = new Params(entry);
  const type = fields.text('type');
  const required = requiredInputFields[type];
  if (required === undefined) throw refusal(`Invalid request: unknown variant \`${type}\` at \`${path}.type\``);
  for (const name of required) fields.text(name);
  if (type === 'image' && fields.text('url').length > MAX_IMAGE_CHARACTERS) {
    throw refusal(
      `the image at \`${path}\` is too large: ${fields.text('url').length} characters, at most ${MAX_IMAGE_CHARACTERS} can be sent`,
    );
  }
  if (type === 'localImage' && !isAbsolute(fields.text('path'))) throw refusal(`Invalid request: \`${path}.path\` must be absolute`);
  // The rest passes through as it came; `text_elements` may be left out, and is always there on the way back.
  return { ...(type === 'text' ? { text_elements: [] } : {}), ...(entry as object) } as UserInput;
}
