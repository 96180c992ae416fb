// Owns the claude bridge: claude's own `-p` mode behind the thread hub, one process for each thread that is used.

import { homedir } from 'node:os';
import { join } from 'node:path';
import { believingYes, type Bridge, type BridgeContext, createHubBridge, ProgramFinder } from '@heddle/bridge-kit';
import { HeddleError } from '@heddle/wire';
import { capabilitiesOf } from '../capabilities.ts';
import { ClaudeAgent } from './agent.ts';
import { ClaudeProcesses } from './agent-processes.ts';
import { availabilityOf, findClaude, askLogin } from './probe.ts';
import { ClaudeStore } from './store.ts';

export interface ClaudeOptions {
  /** Program name on PATH, or absolute path. */
  command: string;
  /** Whether a client may choose that claude acts without asking. */
  allowFullAccess: boolean;
}

/** Makes the claude bridge; nothing is started before the first thread. */
export function createClaudeBridge(context: BridgeContext, options: ClaudeOptions): Bridge {
  const { launchEnv, log, runtimeDir } = context;
  const programs = new ProgramFinder(launchEnv);
  const isLoggedInNow = believingYes(askLogin);
  // Known from the first probe on, which comes before everything else.
  let version = '';
  let home = homedir();
  let configDir = join(home, '.claude');
  const find = async () => {
    const installation = await findClaude(programs, options.command);
    if (!('unavailable' in installation)) version = installation.version ?? version;
    return installation;
  };
  const findCommand = async () => {
    const installation = await find();
    if (!('unavailable' in installation)) return installation.path;
    const { reason, fix } = installation.unavailable;
    throw new HeddleError('agent_unavailable', reason, { hint: fix });
  };
  const processes = new ClaudeProcesses({ findCommand, launchEnv, allowFullAccess: options.allowFullAccess, runtimeDir, log });

  return createHubBridge({
    name: 'claude',
    displayName: 'Claude',
    capabilities: capabilitiesOf('claude'),
    context,
    async probe() {
      const [installation, env] = await Promise.all([find(), launchEnv()]);
      home = env['HOME'] ?? homedir();
      configDir = env['CLAUDE_CONFIG_DIR'] ?? join(home, '.claude');
      const isLoggedIn = 'unavailable' in installation ? undefined : await isLoggedInNow(installation.path, env);
      return availabilityOf(installation, isLoggedIn);
    },
    get home() {
      return configDir;
    },
    createAgent(hub) {
      const store = new ClaudeStore({ configDir });
      return new ClaudeAgent({ hub, processes, store, configDir, home, version: () => version, log });
    },
    stopAgent: () => processes.endAll(),
    closeAgent: () => processes.close(),
  });
}
