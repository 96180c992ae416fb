// Owns the opencode bridge: its server behind the thread hub, one for all threads.

import { homedir } from 'node:os';
import { join } from 'node:path';
import { believingYes, type Bridge, type BridgeContext, createHubBridge, ProgramFinder } from '@heddle/bridge-kit';
import { HeddleError } from '@heddle/wire';
import { capabilitiesOf } from '../capabilities.ts';
import { OpencodeAgent } from './agent.ts';
import { availabilityOf, availabilityOfServer, findOpencode, askModels } from './probe.ts';
import type { OpencodeEngine } from './server/configuration.ts';
import { OpencodeServer } from './server/opencode-server.ts';

export interface OpencodeOptions {
  /** Program name on PATH, or absolute path. */
  command: string;
  /** Whether a client may choose that opencode acts without asking. */
  allowFullAccess: boolean;
  /** URL of a server that runs already. */
  server: string | undefined;
  /** A secret. */
  serverPassword: string | undefined;
  engine: OpencodeEngine | undefined;
}

/** Makes the opencode bridge; nothing is started before it is asked for something. */
export function createOpencodeBridge(context: BridgeContext, options: OpencodeOptions): Bridge {
  const { launchEnv, log, runtimeDir } = context;
  const { allowFullAccess, engine } = options;
  const programs = new ProgramFinder(launchEnv);
  const hasModels = believingYes(askModels);
  const address = options.server === undefined ? undefined : { url: options.server, password: options.serverPassword };
  // Known from the first probe on, which comes before everything else.
  let version = '';
  let home = homedir();
  let dataDir = join(home, '.local', 'share', 'opencode');
  const find = async () => {
    const installation = await findOpencode(programs, options.command);
    if (!('unavailable' in installation)) version = installation.version ?? version;
    return installation;
  };
  const findCommand = async () => {
    const installation = await find();
    if (!('unavailable' in installation)) return installation.path;
    const { reason, fix } = installation.unavailable;
    throw new HeddleError('agent_unavailable', reason, { hint: fix });
  };
  const server = new OpencodeServer({ findCommand, launchEnv, server: address, engine, runtimeDir, log });

  return createHubBridge({
    name: 'opencode',
    displayName: 'opencode',
    capabilities: capabilitiesOf('opencode'),
    context,
    async probe() {
      const env = await launchEnv();
      home = env['HOME'] ?? homedir();
      dataDir = join(env['XDG_DATA_HOME'] ?? join(home, '.local', 'share'), 'opencode');
      if (address !== undefined) {
        const availability = await availabilityOfServer(address);
        version = availability.version ?? version;
        return availability;
      }
      const installation = await find();
      const isKnown = 'unavailable' in installation || engine !== undefined || server.current !== undefined;
      return availabilityOf(installation, isKnown ? undefined : await hasModels(installation.path, env, runtimeDir));
    },
    get home() {
      return dataDir;
    },
    createAgent(hub) {
      const mode = engine?.agent === 'plan' ? 'plan' : 'default';
      return new OpencodeAgent({ hub, server, permissions: { allowFullAccess }, mode, home, version: () => version, log });
    },
    stopAgent: () => server.stop(),
    closeAgent: () => server.close(),
  });
}
