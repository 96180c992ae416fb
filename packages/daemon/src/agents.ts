// Owns which agents there are: the bridges, who is listed, who may be opened. It knows bridges by their contract.

import type { Availability, Bridge } from '@heddle/bridge-kit';
import type { Channel } from '@heddle/rpc';
import { type AgentInfo, HeddleError } from '@heddle/wire';

export interface ListedBridge {
  bridge: Bridge;
  /**
   * `always`: listed, with the reason when it is not available. `never`: switched off. `fallback`: listed only
   * when no other agent is available.
   */
  listing: 'always' | 'never' | 'fallback';
}

/** The agents of this computer. */
export class Agents {
  #bridges: readonly ListedBridge[];

  constructor(bridges: readonly ListedBridge[]) {
    this.#bridges = bridges;
  }

  /** Who is listed may change while the daemon runs; sessions that are open stay open. */
  setListing(listingOf: (name: string) => ListedBridge['listing']): void {
    this.#bridges = this.#bridges.map(({ bridge }) => ({ bridge, listing: listingOf(bridge.name) }));
  }

  /** All agents that are listed, asked afresh. */
  async list(): Promise<AgentInfo[]> {
    const probed = await Promise.all(
      this.#bridges
        .filter(({ listing }) => listing !== 'never')
        .map(async (listed) => ({ ...listed, availability: await listed.bridge.probe() })),
    );
    const hasRealAgent = probed.some(({ listing, availability }) => listing === 'always' && availability.isAvailable);
    return probed
      .filter(({ listing }) => listing === 'always' || !hasRealAgent)
      .map(({ bridge, availability }) => describe(bridge, availability));
  }

  /**
   * Opens a session with an agent.
   * @throws HeddleError `unknown_agent`, `agent_disabled`, `agent_unavailable`.
   */
  async open(name: string): Promise<Channel> {
    return this.#find(name).open();
  }

  /**
   * Ends an agent's process; its sessions end, the next one starts it again.
   * @throws HeddleError `unknown_agent`, `agent_disabled`.
   */
  async restart(name: string): Promise<void> {
    await this.#find(name).restart();
  }

  async close(): Promise<void> {
    await Promise.all(this.#bridges.map(({ bridge }) => bridge.close()));
  }

  #find(name: string): Bridge {
    const found = this.#bridges.find(({ bridge }) => bridge.name === name);
    if (found === undefined) {
      const known = this.#bridges.filter(({ listing }) => listing !== 'never').map(({ bridge }) => bridge.name);
      throw new HeddleError('unknown_agent', `there is no agent "${name}"`, { hint: `Known here: ${known.join(', ')}.` });
    }
    if (found.listing === 'never') {
      throw new HeddleError('agent_disabled', `the agent "${name}" is switched off`, {
        hint: `Set "enabled = true" under [agents.${name}] in host.toml, then run \`heddle reload\`.`,
      });
    }
    return found.bridge;
  }
}

function describe(bridge: Bridge, availability: Availability): AgentInfo {
  return {
    name: bridge.name,
    display_name: bridge.displayName,
    available: availability.isAvailable,
    ...(availability.version === undefined ? {} : { version: availability.version }),
    capabilities: { ...bridge.capabilities },
    ...(availability.isAvailable ? {} : { unavailable: { reason: availability.reason, fix: availability.fix } }),
  };
}
