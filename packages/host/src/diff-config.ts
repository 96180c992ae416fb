// Owns which settings a running daemon can take over, and which need a restart.

import type { HostConfig } from './config.ts';
import type { ConfigKey } from './config-schema.ts';

const takesEffect = {
  token: 'live',
  'endpoint.listen': 'restart',
  'endpoint.port': 'restart',
  'endpoint.announce': 'live',
  'endpoint.host_name': 'live',
  'log.level': 'live',
  'agents.codex.enabled': 'live',
  'agents.codex.command': 'restart',
  'agents.codex.server': 'restart',
  'agents.claude.enabled': 'live',
  'agents.claude.command': 'restart',
  'agents.claude.allow_full_access': 'restart',
  'agents.opencode.enabled': 'live',
  'agents.opencode.command': 'restart',
  'agents.opencode.allow_full_access': 'restart',
  'agents.opencode.server': 'restart',
  'agents.opencode.server_password': 'restart',
  'agents.opencode.engine.base_url': 'restart',
  'agents.opencode.engine.model': 'restart',
  'agents.opencode.engine.api_key_env': 'restart',
  'agents.opencode.engine.context_window': 'restart',
  'agents.opencode.engine.agent': 'restart',
  'agents.pi.enabled': 'live',
  'agents.pi.command': 'restart',
  'agents.pi.allow_full_access': 'restart',
  'agents.pi.engine.base_url': 'restart',
  'agents.pi.engine.model': 'restart',
  'agents.pi.engine.api_key_env': 'restart',
  'agents.pi.engine.context_window': 'restart',
  'agents.demo.enabled': 'live',
  'limits.max_connections': 'restart',
  'limits.max_streams_per_connection': 'restart',
  'limits.max_pending_handshakes': 'restart',
  'limits.detached_session_seconds': 'restart',
} satisfies Record<ConfigKey, 'live' | 'restart'>;

export interface ConfigDifference {
  /** Dotted names of changed settings that can be taken over at once. */
  applied: string[];
  /** Dotted names of changed settings that stay as they were until the daemon is started again. */
  needsRestart: string[];
}

/** What has changed between two configurations, by when it takes effect. */
export function diffConfig(before: HostConfig, after: HostConfig): ConfigDifference {
  const changed = (when: 'live' | 'restart') =>
    Object.entries(takesEffect)
      .filter(([key, effect]) => effect === when && JSON.stringify(valueOf(before, key)) !== JSON.stringify(valueOf(after, key)))
      .map(([key]) => key);
  return { applied: changed('live'), needsRestart: changed('restart') };
}

/** The running configuration with what can be taken over at once; the rest stays as it is, and stays in the difference. */
export function applyLive(running: HostConfig, next: HostConfig): HostConfig {
  const { announce, hostName } = next.endpoint;
  return {
    ...running,
    token: next.token,
    endpoint: { ...running.endpoint, announce, hostName },
    log: next.log,
    agents: {
      codex: { ...running.agents.codex, enabled: next.agents.codex.enabled },
      claude: { ...running.agents.claude, enabled: next.agents.claude.enabled },
      opencode: { ...running.agents.opencode, enabled: next.agents.opencode.enabled },
      pi: { ...running.agents.pi, enabled: next.agents.pi.enabled },
      demo: next.agents.demo,
    },
    warnings: next.warnings,
  };
}

/** @param key as in host.toml: `endpoint.host_name` is `endpoint.hostName` here */
function valueOf(config: HostConfig, key: string): unknown {
  const names = key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()).split('.');
  return names.reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], config);
}
