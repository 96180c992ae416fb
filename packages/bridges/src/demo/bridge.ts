// Owns the demo bridge: a scripted agent behind the same wire as the real ones, for a machine that has none.
// Whether it is listed is the daemon's rule. It needs no network, no account and no program but a shell.

import {
  Audience,
  type Availability,
  type Bridge,
  type BridgeContext,
  HubServer,
  ThreadHub,
  threadReads,
  threadRequests,
  turnRequests,
} from '@heddle/bridge-kit';
import type { CloseReason } from '@heddle/rpc';
import { HeddleError } from '@heddle/wire';
import { aboutRequests, demoSettings, experimentalMethods, MODEL } from './about-requests.ts';
import { DemoAgent } from './demo-agent.ts';

const restarted: CloseReason = {
  code: 'agent_exited',
  message: 'the demo agent was restarted',
  hint: 'Connect again and resume the thread.',
};
const ended: CloseReason = { code: 'agent_exited', message: 'the demo agent was ended' };

/**
 * A demo agent. Its threads live in memory until the bridge is closed: at most 200, of which the one that was idle for
 * longest is forgotten to make room, each with its last 200 turns or 8 MiB. What a user can write to it is in
 * `script.ts`. It asks before each command and each write, whatever approval policy the client chose, and acts only in
 * a private temporary folder per thread, which goes with the thread.
 */
export function createDemoBridge(context: BridgeContext): Bridge {
  const log = context.log.scope('demo');
  const audience = new Audience();
  const labels = { model: MODEL, modelProvider: MODEL, cliVersion: context.heddleVersion };
  const agent = new DemoAgent({ labels, env: context.env, log });
  const hub = new ThreadHub({ agent, audience, log });
  const server = new HubServer({
    hub,
    audience,
    log,
    identity: { program: `heddle-demo/${context.heddleVersion}`, home: context.runtimeDir },
    handlers: { ...threadRequests(hub, demoSettings), ...threadReads(hub), ...turnRequests(hub), ...aboutRequests },
    experimentalMethods,
  });
  let isClosed = false;

  return {
    name: 'demo',
    displayName: 'Demo',
    capabilities: { approvals: 'before' },
    probe: () => Promise.resolve<Availability>({ isAvailable: true, version: context.heddleVersion }),
    async open() {
      const channel = await server.open();
      if (!isClosed) return channel;
      channel.close(ended);
      throw new HeddleError('agent_unavailable', 'the demo agent was ended', { hint: 'Start the daemon again.' });
    },
    restart: () => server.stop(restarted),
    async close() {
      isClosed = true;
      await server.stop(ended);
      await agent.removeAll();
    },
  };
}
