// Owns the list of devices as people read it: a name, what it may do, when and where it was seen, what it uses.

import type { ControlData } from '@heddle/control/protocol';
import { formatDuration } from './format-duration.ts';
import type { Paint } from './paint.ts';
import { printable } from './printable.ts';

export type ListedDevice = ControlData<'devices'>['devices'][number];

/** Two lines for each device: the second has the peer id and the address. */
export function renderDevices(devices: readonly ListedDevice[], nowMs: number, paint: Paint): string[] {
  const names = devices.map(({ name }) => printable(name));
  const nameWidth = Math.max(0, ...names.map((name) => name.length));
  return devices.flatMap((device, at) => {
    const isRevoked = device.revoked_at_ms !== null;
    const mark = isRevoked ? paint('red', '✗') : device.connected ? paint('green', '●') : '○';
    const state = isRevoked ? `revoked ${ago(device.revoked_at_ms ?? 0, nowMs)}` : device.scope.padEnd(5);
    const uses = device.agents.length === 0 ? [] : [`uses ${device.agents.map(printable).join(', ')}`];
    const about = [state, ...(isRevoked ? [] : [seen(device, nowMs), ...uses])];
    const address = device.last_address === null ? '' : `  from ${printable(device.last_address)}`;
    return [
      `${mark} ${(names[at] ?? '').padEnd(nameWidth)}  ${about.join('  ')}`.trimEnd(),
      `  ${paint('dim', `${device.peer_id}${address}`)}`,
    ];
  });
}

function seen({ connected, last_seen_ms: lastSeenMs }: ListedDevice, nowMs: number): string {
  if (connected) return 'connected';
  return lastSeenMs === null ? 'not seen yet' : `seen ${ago(lastSeenMs, nowMs)}`;
}

function ago(thenMs: number, nowMs: number): string {
  return `${formatDuration(Math.max(0, nowMs - thenMs))} ago`;
}
