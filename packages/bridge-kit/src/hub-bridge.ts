// Owns the making of a whole bridge out of an agent on the thread hub: sessions, threads, and the order of their end.
// Each agent's bridge.ts is this and what is special about it.

import { join } from 'node:path';
import type { Channel, CloseReason } from '@heddle/rpc';
import { HeddleError } from '@heddle/wire';
import type { Availability, Bridge, BridgeCapabilities, BridgeContext } from './bridge.ts';
import { Audience } from './server/audience.ts';
import type { HandlerTable } from './server/call.ts';
import { HubServer } from './server/hub-server.ts';
import { type MachineServices, machineServices } from './services/machine-services.ts';
import { agentRequests } from './threads/agent-requests.ts';
import type { HubAgent, HubForAgent } from './threads/hub-agent.ts';
import { shellRequests } from './threads/shell-requests.ts';
import { queueRequests } from './threads/queue-requests.ts';
import { ThreadCatalog } from './threads/thread-catalog.ts';
import { ThreadHub } from './threads/thread-hub.ts';
import { ThreadNotes } from './threads/thread-notes.ts';
import { threadReads } from './threads/thread-reads.ts';
import { threadRequests } from './threads/thread-requests.ts';
import { turnRequests } from './threads/turn-requests.ts';

/** Methods that only a client with the capability `experimentalApi` may call, as in codex 0.169. */
const experimentalMethods: ReadonlySet<string> = new Set([
  'collaborationMode/list',
  'thread/settings/update',
  'thread/queue/add',
  'thread/queue/list',
  'thread/queue/update',
  'thread/queue/delete',
  'thread/queue/reorder',
  'thread/queue/start',
]);

export interface HubBridgeOptions {
  /** Lower case: `claude`. */
  name: string;
  displayName: string;
  capabilities: BridgeCapabilities;
  context: BridgeContext;
  /** Never rejects. */
  probe(): Promise<Availability>;
  createAgent(hub: HubForAgent): HubAgent;
  /** Where the agent has its own files, as clients are told; absolute. Absent: the daemon's runtime folder. */
  home?: string;
  /** Further methods, or other ways to serve those that the hub has. */
  handlers?: HandlerTable;
  /** Every thread is unloaded: end what is left of the agent; it may be asked for things again afterwards. */
  stopAgent?(): Promise<void>;
  /** The last call, after `stopAgent`. */
  closeAgent?(): Promise<void>;
}

/** Makes a bridge; it starts nothing before it is opened. */
export function createHubBridge(options: HubBridgeOptions): Bridge {
  const { name, displayName, capabilities, context } = options;
  const log = context.log;
  const restarted: CloseReason = {
    code: 'agent_exited',
    message: `the ${name} agent was restarted`,
    hint: 'Connect again and resume the thread.',
  };
  const ended: CloseReason = { code: 'agent_exited', message: `the ${name} agent was ended` };
  let parts: Parts | undefined;
  let isClosed = false;

  const refuseClosed = () => {
    if (isClosed) throw new HeddleError('agent_unavailable', `the ${name} agent was ended`, { hint: 'Start the daemon again.' });
  };
  const stop = async (reason: CloseReason) => {
    await parts?.server.stop(reason); // the sessions' commands and watches end with them
    await options.stopAgent?.();
  };
  return {
    name,
    displayName,
    capabilities,
    probe: () => options.probe(),
    async open(): Promise<Channel> {
      refuseClosed();
      const availability = await options.probe();
      if (!availability.isAvailable) throw new HeddleError('agent_unavailable', availability.reason, { hint: availability.fix });
      refuseClosed();
      parts ??= assemble(options, availability.version);
      const channel = await parts.server.open();
      if (!isClosed) return channel;
      channel.close(ended);
      return refuseClosed() as never;
    },
    restart: () => stop(restarted),
    async close() {
      isClosed = true;
      await stop(ended);
      await Promise.all([parts?.hub.close(), parts?.services.close()]);
      await options.closeAgent?.();
      log.debug('closed');
    },
  };
}

interface Parts {
  hub: ThreadHub;
  server: HubServer;
  services: MachineServices;
}

function assemble(options: HubBridgeOptions, version: string | undefined): Parts {
  const { name, context } = options;
  const { log } = context;
  const audience = new Audience();
  const services = machineServices({ env: context.launchEnv, log });
  const path = join(context.stateDir, `threads-${name}.json`);
  const hub = new ThreadHub({
    createAgent: (forAgent) => options.createAgent(forAgent),
    audience,
    log,
    gitInfoOf: (cwd) => services.gitInfoOf(cwd),
    makeNotes: (agent) => new ThreadNotes({ path: agent.store === undefined ? undefined : path, log }),
  });
  const catalog = new ThreadCatalog(hub);
  const server = new HubServer({
    hub,
    audience,
    log,
    identity: { program: `heddle-${name}/${version ?? '0.0.0'}`, home: options.home ?? context.runtimeDir },
    handlers: {
      ...threadRequests(hub, catalog),
      ...threadReads(catalog),
      ...turnRequests(hub, catalog),
      ...queueRequests(hub),
      ...shellRequests(hub, context.launchEnv),
      ...agentRequests(hub),
      ...services.handlers,
      ...options.handlers,
    },
    experimentalMethods: new Set([...experimentalMethods, ...services.experimentalMethods]),
  });
  return { hub, server, services };
}
