// Owns the demo bridge: a scripted agent behind the same wire as the real ones, for a machine that has none.
// Whether it is listed is the daemon's rule. It needs no network, no account and no program but a shell.

import { type Availability, type Bridge, type BridgeContext, createHubBridge, type HandlersOf } from '@heddle/bridge-kit';
import { capabilitiesOf } from '../capabilities.ts';
import { DemoAgent, MODEL } from './demo-agent.ts';

/** What holds for every thread of the demo, whatever was asked for. */
const configRequest: HandlersOf<'config/read'> = {
  'config/read'(call) {
    const config = { model: MODEL, model_provider: MODEL, approval_policy: 'untrusted', sandbox_mode: 'danger-full-access' };
    call.reply({ config, origins: {}, layers: null });
  },
};

/**
 * A demo agent. Its threads live in memory until the bridge is closed: at most 200, of which the one that was idle for
 * longest is forgotten to make room, each with its last 200 turns or 8 MiB. What a user can write to it is in
 * `script.ts`. It asks before each command and each write, whatever approval policy the client chose, and acts only in
 * a private temporary folder per thread, which goes with the thread.
 */
export function createDemoBridge(context: BridgeContext): Bridge {
  const { heddleVersion: version, launchEnv, log } = context;
  const agent = new DemoAgent({ version, launchEnv, log });
  return createHubBridge({
    name: 'demo',
    displayName: 'Demo',
    capabilities: capabilitiesOf('demo'),
    context,
    probe: () => Promise.resolve<Availability>({ isAvailable: true, version }),
    createAgent: () => agent,
    handlers: configRequest,
    closeAgent: () => agent.removeAll(),
  });
}
