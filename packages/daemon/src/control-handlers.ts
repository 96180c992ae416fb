// Owns what the daemon does for each operation of the control socket: thin translations, no decisions.

import { randomUUID } from 'node:crypto';
import type { ControlHandlers } from '@heddle/control/server';
import type { ControlSession } from '@heddle/control/protocol';
import type { Endpoint } from '@heddle/endpoint';
import type { HostConfig, HostPaths } from '@heddle/host';
import type { Agents } from './agents.ts';
import { deviceHandlers, type DeviceState } from './device-handlers.ts';

/** What the handlers need of the daemon. */
export interface DaemonState extends DeviceState {
  readonly paths: HostPaths;
  readonly version: string;
  readonly startedAtMs: number;
  readonly peerId: string;
  config(): HostConfig;
  addresses(): string[];
  running(): { endpoint: Endpoint; agents: Agents };
  /** Returns how many sessions it ended. */
  rotate(): Promise<number>;
  reload(): Promise<{ applied: string[]; needsRestart: string[]; warnings: string[] }>;
  /** Starts the end and does not wait for it. */
  stop(): void;
}

/** The handlers; each waits until the daemon has started. */
export function controlHandlers(state: DaemonState, started: Promise<void>): ControlHandlers {
  const localSessions = new Map<string, ControlSession>();
  return {
    async status() {
      await started;
      const { endpoint } = state.running();
      const sessions = endpoint
        .sessions()
        .map(({ id, agent, peerId, sinceMs, isAttached }) => ({ id, agent, peer_id: peerId, since_ms: sinceMs, attached: isAttached }));
      return {
        version: state.version,
        pid: process.pid,
        peer_id: state.peerId,
        port: state.config().endpoint.port,
        addrs: state.addresses(),
        uptime_ms: Date.now() - state.startedAtMs,
        connections: endpoint.connectionCount(),
        sessions: [...sessions, ...localSessions.values()],
        config_file: state.paths.configFile,
        log_dir: state.paths.logDir,
        warnings: [...state.config().warnings],
      };
    },
    async agents() {
      await started;
      return { agents: await state.running().agents.list() };
    },
    ...deviceHandlers(state, started),
    async rotate() {
      await started;
      const endedSessions = await state.rotate();
      return { payload: state.pairPayload(), ended_sessions: endedSessions };
    },
    async reload() {
      await started;
      const { applied, needsRestart, warnings } = await state.reload();
      return { applied, needs_restart: needsRestart, warnings };
    },
    stop() {
      state.stop();
      return {};
    },
    async attach({ agent }) {
      await started;
      const channel = await state.running().agents.open(agent);
      const session: ControlSession = { id: randomUUID(), agent, peer_id: null, since_ms: Date.now(), attached: true };
      localSessions.set(session.id, session);
      void channel.closed.then(() => localSessions.delete(session.id));
      return channel;
    },
  };
}
