// A daemon whose agent is a real one, reached as a phone reaches it: through libp2p.

import { spawnSync } from 'node:child_process';
import type { HostConnection } from '@heddle/client/node';
import type { Channel } from '@heddle/rpc';
import { afterAll, beforeAll, expect } from 'vitest';
import type { AgentUnderTest } from '../../conformance/agent-under-test.ts';
import { isAlive } from '../../support/process.ts';
import { startTestDaemon, type TestDaemon } from '../../support/test-daemon.ts';
import type { RealAgent } from './real-agent.ts';

export interface AgentDaemon extends TestDaemon {
  /** One more phone with a connection and a peer id of its own; it hangs up when the daemon is ended. */
  connect(): Promise<Channel>;
  /** As the conformance scenarios and the proofs see the agent. */
  underTest(): AgentUnderTest;
  /** The processes through which this test's daemons drive the agent: they are children of this very process. */
  agentPids(): number[];
  /** Ends all of them with SIGKILL. */
  killAgents(): Promise<void>;
}

/** @param options `toml`: further lines of the agent's table; `env`: what it finds besides its home. */
export async function startAgentDaemon(agent: RealAgent, options: { toml?: string; env?: NodeJS.ProcessEnv } = {}): Promise<AgentDaemon> {
  const toml = `${agent.toml}${options.toml ?? ''}`;
  const running = await startTestDaemon({ toml, env: { ...agent.env, ...options.env } });
  const phones: HostConnection[] = [];
  const connect = async () => {
    const phone = await running.dial();
    phones.push(phone);
    return phone.openChannel(agent.name);
  };
  const agentPids = () => processes().flatMap(({ pid, parent, args }) => (parent === process.pid && agent.isDriven(args) ? [pid] : []));
  const killAgents = async () => {
    const pids = agentPids();
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await expect.poll(() => pids.some(isAlive)).toBe(false);
  };
  return {
    ...running,
    connect,
    agentPids,
    killAgents,
    underTest: () => agent.underTest({ connect, kill: killAgents }),
    async end() {
      for (const phone of phones) await phone.close();
      await running.end();
    },
  };
}

/** What tests of one agent work with. */
export interface Prepared<Agent extends RealAgent> {
  agent: Agent;
  daemon: AgentDaemon;
}

/** One agent and one daemon for all tests of a file. Registers the hooks. */
export function prepareAgent<Agent extends RealAgent>(make: () => Promise<Agent>): () => Prepared<Agent> {
  let prepared: Prepared<Agent>;
  beforeAll(async () => {
    const agent = await make();
    prepared = { agent, daemon: await startAgentDaemon(agent) };
  });
  afterAll(async () => {
    await prepared.daemon.end();
    await prepared.agent.end();
  });
  return () => prepared;
}

/** Every process of this computer. */
export function processes(): { pid: number; parent: number; args: string }[] {
  const lines = spawnSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,args='], { encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 }).stdout.split(
    '\n',
  );
  return lines.flatMap((line) => {
    const [, pid, parent, args] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return args === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), args }];
  });
}
