// The daemon, top to bottom the story of one phone message. Composition, reload and the order of the end are here;
// every protocol is in its own room:
//   endpoint  takes a phone's stream, reads its handshake, checks the token; its gate asks whether it is a device
//   agents    opens a session with the bridge that was asked for
//   rpc       joins the two: messages pass both ways until either side ends
//   control   does the same for this computer's own programs, and is the single-instance lock

import { endOrphans } from '@heddle/bridge-kit';
import { createBridges } from '@heddle/bridges';
import { startControlServer } from '@heddle/control/server';
import { type Endpoint, Gate, type PairingWindow, startEndpoint } from '@heddle/endpoint';
import {
  applyLive,
  createPairPayload,
  diffConfig,
  ensurePrivateDir,
  type HostConfig,
  type HostPaths,
  LaunchEnvironment,
  loadConfig,
  loadDevices,
  loadIdentity,
  type LogLevel,
  openLog,
  reachableAddresses,
  replaceToken,
} from '@heddle/host';
import type { CloseReason } from '@heddle/rpc';
import { asError, type AgentInfo, type PairPayload } from '@heddle/wire';
import { Agents } from './agents.ts';
import { type DaemonState, controlHandlers } from './control-handlers.ts';
import { openPairing } from './device-handlers.ts';
import { listingOf } from './listing.ts';

const shuttingDown: CloseReason = { code: 'shutting_down', message: 'heddle was stopped on that computer' };
const tokenRotated: CloseReason = { code: 'token_rotated', message: 'the token was replaced', hint: 'Pair this phone again.' };

export interface DaemonOptions {
  paths: HostPaths;
  /** Version of heddle. */
  version: string;
  /** From which level on the log also goes to stderr, for a daemon in the foreground. */
  stderrLevel?: LogLevel | undefined;
  /** What the daemon was started with; agents get it together with the login shell's. */
  env?: NodeJS.ProcessEnv;
}

/** A running daemon. */
export interface Daemon {
  readonly peerId: string;
  readonly warnings: readonly string[];
  pairPayload(): PairPayload;
  /** How many devices are paired; programs of this computer don't count. */
  deviceCount(): number;
  /** Opens the pairing window when no device was ever paired; undefined when one was. */
  openFirstPairing(): PairingWindow | undefined;
  listAgents(): Promise<AgentInfo[]>;
  /** Ends everything in order. Resolves when nothing of it is left. */
  stop(): Promise<void>;
  /** Resolves when it has stopped, whoever stopped it. */
  readonly stopped: Promise<void>;
}

