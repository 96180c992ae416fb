// Owns the keys of host.toml: their names, ranges and defaults. The `error` of each says what is expected, in words
// that follow "must be".

import { isIP } from 'node:net';
import { isAbsolute } from 'node:path';
import * as z from 'zod';
import { logLevels } from './log-level.ts';

const MAX_PORT = 65_535;

function wholeNumber(from: number, to: number) {
  const error = `a whole number from ${from} to ${to}`;
  return z.int({ error }).min(from, { error }).max(to, { error });
}

/** A table that knows all its keys. Unknown ones are reported with a message of their own (config-problems.ts). */
function table<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, { error: (issue) => (issue.code === 'invalid_type' ? 'a table' : undefined) });
}

const trueOrFalse = () => z.boolean({ error: 'true or false' });

const ipAddress = z.string({ error: 'an IP address' }).refine((text) => isIP(text) !== 0 && !text.includes('%'), {
  error: 'an IP address such as "0.0.0.0" (every network), "::" (the same for IPv6) or "127.0.0.1" (this computer only)',
});

const listenError = 'a list of different IP addresses; "0.0.0.0" stands for all of IPv4 and "::" for all of IPv6';
const listenList = z
  .array(ipAddress, { error: 'a list of IP addresses' })
  .min(1, { error: 'a list of at least one IP address' })
  .refine((list) => new Set(list).size === list.length && !hasWildcardBesideOthers(list), { error: listenError });

/** Listening on `0.0.0.0` and on one more IPv4 address at the same port fails: the port is in use. */
function hasWildcardBesideOthers(list: readonly string[]): boolean {
  const v4 = list.filter((ip) => isIP(ip) === 4);
  const v6 = list.filter((ip) => isIP(ip) === 6);
  return (v4.includes('0.0.0.0') && v4.length > 1) || (v6.includes('::') && v6.length > 1);
}

const announceError = 'a multiaddr such as "/ip4/203.0.113.7/tcp/41234" or "/dns4/home.example.org/tcp/41234"';
/** TCP only, because that is what the endpoint serves. */
const announcedAddress = z.string({ error: announceError }).refine(
  (text) => {
    const [, kind, host, port] = /^\/(ip4|ip6|dns|dns4|dns6)\/([^/\s]+)\/tcp\/([1-9]\d{0,4})$/.exec(text) ?? [];
    if (kind === undefined || host === undefined || Number(port) > MAX_PORT) return false;
    return kind === 'ip4' ? isIP(host) === 4 : kind === 'ip6' ? isIP(host) === 6 : isIP(host) === 0;
  },
  { error: announceError },
);

const commandError = 'the name of a program, or its absolute path';
const command = z.string({ error: commandError }).refine((text) => text.trim() !== '' && (isAbsolute(text) || !/[/\\]/.test(text)), {
  error: commandError,
});
const absolutePath = z.string({ error: 'an absolute path' }).refine((text) => isAbsolute(text), { error: 'an absolute path' });

const urlError = 'an address such as "http://127.0.0.1:8080/v1", without user or password in it';
const httpUrl = z.string({ error: urlError }).refine(isPlainHttpUrl, { error: urlError });

function isPlainHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && url.hash === '';
}

const variableError = 'the name of an environment variable such as "OPENAI_API_KEY"; the key itself does not belong here';
const word = (error: string) => z.string({ error }).refine((text) => text.trim() !== '', { error });

/** An OpenAI-compatible server that an agent is run on. */
const engine = {
  base_url: httpUrl,
  model: word('the name of a model that the server has'),
  api_key_env: z
    .string({ error: variableError })
    .regex(/^[A-Za-z_]\w*$/, { error: variableError })
    .optional(),
  context_window: wholeNumber(1_000, 100_000_000).optional(),
};

const hostNameError = 'a name of 1 to 100 characters on one line';
const hostName = z.string({ error: hostNameError }).regex(/^(?=.*\S)[^\p{Cc}]{1,100}$/u, { error: hostNameError });

const logLevelError = `one of ${logLevels.map((level) => `"${level}"`).join(', ')}`;

export const configSchema = table({
  token: z.string({ error: '64 hex digits' }).regex(/^[0-9a-f]{64}$/, { error: '64 hex digits (0-9, a-f)' }),
  endpoint: table({
    listen: listenList.default(['0.0.0.0']),
    port: wholeNumber(1, MAX_PORT),
    announce: z.array(announcedAddress, { error: 'a list of multiaddrs' }).default([]),
    host_name: hostName.optional(),
  }).prefault({} as never), // a missing [endpoint] is reported as its missing keys
  log: table({
    level: z.enum(logLevels, { error: logLevelError }).default('info'),
  }).prefault({}),
  agents: table({
    codex: table({
      enabled: trueOrFalse().default(true),
      command: command.default('codex'),
      server: absolutePath.optional(),
    }).prefault({}),
    claude: table({
      enabled: trueOrFalse().default(true),
      command: command.default('claude'),
      allow_full_access: trueOrFalse().default(false),
    }).prefault({}),
    opencode: table({
      enabled: trueOrFalse().default(true),
      command: command.default('opencode'),
      allow_full_access: trueOrFalse().default(false),
      server: httpUrl.optional(),
      server_password: word('the password of that server').optional(),
      engine: table({ ...engine, agent: z.enum(['build', 'plan'], { error: '"build" or "plan"' }).default('build') }).optional(),
    })
      .refine(({ server, engine: own }) => server === undefined || own === undefined, {
        path: ['engine'],
        error: 'absent where "server" names a server that runs already',
      })
      .prefault({}),
    pi: table({
      enabled: trueOrFalse().default(true),
      command: command.default('pi'),
      allow_full_access: trueOrFalse().default(false),
      engine: table(engine).optional(),
    }).prefault({}),
    demo: table({
      enabled: trueOrFalse().optional(),
    }).prefault({}),
  }).prefault({}),
  limits: table({
    max_connections: wholeNumber(1, 10_000).default(100),
    max_streams_per_connection: wholeNumber(1, 1_000).default(64),
    max_pending_handshakes: wholeNumber(1, 10_000).default(64),
    detached_session_seconds: wholeNumber(1, 86_400).default(600),
  }).prefault({}),
});

/** What host.toml says, with the defaults filled in. */
export type ConfigFile = z.output<typeof configSchema>;

/** Every key by its dotted name, as a user writes it: `endpoint.host_name`. */
export type ConfigKey = DottedKey<ConfigFile>;
type DottedKey<T> = {
  [K in keyof T & string]-?: NonNullable<T[K]> extends readonly unknown[] | string | number | boolean
    ? K
    : `${K}.${DottedKey<NonNullable<T[K]>>}`;
}[keyof T & string];

/** Names that may stand in the table at a path; undefined when there is no table. */
export function knownKeys(path: readonly PropertyKey[]): string[] | undefined {
  let schema: unknown = configSchema;
  for (const key of path)
    schema = unwrapped(schema) instanceof z.ZodObject ? (unwrapped(schema) as z.ZodObject).shape[String(key)] : undefined;
  const found = unwrapped(schema);
  return found instanceof z.ZodObject ? Object.keys(found.shape) : undefined;
}

/** Every key of the schema by its dotted name. */
export function allConfigKeys(path: readonly string[] = []): string[] {
  return (knownKeys(path) ?? []).flatMap((key) => {
    const here = [...path, key];
    return knownKeys(here) === undefined ? [here.join('.')] : allConfigKeys(here);
  });
}

function unwrapped(schema: unknown): unknown {
  return schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional ? schema.unwrap() : schema;
}
