// Owns what the daemon does for the operations of the control socket that concern devices and pairing.

import type { ControlHandlers } from '@heddle/control/server';
import type { Endpoint, Gate, PairingWindow } from '@heddle/endpoint';
import type { Devices } from '@heddle/host';
import type { CloseReason, Log } from '@heddle/rpc';
import type { PairPayload } from '@heddle/wire';

/** What these handlers need of the daemon. */
export interface DeviceState {
  readonly devices: Devices;
  readonly gate: Gate;
  readonly log: Log;
  pairPayload(): PairPayload;
  running(): { endpoint: Endpoint };
}

type DeviceHandlers = Pick<ControlHandlers, 'pair' | Extract<keyof ControlHandlers, `devices${string}`>>;

const PAIRING_MINUTES = 10;
const PAIRING_DEVICES = 1;

const revoked: CloseReason = { code: 'device_revoked', message: 'this device was removed on that computer' };

/** Opens the pairing window: 10 minutes, one device, unless told otherwise. */
export function openPairing(
  { gate, log }: Pick<DeviceState, 'gate' | 'log'>,
  wish: { minutes?: number | undefined; devices?: number | undefined } = {},
) {
  const window = gate.openWindow({ forMs: (wish.minutes ?? PAIRING_MINUTES) * 60_000, devices: wish.devices ?? PAIRING_DEVICES });
  log.info('pairing window opened', { ...window });
  return window;
}

/** The handlers; each waits until the daemon has started. */
export function deviceHandlers(state: DeviceState, started: Promise<void>): DeviceHandlers {
  const { devices, gate, log } = state;
  return {
    async pair({ minutes, devices: count }) {
      await started;
      const payload = state.pairPayload(); // may fail; then no window is opened
      return { payload, window: toWire(openPairing(state, { minutes, devices: count })) };
    },
    async devices() {
      await started;
      const { endpoint } = state.running();
      const connected = new Set(endpoint.connectedPeers());
      const agents = Map.groupBy(endpoint.sessions(), ({ peerId }) => peerId);
      const list = devices.list().map((device) => ({
        ...device,
        connected: connected.has(device.peer_id),
        agents: [...new Set(agents.get(device.peer_id)?.map(({ agent }) => agent))],
      }));
      return { devices: list, window: gate.window === undefined ? null : toWire(gate.window) };
    },
    async 'devices.rename'({ id, name }) {
      await started;
      const { peer_id, name: given } = await devices.rename(id, name);
      return { peer_id, name: given };
    },
    async 'devices.scope'({ id, scope }) {
      await started;
      const { peer_id, name } = await devices.setScope(id, scope);
      log.info('scope of a device changed', { peer: peer_id, scope });
      return { peer_id, name, scope };
    },
    async 'devices.revoke'({ id }) {
      await started;
      const { peer_id: peerId } = devices.resolve(id);
      const revoking = devices.revoke(peerId); // refused from here on; the rest need not wait for the disk
      const endedSessions = state.running().endpoint.endSessionsOf(peerId, revoked);
      const { name } = await revoking;
      log.info('device revoked', { peer: peerId, endedSessions });
      return { peer_id: peerId, name, ended_sessions: endedSessions };
    },
    async 'devices.enrol'({ peer_id: peerId, name }) {
      await started;
      if (!gate.isDevice(peerId)) await devices.enrol(peerId, name, { isLocal: true });
      return { payload: state.pairPayload() };
    },
  };
}

function toWire({ untilMs, devices }: PairingWindow) {
  return { until_ms: untilMs, devices };
}
