// Owns the compact form of codex's own JSON schema: only the messages that heddle meets, in one file. It is made
// from what `codex app-server generate-json-schema --experimental` writes, and nothing in it is made by hand.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { clientRequests } from '@heddle/wire';

export type Schema = Record<string, unknown>;
/** `params` is absent where a method has none. Refs point into `definitions`. */
export interface SchemaBundle {
  /** Version of the codex that generated it. */
  codex: string;
  /** Everything a server may say unasked, by method. */
  notifications: Record<string, { params?: Schema }>;
  /** Everything a server may ask, by method. */
  serverRequests: Record<string, { params?: Schema; result?: Schema }>;
  /** What heddle's own clients ask (`clientRequests` of the wire), by method. */
  clientRequests: Record<string, { params?: Schema; result?: Schema }>;
  definitions: Record<string, Schema>;
}

/** Answers of methods without parameters: elsewhere the name of the answer follows from that of the parameters. */
const answersByMethod: Record<string, string> = {
  'account/rateLimits/read': 'GetAccountRateLimitsResponse',
  'configRequirements/read': 'ConfigRequirementsReadResponse',
};

/** Folder and file names are codex's. The same name never means two things in them (asserted here). */
const folders = ['', 'v1', 'v2'];

/**
 * @param folder what `codex app-server generate-json-schema --experimental --out` wrote.
 * @throws Error when the folder does not hold what is expected.
 */
export function bundleSchema(folder: string, codex: string): SchemaBundle {
  const pool = readDefinitions(folder);
  const definitions: Record<string, Schema> = {};
  const take = (schema: Schema): Schema => {
    collect(schema, pool, definitions);
    return schema;
  };
  const named = (name: string) => take({ $ref: `#/definitions/${name}` });
  const result = (method: string, paramsName: string | undefined) => {
    const name = answersByMethod[method] ?? paramsName?.replace(/Params$/, 'Response');
    if (name === undefined || !Object.hasOwn(pool, name)) throw new Error(`no schema for the answer to ${method}`);
    return named(name);
  };
  const requests = (file: string, wanted: (method: string) => boolean) =>
    Object.fromEntries(
      readMethods(folder, file)
        .filter(([method]) => wanted(method))
        .map(([method, params]) => [
          method,
          { ...(params === undefined ? {} : { params: named(params) }), result: result(method, params) },
        ]),
    );
  const notifications = Object.fromEntries(
    readMethods(folder, 'ServerNotification.json').map(([method, params]) => [
      method,
      params === undefined ? {} : { params: named(params) },
    ]),
  );
  const serverRequests = requests('ServerRequest.json', () => true);
  const asked = requests('ClientRequest.json', (method) => Object.hasOwn(clientRequests, method));
  for (const method of Object.keys(clientRequests)) if (!Object.hasOwn(asked, method)) throw new Error(`codex ${codex} has no ${method}`);
  return { codex, notifications, serverRequests, clientRequests: asked, definitions: sorted(definitions) };
}

/** The text of the committed file: minified, but one method or definition a line, so that a change can be read. */
export function bundleText(bundle: SchemaBundle): string {
  const section = (name: Exclude<keyof SchemaBundle, 'codex'>) => {
    const lines = Object.entries(bundle[name]).map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
    return `${JSON.stringify(name)}:{\n${lines.join(',\n')}\n}`;
  };
  const sections = (['notifications', 'serverRequests', 'clientRequests', 'definitions'] as const).map(section);
  return `{"codex":${JSON.stringify(bundle.codex)},\n${sections.join(',\n')}}\n`;
}

function readJson(file: string): Schema {
  return JSON.parse(readFileSync(file, 'utf8')) as Schema;
}

function readDefinitions(folder: string): Record<string, Schema> {
  const pool: Record<string, Schema> = {};
  const add = (name: string, schema: Schema) => {
    const bare = withoutProse(schema) as Schema;
    if (Object.hasOwn(pool, name) && JSON.stringify(pool[name]) !== JSON.stringify(bare)) throw new Error(`two schemas are named ${name}`);
    pool[name] = bare;
  };
  for (const sub of folders) {
    if (!existsSync(path.join(folder, sub))) continue;
    for (const file of readdirSync(path.join(folder, sub))) {
      if (!file.endsWith('.json') || file.startsWith('codex_app_server_protocol')) continue;
      const { definitions, ...own } = readJson(path.join(folder, sub, file));
      for (const [name, schema] of Object.entries((definitions ?? {}) as Record<string, Schema>)) add(name, schema);
      add(file.replace(/\.json$/, ''), own);
    }
  }
  return pool;
}

/** Each method of a message union with the name of its parameters. */
function readMethods(folder: string, file: string): [method: string, params: string | undefined][] {
  const { oneOf } = readJson(path.join(folder, file)) as {
    oneOf: { properties: { method: { enum: [string] }; params?: { $ref?: string } } }[];
  };
  return oneOf.map(({ properties }) => [properties.method.enum[0], properties.params?.$ref?.split('/').at(-1)]);
}

function collect(schema: unknown, pool: Record<string, Schema>, into: Record<string, Schema>): void {
  if (typeof schema !== 'object' || schema === null) return;
  const ref = '$ref' in schema ? schema.$ref : undefined;
  if (typeof ref === 'string') {
    const name = ref.replace('#/definitions/', '');
    const found = pool[name];
    if (found === undefined) throw new Error(`the schema points to ${ref}, which is not there`);
    if (!Object.hasOwn(into, name)) {
      into[name] = found;
      collect(found, pool, into);
    }
  }
  for (const value of Object.values(schema)) collect(value, pool, into);
}

/** Titles and descriptions say nothing to a validator and are most of the size. */
function withoutProse(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutProse);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(
    ([key, inner]) => !((key === 'description' || key === 'title' || key === '$schema') && typeof inner === 'string'),
  );
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutProse(inner)]));
}

const sorted = (definitions: Record<string, Schema>) =>
  Object.fromEntries(Object.entries(definitions).toSorted(([a], [b]) => (a < b ? -1 : 1)));
