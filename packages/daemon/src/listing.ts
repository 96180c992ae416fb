// Owns what host.toml says about who is listed.

import type { HostConfig } from '@heddle/host';
import type { ListedBridge } from './agents.ts';

/** An agent that host.toml does not name is listed. The demo stands in for missing agents unless it is asked for. */
export function listingOf(config: HostConfig, name: string): ListedBridge['listing'] {
  const { agents } = config;
  if (name === 'demo') {
    if (agents.demo.enabled === undefined) return 'fallback';
    return agents.demo.enabled ? 'always' : 'never';
  }
  const entry = name in agents ? agents[name as keyof typeof agents] : undefined;
  return entry?.enabled === false ? 'never' : 'always';
}
