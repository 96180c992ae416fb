// What junk on the port costs the daemon: CPU time per megabyte that a stranger sends before the key exchange.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { EchoAddresses } from './doors.ts';

const JUNK = new Uint8Array(1_000_000).fill(0xff);
const CONNECTIONS = 4;
/** Linux counts CPU time in hundredths of a second. */
const MS_PER_TICK = 10;
/** Against the guard a megabyte is less than a tick: many are needed to see it. */
const GUARDED_CONNECTIONS = 400;

export interface JunkCost {
  /** With heddle's guard. */
  guardedMsPerMb: number;
  /** With the library's own `tcp()`, same limits. */
  plainMsPerMb: number;
}

/** Sends junk to heddle's endpoint, and to a libp2p node without the guard. */
export async function measureJunk(): Promise<JunkCost> {
  const guarded = fork(new URL('./echo-server.ts', import.meta.url));
  const plain = fork(new URL('./plain-libp2p-server.ts', import.meta.url));
  try {
    const [[{ payload }], [{ tcpPort }]] = (await Promise.all([once(guarded, 'message'), once(plain, 'message')])) as [
      [EchoAddresses],
      [{ tcpPort: number }],
    ];
    const guardedPort = Number(payload.addrs[0]?.split('/').at(-1));
    return {
      guardedMsPerMb: await cpuPerConnection(guarded, guardedPort, GUARDED_CONNECTIONS),
      plainMsPerMb: await cpuPerConnection(plain, tcpPort, CONNECTIONS),
    };
  } finally {
    guarded.disconnect();
    plain.disconnect();
  }
}

async function cpuPerConnection(server: ChildProcess, port: number, connections: number): Promise<number> {
  await sendJunk(port); // warm
  const beforeMs = cpuMs(server);
  for (let n = 0; n < connections; n++) await sendJunk(port);
  return (cpuMs(server) - beforeMs) / connections;
}

/** Writes a megabyte and waits until the far side has closed. */
async function sendJunk(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1').on('error', () => socket.destroy()); // cut with a reset
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(JUNK);
  await closed;
}

function cpuMs({ pid }: ChildProcess): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8'); // Linux only, as is the daemon's weight
  const [user, system] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14); // utime and stime, proc(5)
  return (Number(user) + Number(system)) * MS_PER_TICK;
}