/**
 * Starts the daemon.
 * @throws HeddleError `config_invalid`, `state_unreadable`, `daemon_running`, `port_in_use`.
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { paths, version } = options;
  let config: HostConfig = await loadConfig(paths.configFile);
  await ensurePrivateDir(paths.stateDir);
  const identity = await loadIdentity(paths.keyFile);
  const { serverPassword = '' } = config.agents.opencode;
  const secrets = [config.token, serverPassword];
  const hostLog = await openLog({ dir: paths.logDir, level: config.log.level, secrets, stderr: options.stderrLevel });
  const { log } = hostLog;
  const devices = await loadDevices({
    file: paths.devicesFile,
    token: config.token,
    onError: (error) => log.error('when devices were last seen could not be saved', { error: asError(error) }),
  });
  const gate = new Gate({ devices });
  const launchEnvironment = new LaunchEnvironment({ ownEnv: options.env ?? process.env, log });
  const ending: (() => Promise<unknown> | undefined)[] = [() => hostLog.close()]; // what was begun last ends first
  const end = async () => {
    for (const step of ending.toReversed()) {
      try {
        await step();
      } catch (error) {
        log.error('a part of the daemon did not end well', { error: asError(error) });
      }
    }
  };

  const pairPayload = () => createPairPayload({ config, identity, addresses: reachableAddresses(config.endpoint) });
  const useToken = async (token: string) => {
    hostLog.addSecret(token);
    config = { ...config, token };
    gate.closeWindow(); // it was opened for those who see the old token
    const forgetting = devices.forgetAll(token); // before the sessions end, so that nobody comes back in between
    const endedSessions = running.endpoint.endSessions(tokenRotated);
    await forgetting;
    return endedSessions;
  };
  const { promise: stopped, resolve: settleStopped } = Promise.withResolvers<void>();
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= end().then(settleStopped);
    return stopping;
  };

  const state: DaemonState = {
    paths,
    version,
    devices,
    gate,
    log,
    startedAtMs: Date.now(),
    config: () => config,
    addresses: () => reachableAddresses(config.endpoint),
    peerId: identity.peerId,
    pairPayload,
    running: () => running,
    async rotate() {
      const endedSessions = await useToken(await replaceToken(paths.configFile));
      log.info('token replaced', { endedSessions });
      return endedSessions;
    },
    async reload() {
      const next = await loadConfig(paths.configFile);
      const difference = diffConfig(config, next);
      const hasNewToken = next.token !== config.token;
      config = applyLive(config, next);
      if (hasNewToken) await useToken(next.token);
      hostLog.setLevel(config.log.level);
      launchEnvironment.refresh();
      running.agents.setListing((name) => listingOf(config, name));
      log.info('configuration read again', { ...difference });
      return { ...difference, warnings: [...next.warnings] };
    },
    stop: () => void stop(),
  };

  const running: { endpoint: Endpoint; agents: Agents } = await start();
  return {
    peerId: identity.peerId,
    warnings: config.warnings,
    pairPayload,
    deviceCount: () => devices.list().filter((device) => device.revoked_at_ms === null && !device.is_local).length,
    openFirstPairing: () => (devices.hasBeenPaired() ? undefined : openPairing(state)),
    listAgents: () => running.agents.list(),
    stop,
    stopped,
  };

  async function start() {
    const starting = Promise.withResolvers<void>();
    starting.promise.catch(() => {}); // told to whoever asks meanwhile; nobody may
    try {
      await ensurePrivateDir(paths.runtimeDir);
      // First the control socket: who holds it is the daemon, and nobody else touches what follows.
      const control = await startControlServer({
        socketPath: paths.controlSocket,
        version,
        handlers: controlHandlers(state, starting.promise),
        log: log.scope('control'),
      });
      ending.push(() => control.close());

      await endOrphans({ runtimeDir: paths.runtimeDir, log });
      const launchEnv = () => launchEnvironment.get();
      const context = {
        log: log.scope('bridge'),
        launchEnv,
        runtimeDir: paths.runtimeDir,
        stateDir: paths.stateDir,
        heddleVersion: version,
      };
      const bridges = createBridges(context, config.agents);
      const agents = new Agents(bridges.map((bridge) => ({ bridge, listing: listingOf(config, bridge.name) })));
      ending.push(() => agents.close());

      ending.push(() => devices.close());
      const endpoint = await startEndpoint({
        gate,
        seed: identity.seed,
        listen: config.endpoint.listen,
        port: config.endpoint.port,
        maxConnections: config.limits.maxConnections,
        maxStreamsPerConnection: config.limits.maxStreamsPerConnection,
        maxPendingHandshakes: config.limits.maxPendingHandshakes,
        detachedLifeMs: config.limits.detachedSessionSeconds * 1_000,
        log: log.scope('endpoint'),
        token: () => config.token,
        listAgents: () => agents.list(),
        openAgent: (name) => agents.open(name),
        restartAgent: (name) => agents.restart(name),
      });
      ending.push(() => endpoint.stop(shuttingDown));
      starting.resolve();
      log.info('daemon started', { version, peerId: identity.peerId, pid: process.pid });
      return { endpoint, agents };
    } catch (error) {
      log.info('the daemon did not start', { error: asError(error) });
      starting.reject(asError(error));
      await end();
      throw error;
    }
  }
}
