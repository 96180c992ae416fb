import { hostname } from 'node:os';
import { HeddleError } from '@heddle/wire';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../packages/host/src/index.ts';

const TOKEN = 'a1'.repeat(32);
const minimal = `token = "${TOKEN}"\n[endpoint]\nport = 41234\n`;

function failure(text: string): HeddleError {
  try {
    parseConfig(text, 'host.toml');
  } catch (error) {
    if (error instanceof HeddleError) return error;
    throw error;
  }
  throw new Error('the text was accepted');
}

describe('parseConfig', () => {
  it('fills in the defaults', () => {
    expect(parseConfig(minimal, 'host.toml')).toEqual({
      token: TOKEN,
      endpoint: { listen: ['0.0.0.0'], port: 41234, announce: [], hostName: hostname() },
      log: { level: 'info' },
      agents: {
        codex: { enabled: true, command: 'codex', server: undefined },
        claude: { enabled: true, command: 'claude', allowFullAccess: false },
        opencode: {
          enabled: true,
          command: 'opencode',
          allowFullAccess: false,
          server: undefined,
          serverPassword: undefined,
          engine: undefined,
        },
        pi: { enabled: true, command: 'pi', allowFullAccess: false, engine: undefined },
        demo: { enabled: undefined },
      },
      limits: { maxConnections: 100, maxStreamsPerConnection: 64, maxPendingHandshakes: 64, detachedSessionSeconds: 600 },
      warnings: [],
    });
  });

  it('takes every key, in any TOML spelling', () => {
    const text = [
      `"token" = '${TOKEN}'`,
      'endpoint = { port = 0x50, listen = ["127.0.0.1", "::1"], announce = ["/dns4/home.example.org/tcp/1"], host_name = "Büro" }',
      'log.level = "trace"',
      'agents.codex.enabled = false',
      'agents.codex.command = "/opt/codex"',
      'agents.codex.server = "/run/codex.sock"',
      'agents.claude = { enabled = false, command = "/opt/claude", allow_full_access = true }',
      'agents.pi = { enabled = false, allow_full_access = true, engine = { base_url = "https://models.example.org/v1", model = "m" } }',
      '[agents.opencode]',
      'enabled = false',
      'command = "/opt/opencode"',
      'allow_full_access = true',
      '[agents.opencode.engine]',
      'base_url = "http://127.0.0.1:8080/v1"',
      'model = "qwen3-coder"',
      'api_key_env = "MY_SERVER_KEY"',
      'context_window = 131_072',
      'agent = "plan"',
      '[agents.demo]',
      'enabled = true',
      '[limits]',
      'max_connections = 1',
      'max_streams_per_connection = 2',
      'max_pending_handshakes = 10_000',
      'detached_session_seconds = 86_400',
    ].join('\r\n');
    expect(parseConfig(text, 'host.toml')).toEqual({
      token: TOKEN,
      endpoint: { listen: ['127.0.0.1', '::1'], port: 80, announce: ['/dns4/home.example.org/tcp/1'], hostName: 'Büro' },
      log: { level: 'trace' },
      agents: {
        codex: { enabled: false, command: '/opt/codex', server: '/run/codex.sock' },
        claude: { enabled: false, command: '/opt/claude', allowFullAccess: true },
        opencode: {
          enabled: false,
          command: '/opt/opencode',
          allowFullAccess: true,
          server: undefined,
          serverPassword: undefined,
          engine: {
            baseUrl: 'http://127.0.0.1:8080/v1',
            model: 'qwen3-coder',
            apiKeyEnv: 'MY_SERVER_KEY',
            contextWindow: 131_072,
            agent: 'plan',
          },
        },
        pi: {
          enabled: false,
          command: 'pi',
          allowFullAccess: true,
          engine: { baseUrl: 'https://models.example.org/v1', model: 'm', apiKeyEnv: undefined, contextWindow: undefined },
        },
        demo: { enabled: true },
      },
      limits: { maxConnections: 1, maxStreamsPerConnection: 2, maxPendingHandshakes: 10_000, detachedSessionSeconds: 86_400 },
      warnings: [],
    });
  });

  it('takes the address and the password of an opencode server', () => {
    const table = '[agents.opencode]\nserver = "http://127.0.0.1:4096"\nserver_password = "secret words"';
    expect(parseConfig(`${minimal}${table}`, 'host.toml').agents.opencode).toMatchObject({
      server: 'http://127.0.0.1:4096',
      serverPassword: 'secret words',
    });
  });

  it.each([
    ['port = "abc"', '"endpoint.port" must be a whole number from 1 to 65535, but is "abc"'],
    ['port = 0', '"endpoint.port" must be a whole number from 1 to 65535, but is 0'],
    ['port = 65536', '"endpoint.port" must be a whole number from 1 to 65535, but is 65536'],
    ['port = 80.5', '"endpoint.port" must be a whole number from 1 to 65535, but is 80.5'],
    ['port = nan', '"endpoint.port" must be a whole number from 1 to 65535, but is NaN'],
    ['port = 99999999999999999999', '"endpoint.port" must be a whole number from 1 to 65535, but is 100000000000000000000'],
    ['port = 1979-05-27', '"endpoint.port" must be a whole number from 1 to 65535, but is a date'],
    ['port = {}', '"endpoint.port" must be a whole number from 1 to 65535, but is a table'],
    ['port = [1]', '"endpoint.port" must be a whole number from 1 to 65535, but is [1]'],
    ['port = 1\nlisten = "0.0.0.0"', '"endpoint.listen" must be a list of IP addresses, but is "0.0.0.0"'],
    ['port = 1\nlisten = []', '"endpoint.listen" must be a list of at least one IP address, but is []'],
    [
      'port = 1\nlisten = ["localhost"]',
      '"endpoint.listen[0]" must be an IP address such as "0.0.0.0" (every network), "::" (the same for IPv6) or "127.0.0.1" (this computer only), but is "localhost"',
    ],
    [
      'port = 1\nlisten = ["0.0.0.0", "127.0.0.1"]',
      '"endpoint.listen" must be a list of different IP addresses; "0.0.0.0" stands for all of IPv4 and "::" for all of IPv6, but is ["0.0.0.0","127.0.0.1"]',
    ],
    [
      'port = 1\nannounce = ["/ip4/999.0.0.1/tcp/1"]',
      '"endpoint.announce[0]" must be a multiaddr such as "/ip4/203.0.113.7/tcp/41234" or "/dns4/home.example.org/tcp/41234", but is "/ip4/999.0.0.1/tcp/1"',
    ],
    [
      'port = 1\nannounce = ["home.example.org:41234"]',
      '"endpoint.announce[0]" must be a multiaddr such as "/ip4/203.0.113.7/tcp/41234" or "/dns4/home.example.org/tcp/41234", but is "home.example.org:41234"',
    ],
    ['port = 1\nhost_name = " "', '"endpoint.host_name" must be a name of 1 to 100 characters on one line, but is " "'],
    ['port = 1\nhost_name = "a\\nb"', '"endpoint.host_name" must be a name of 1 to 100 characters on one line, but is "a\\nb"'],
    ['port = 1\n[log]\nlevel = "loud"', '"log.level" must be one of "trace", "debug", "info", "warn", "error", but is "loud"'],
    ['port = 1\n[agents.codex]\nenabled = 1', '"agents.codex.enabled" must be true or false, but is 1'],
    [
      'port = 1\n[agents.codex]\ncommand = "./codex"',
      '"agents.codex.command" must be the name of a program, or its absolute path, but is "./codex"',
    ],
    ['port = 1\n[agents.codex]\nserver = "codex.sock"', '"agents.codex.server" must be an absolute path, but is "codex.sock"'],
    ['port = 1\n[[agents]]\nx = 1', '"agents" must be a table, but is [{"x":1}]'],
    ['port = 1\n[agents]\ncodex = true', '"agents.codex" must be a table, but is true'],
    [
      'port = 1\n[agents.pi.engine]\nmodel = "m"\nbase_url = "http://me:secret@127.0.0.1/v1"',
      '"agents.pi.engine.base_url" must be an address such as "http://127.0.0.1:8080/v1", without user or password in it, but is "http://me:secret@127.0.0.1/v1"',
    ],
    [
      'port = 1\n[agents.pi.engine]\nmodel = "m"\nbase_url = "http://127.0.0.1/v1"\napi_key_env = "sk-1234"',
      '"agents.pi.engine.api_key_env" must be the name of an environment variable such as "OPENAI_API_KEY"; the key itself does not belong here, but is something else (7 characters, not shown)',
    ],
    [
      'port = 1\n[agents.opencode]\nserver = "http://127.0.0.1:4096"\nengine = { base_url = "http://127.0.0.1/v1", model = "m" }',
      '"agents.opencode.engine" must be absent where "server" names a server that runs already, but is a table',
    ],
    [
      'port = 1\n[agents.opencode]\nserver_password = 12345678',
      '"agents.opencode.server_password" must be the password of that server, but is a number (not shown)',
    ],
    ['port = 1\n[limits]\nmax_connections = 0', '"limits.max_connections" must be a whole number from 1 to 10000, but is 0'],
  ])('refuses %j', (endpoint, expected) => {
    const text = `token = "${TOKEN}"\n[endpoint]\n${endpoint}\n`;
    const { message, code } = failure(text);
    expect(code).toBe('config_invalid');
    expect(message.replace(/^host\.toml:\d+: /, '')).toBe(expected);
  });

  it('names an unknown key with its line, and guesses what was meant', () => {
    const error = failure(`${minimal}\n# a comment\n[agents.codex]\nenabled = true\ncomand = "codex"\n`);
    expect(error.message).toBe('host.toml:8: unknown key "agents.codex.comand"');
    expect(error.hint).toBe('did you mean "command"? Known keys here: enabled, command, server.');
  });

  it.each([
    ['[agents.gpt]\nenabled = true', 'host.toml:4: unknown key "agents.gpt"', 'Known keys here: codex, claude, opencode, pi, demo.'],
    [
      '[logs]\nlevel = "info"',
      'host.toml:4: unknown key "logs"',
      'did you mean "log"? Known keys here: token, endpoint, log, agents, limits.',
    ],
    ['[logger]\nx = 1\n[logger.y]\nz = 1', 'host.toml:4: unknown key "logger"', 'Known keys here: token, endpoint, log, agents, limits.'],
    ['[log]\nprot = 1', 'host.toml:5: unknown key "log.prot"', 'Known keys here: level.'],
    ['[log]\nhost_name = "x"', 'host.toml:5: unknown key "log.host_name"', '"host_name" belongs under [endpoint]. Known keys here: level.'],
    ['[log]\nlevle = "x"', 'host.toml:5: unknown key "log.levle"', 'did you mean "level"? Known keys here: level.'],
    ['[agents.codex]\n"a b".c = 1', 'host.toml:5: unknown key "agents.codex.a b"', 'Known keys here: enabled, command, server.'],
  ])('explains %j', (text, message, hint) => {
    expect(failure(minimal + text)).toMatchObject({ message, hint });
  });

  it('reports all problems at once, in the order of the file, each hint with its line', () => {
    const error = failure(
      ['tokn = "x"', '[log]', 'level = 3', '[agents.codex]', 'comand = "x"', '[endpoint]', 'listen = ["::", "a"]'].join('\n'),
    );
    expect(error.message.split('\n')).toEqual([
      'host.toml:1: "token" is missing; it must be 64 hex digits',
      'host.toml:1: unknown key "tokn"',
      'host.toml:3: "log.level" must be one of "trace", "debug", "info", "warn", "error", but is 3',
      'host.toml:5: unknown key "agents.codex.comand"',
      'host.toml:6: "endpoint.port" is missing; it must be a whole number from 1 to 65535',
      expect.stringMatching(/^host\.toml:7: "endpoint\.listen\[1\]" must be an IP address such as .*, but is "a"$/),
    ]);
    expect(error.hint?.split('\n').map((line) => line.slice(0, 24))).toEqual([
      'line 1: Add it at the to',
      'line 1: did you mean "to',
      'line 5: did you mean "co',
      'line 6: Add it under [en',
    ]);
  });

  it.each([
    ['a = "x', 'host.toml:1:7: this is not TOML: Unterminated string constant'],
    ['[endpoint]\nport = \n', 'host.toml:2:7: this is not TOML: Unspecified values are invalid'],
    ['[endpoint]\nport =\r\n\r\nlisten = []', 'host.toml:2:7: this is not TOML: Unexpected character'],
    ['\n[endpoint\nport = 1', 'host.toml:2:10: this is not TOML: The key, equals sign, and value must be on the same line'],
    ['token = "a"\ntoken = "b"', 'host.toml:2:1: this is not TOML: Defining a key multiple times is invalid'],
    ['[log]\n[log]', 'host.toml:2:2: this is not TOML: Defining a key multiple times is invalid'],
    ['[endpoint]\nport = 1 listen = 2', 'host.toml:2:10: this is not TOML: Must be a newline'],
  ])('says where %j stops being TOML', (text, message) => {
    const error = failure(text);
    expect(error).toMatchObject({ message, code: 'config_invalid' });
    expect(error.hint).toContain('quotes');
  });

  it.each([
    ['token = "ABCDEF"', 'something else (6 characters, not shown)'],
    [`token = "${TOKEN.toUpperCase()}"`, 'something else (64 characters, not shown)'],
    ['token = 12345678', 'a number (not shown)'],
  ])('never shows a token: %j', (line, shown) => {
    const { message } = failure(`${line}\n[endpoint]\nport = 1`);
    expect(message).toMatch(/^host\.toml:1: "token" must be 64 hex digits/);
    expect(message.endsWith(`, but is ${shown}`)).toBe(true);
    expect(message.toLowerCase()).not.toMatch(/abcdef|12345678|a1a1/);
  });

  it.each([
    ['[__proto__]\npolluted = 1', 'unknown key "__proto__"'],
    ['[log.__proto__]\npolluted = 1', 'unknown key "log.__proto__"'],
    ['[constructor.prototype]\npolluted = 1', 'unknown key "constructor"'],
    ['toString = 1', 'unknown key "toString"'],
  ])('treats %j as the unknown key that it is', (text, expected) => {
    const { message } = failure(`${text.startsWith('[') ? minimal : ''}${text}\n${text.startsWith('[') ? '' : minimal}`);
    expect(message).toContain(expected);
    expect('polluted' in {}).toBe(false);
  });

  it('shortens what it shows', () => {
    const { message } = failure(`${minimal}[agents.codex]\ncommand = "${'x/'.repeat(500)}"`);
    expect(message.length).toBeLessThan(200);
  });
});
