import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type HostLog, logFiles, openLog } from '../../../packages/host/src/index.ts';

const TOKEN = '0f1e2d3c4b5a6978'.repeat(4);
const PASSWORD = 'pa"ss\\wo/rd\n& ünï+🧵 %20!';
const KEY = 'sk-ant-api03-AbCd_EfGh-1234567890';

let dir: string;
let hostLog: HostLog;
let terminal: string[];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heddle-test-'));
  terminal = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((said) => terminal.push(String(said)) > 0);
  hostLog = await openLog({ dir, level: 'trace', secrets: [TOKEN, PASSWORD, ''], stderr: 'trace' });
  hostLog.addSecret(KEY);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await hostLog.close();
  await rm(dir, { recursive: true, force: true });
});

async function written(): Promise<string> {
  const [file] = await logFiles(dir);
  const text = await readFile(file as string, 'utf8');
  for (const line of text.trimEnd().split('\n')) JSON.parse(line); // redaction never breaks a line
  return text;
}
const lastLine = async () => JSON.parse((await written()).trimEnd().split('\n').at(-1) as string) as Record<string, unknown>;

const spellings: Record<string, (secret: string) => string> = {
  'as it is': (secret) => secret,
  'within other text': (secret) => `x${secret}y`,
  'in JSON': (secret) => JSON.stringify({ a: secret }),
  'in JSON in JSON': (secret) => JSON.stringify(JSON.stringify([secret])),
  'in ASCII-only JSON': (secret) =>
    JSON.stringify(secret).replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  'in JSON with escaped slashes': (secret) => JSON.stringify(secret).replaceAll('/', '\\/'),
  'in a URL': (secret) => `https://host/x?q=${encodeURIComponent(secret)}&r=1`,
  'in a URL, lower case': (secret) => encodeURIComponent(secret).replaceAll(/%../g, (code) => code.toLowerCase()),
  'in a path': (secret) => encodeURIComponent(secret).replaceAll('%2F', '/'),
  'in a form': (secret) => new URLSearchParams({ q: secret }).toString(),
  'in base64': (secret) => btoa(String.fromCharCode(...Buffer.from(secret))),
  'in base64 after other text': (secret) => Buffer.from(`user:${secret}`).toString('base64'),
  'in base64url between other text': (secret) => Buffer.from(`ab${secret}cdef`).toString('base64url'),
};

describe('planted secrets', () => {
  const secrets = { TOKEN, PASSWORD, KEY };
  const table = Object.entries(secrets).flatMap(([name, secret]) =>
    Object.entries(spellings).map(([how, spell]) => [name, how, spell(secret)] as const),
  );

  it.each(table)('%s %s appears nowhere', async (_, how, planted) => {
    const error = Object.assign(new Error(`while: ${planted}`, { cause: new TypeError(planted, { cause: { deep: planted } }) }), {
      extra: planted,
    });
    hostLog.log.scope(planted).trace(`message ${planted}`, {
      value: planted,
      nested: { list: ['a', [planted]], map: new Map([['k', planted]]), set: new Set([planted]) },
      [planted]: 'as a key',
      error,
      all: new AggregateError([new Error(planted)], planted),
      url: how.includes('URL') && planted.startsWith('https') ? new URL(planted) : undefined,
      toJson: { toJSON: () => ({ planted }) },
      text: Buffer.from(planted),
      bytes: new TextEncoder().encode(planted),
    });
    const text = await written();
    // The parts of each spelling that any encoding of this line would leave visible.
    const traces = planted.split(/[^A-Za-z0-9]+/).filter((part) => part.length >= 10 && !/^(https|host)/.test(part));
    for (const trace of [planted, JSON.stringify(planted).slice(1, -1), ...traces]) {
      expect(text).not.toContain(trace);
      expect(terminal.join('')).not.toContain(trace);
    }
    const line = await lastLine();
    expect(line['msg']).toContain('[redacted]');
    expect(line['error']).toMatchObject({
      stack: expect.stringContaining('[redacted]'),
      cause: { message: expect.stringContaining('[redacted]') },
    });
  });

  it('hides a secret in another letter case', async () => {
    hostLog.log.info(`got ${TOKEN.toUpperCase()} ${KEY.toLowerCase()}`);
    expect((await lastLine())['msg']).toBe('got [redacted] [redacted]');
  });

  it('hides a secret that is a number', async () => {
    hostLog.addSecret('1234567890');
    hostLog.log.info('n', { a: 1234567890, b: 91234567890n, c: 123456789 });
    expect(await lastLine()).toMatchObject({ a: '[redacted]', b: '9[redacted]', c: 123456789 });
  });

  it('hides a short secret only where it is the whole text', async () => {
    hostLog.addSecret('info');
    hostLog.log.info('info desk', { a: 'info', information: 1 });
    expect(await lastLine()).toMatchObject({ level: 'info', msg: 'info desk', a: '[redacted]', information: 1 });
  });

  it('takes the longest of secrets that contain each other', async () => {
    hostLog.addSecret('abcdefgh');
    hostLog.addSecret('abcdefgh-and-more');
    hostLog.log.info('<abcdefgh-and-more> <abcdefgh>');
    expect((await lastLine())['msg']).toBe('<[redacted]> <[redacted]>');
  });
});

describe('what looks like a secret', () => {
  it('hides any run of 64 hex digits', async () => {
    const unknown = 'ABCDEF0123456789'.repeat(4);
    hostLog.log.info(`a ${unknown} b ${unknown}00 c ${unknown.slice(1)}`);
    expect((await lastLine())['msg']).toBe(`a [redacted] b [redacted] c ${unknown.slice(1)}`);
  });

  it('hides credentials after their scheme', async () => {
    hostLog.log.info('Authorization: Bearer abc.def-ghi_jkl, basic dXNlcjpwYXNz; Basic facts');
    expect((await lastLine())['msg']).toBe('Authorization: Bearer [redacted], basic [redacted]; Basic facts');
  });

  it.each([
    'token',
    'Token',
    'accessToken',
    'refresh_token',
    'AUTHORIZATION',
    'proxy-authorization',
    'password',
    'api_key',
    'apiKey',
    'X-Api-Key',
    'OPENAI_API_KEY',
    'secret',
    'clientSecret',
    'private_key',
    'seed',
    'Set-Cookie',
    'credentials',
    'tokens',
  ])('hides the field %s, at any depth', async (name) => {
    hostLog.log.info('x', {
      [name]: 'plain',
      nested: [{ [name]: ['plain'] }],
      error: Object.assign(new Error('e'), { [name]: 'plain' }),
      env: { [name]: { a: 'plain' } },
    });
    expect(await written()).not.toContain('plain');
    expect((await lastLine())[name]).toBe('[redacted]');
  });

  it('leaves counts, flags and harmless names readable', async () => {
    const fields = {
      inputTokens: 512,
      max_tokens: 9,
      tokenCount: 3,
      hasToken: true,
      token: null,
      tokenizer: 'bpe',
      keyboard: 'de',
      author: 'me',
    };
    hostLog.log.info('x', fields);
    expect(await lastLine()).toMatchObject(fields);
    hostLog.log.info('x', { password: 12345 });
    expect(await lastLine()).toMatchObject({ password: '[redacted]' });
  });
});
