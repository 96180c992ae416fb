// Owns reading a field of a request in any shape. `Params` has readers for the shapes that threads need only; what
// services need besides (a map of variables, a strict list, a negative number) is judged by its reader here.

import { type Params, refusal } from '../server/params.ts';

/** `Params` hands a field out unchanged when it is among the choices: every value is among these. */
class EveryValue extends Array<never> {
  override includes(): boolean {
    return true;
  }
}
const everyValue = new EveryValue();

/** The field as it came; `undefined` when it is absent or null. */
export function rawField(params: Params, name: string): unknown {
  return params.optionalChoice(name, everyValue);
}

/**
 * A list of strings, and nothing that could pass for one.
 * @throws RpcError that names the field.
 */
export function textList(params: Params, name: string): string[] {
  const value = rawField(params, name);
  if (value === undefined) throw refusal(`Invalid request: missing field \`${name}\``);
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value;
  throw refusal(`Invalid request: \`${name}\` must be a list of strings`);
}

/**
 * A flag that is not simply false when it is absent.
 * @throws RpcError that names the field.
 */
export function optionalFlag(params: Params, name: string): boolean | undefined {
  const value = rawField(params, name);
  if (value === undefined || typeof value === 'boolean') return value;
  throw refusal(`Invalid request: \`${name}\` must be true or false`);
}
