import { describe, expect, it } from 'vitest';
import { applyLive, diffConfig, parseConfig } from '../../../packages/host/src/index.ts';

const config = (token: string, rest: string) => parseConfig(`token = "${token.repeat(64)}"\n${rest}`, 'host.toml');
const before = config('a', '[endpoint]\nport = 1\nhost_name = "loom"');

describe('diffConfig', () => {
  it('finds nothing between equal files', () => {
    expect(diffConfig(before, config('a', 'endpoint = { host_name = "loom", port = 1 } # the same'))).toEqual({
      applied: [],
      needsRestart: [],
    });
    expect(diffConfig(before, { ...before, warnings: ['x'] })).toEqual({ applied: [], needsRestart: [] });
  });

  it('tells what can be taken over from what needs a restart', () => {
    const after = config(
      'b',
      `[endpoint]
      port = 2
      listen = ["::"]
      announce = ["/ip4/203.0.113.7/tcp/1"]
      host_name = "shuttle"
      [log]
      level = "debug"
      [agents.codex]
      enabled = false
      command = "other"
      server = "/run/x.sock"
      [agents.opencode.engine]
      base_url = "http://127.0.0.1:1/v1"
      model = "m"
      [agents.pi]
      enabled = false
      [agents.demo]
      enabled = true
      [limits]
      max_connections = 1
      max_streams_per_connection = 1
      max_pending_handshakes = 1
      detached_session_seconds = 1`,
    );
    const expected = {
      applied: [
        'token',
        'endpoint.announce',
        'endpoint.host_name',
        'log.level',
        'agents.codex.enabled',
        'agents.pi.enabled',
        'agents.demo.enabled',
      ],
      needsRestart: [
        'endpoint.listen',
        'endpoint.port',
        'agents.codex.command',
        'agents.codex.server',
        'agents.opencode.engine.base_url',
        'agents.opencode.engine.model',
        'agents.opencode.engine.agent',
        'limits.max_connections',
        'limits.max_streams_per_connection',
        'limits.max_pending_handshakes',
        'limits.detached_session_seconds',
      ],
    };
    expect(diffConfig(before, after)).toEqual(expected);
    expect(diffConfig(after, before)).toEqual(expected);
    expect(diffConfig(applyLive(before, after), after)).toEqual({ applied: [], needsRestart: expected.needsRestart });
    expect(diffConfig(before, applyLive(before, after))).toEqual({ applied: expected.applied, needsRestart: [] });
  });

  it('sees that an optional setting was set to what it means when absent', () => {
    expect(diffConfig(before, config('a', '[endpoint]\nport = 1\nhost_name = "loom"\n[agents.demo]\nenabled = false')).applied).toEqual([
      'agents.demo.enabled',
    ]);
  });
});
