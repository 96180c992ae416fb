// A running endpoint whose one agent, "echo", sends every message back; for tests of the door itself.

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { type Endpoint, type EndpointOptions, startEndpoint } from '@heddle/endpoint';
import { type Channel, memoryChannelPair, silentLog } from '@heddle/rpc';
import { HeddleError, type PairPayload } from '@heddle/wire';
import { gateForEveryone } from './everyone.ts';

export interface EchoEndpoint {
  endpoint: Endpoint;
  payload: PairPayload;
  /** The agent's ends of all sessions, newest last. */
  agentChannels: Channel[];
  setToken: (token: string) => void;
  restarted: string[];
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function startEchoEndpoint(overrides: Partial<EndpointOptions> = {}): Promise<EchoEndpoint> {
  let token = randomBytes(32).toString('hex');
  const agentChannels: Channel[] = [];
  const restarted: string[] = [];
  const port = overrides.port ?? (await freePort());
  const endpoint = await startEndpoint({
    seed: randomBytes(32),
    listen: ['127.0.0.1'],
    port,
    gate: gateForEveryone(),
    maxConnections: 100,
    maxStreamsPerConnection: 64,
    maxPendingHandshakes: 64,
    detachedLifeMs: 600_000,
    log: silentLog,
    token: () => token,
    listAgents: async () => [{ name: 'echo', display_name: 'Echo', available: true, capabilities: { approvals: 'none' } }],
    openAgent: async (name) => {
      if (name !== 'echo') throw new HeddleError('unknown_agent', `there is no agent "${name}"`, { hint: 'Known here: echo.' });
      const [phone, agent] = memoryChannelPair();
      agentChannels.push(agent);
      void (async () => {
        for await (const message of agent.incoming) await agent.send(message).catch(() => undefined);
      })();
      return phone;
    },
    restartAgent: async (name) => void restarted.push(name),
    ...overrides,
  });
  const payload: PairPayload = { v: 1, peer_id: endpoint.peerId, token, addrs: [`/ip4/127.0.0.1/tcp/${port}`] };
  return { endpoint, payload, agentChannels, restarted, setToken: (next) => (token = next) };
}
