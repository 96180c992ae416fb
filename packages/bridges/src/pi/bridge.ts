// Owns the pi bridge: pi's own RPC mode behind the thread hub, one process for each thread that is used, each with
// heddle's extension in it that asks before pi acts.

import { mkdir, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  type Availability,
  believingYes,
  type Bridge,
  type BridgeContext,
  createHubBridge,
  ProgramFinder,
  quoted,
} from '@heddle/bridge-kit';
import { asError, HeddleError } from '@heddle/wire';
import { capabilitiesOf } from '../capabilities.ts';
import { PiAgent } from './agent.ts';
import { type InstalledPi, PiProcesses, unguarded } from './agent-processes.ts';
import { engineEnvironment, engineFolder, engineModel, type PiEngine } from './engine.ts';
import { guardSource } from './guard-source.ts';
import { foldersOf } from './history/session-folders.ts';
import { askModels, availabilityOf, findPi } from './probe.ts';
import { PiStore } from './store.ts';

export interface PiOptions {
  /** Program name on PATH, or absolute path. */
  command: string;
  /** Whether a client may choose that pi acts without anybody being asked. */
  allowFullAccess: boolean;
  /** A model server of the user's own to run on; `undefined`: what pi is configured for. */
  engine: PiEngine | undefined;
}

const GUARD_FILE = 'pi-guard.js';

/** Makes the pi bridge; nothing is started before the first thread. */
export function createPiBridge(context: BridgeContext, options: PiOptions): Bridge {
  const { launchEnv, log, runtimeDir, stateDir } = context;
  const { engine } = options;
  // Even `pi --version` makes files in pi's folder: with an engine that is not the user's.
  const programs = new ProgramFinder(async () => {
    const user = await launchEnv();
    return engine === undefined ? user : { ...user, PI_CODING_AGENT_DIR: engineFolder(stateDir) };
  });
  const hasModels = believingYes(askModels);
  // Known from the first probe on, which comes before everything else.
  let version = '';
  let env: NodeJS.ProcessEnv = {};
  /** Versions that were seen not to load the guard. */
  const refused = new Map<string, HeddleError>();
  const nameOf = (pi: InstalledPi) => `${pi.path} ${pi.version ?? ''}`;
  const find = async () => {
    const installation = await findPi(programs, options.command);
    if (!('unavailable' in installation)) version = installation.version ?? version;
    return installation;
  };
  const require = async () => {
    const installation = await find();
    if (!('unavailable' in installation)) return installation;
    const { reason, fix } = installation.unavailable;
    throw new HeddleError('agent_unavailable', reason, { hint: fix });
  };
  const environment = async (pi: InstalledPi) => {
    const user = await launchEnv();
    return engine === undefined ? user : engineEnvironment(engine, stateDir, user, pi);
  };
  const processes = new PiProcesses({
    find: require,
    env: environment,
    guardFile: () => writeGuard(runtimeDir),
    onUnguarded: (pi) => refused.set(nameOf(pi), unguarded(pi)),
    defaultModel: engine === undefined ? undefined : engineModel(engine),
    allowFullAccess: options.allowFullAccess,
    runtimeDir,
    log,
  });
  const probe = async (): Promise<Availability> => {
    const installation = await find();
    if ('unavailable' in installation) return installation.unavailable;
    try {
      env = await environment(installation);
    } catch (error) {
      return unavailable(version, asError(error));
    }
    const refusal = refused.get(nameOf(installation));
    if (refusal !== undefined) return unavailable(version, refusal);
    return availabilityOf(installation, engine === undefined ? await hasModels(installation.path, env) : undefined);
  };

  return createHubBridge({
    name: 'pi',
    displayName: 'pi',
    capabilities: capabilitiesOf('pi'),
    context,
    probe,
    get home() {
      return foldersOf(env).agentDir;
    },
    createAgent(hub) {
      const folders = foldersOf(env);
      const home = env['HOME'] ?? homedir();
      const readable = [join(folders.agentDir, 'skills'), join(home, '.agents', 'skills')];
      const commandPrefix = engine === undefined ? '' : `PI_CODING_AGENT_DIR=${quoted(engineFolder(stateDir))} `;
      const store = new PiStore(folders);
      return new PiAgent({ hub, processes, store, home, readable, version: () => version, commandPrefix, log });
    },
    stopAgent: () => processes.endAll(),
    closeAgent: () => processes.close(),
  });
}

/** The extension, where pi can load it from; written anew each time, whatever has become of it. */
async function writeGuard(runtimeDir: string): Promise<string> {
  const file = join(runtimeDir, GUARD_FILE);
  const next = join(runtimeDir, `.${GUARD_FILE}.${process.pid}.${Math.random().toString(36).slice(2)}`);
  await mkdir(runtimeDir, { recursive: true, mode: 0o700 });
  await writeFile(next, guardSource, { mode: 0o600 });
  await rename(next, file); // one that starts meanwhile reads it whole
  return file;
}

function unavailable(version: string, error: Error): Availability {
  const fix = error instanceof HeddleError && error.hint !== undefined ? error.hint : 'Look at `heddle logs`.';
  return { isAvailable: false, version: version === '' ? undefined : version, reason: error.message, fix };
}
