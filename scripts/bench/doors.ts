// Several ways to an echo, made alike: send a message, get messages back.

import { connect } from 'node:net';
import { dialHost } from '@heddle/client/node';
import type { PairPayload } from '@heddle/wire';
import { WebSocket } from 'ws';
import { openLibp2p, openLink } from './libp2p-echo.ts';

export interface Door {
  name: string;
  /** Resolves when there is room for another. */
  send(message: Uint8Array): Promise<void>;
  /** Called with the bytes of each piece that comes back. */
  onBytes: (count: number) => void;
  close(): Promise<void>;
}

export interface EchoAddresses {
  tcpPort: number;
  webSocketPort: number;
  libp2pAddress: string;
  payload: PairPayload;
}

async function openTcp(port: number): Promise<Door> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  await new Promise((resolve) => socket.once('connect', resolve));
  const door: Door = {
    name: 'raw TCP',
    onBytes: () => {},
    send: async (message) => {
      if (!socket.write(message)) await new Promise((resolve) => socket.once('drain', resolve));
    },
    close: async () => void socket.destroy(),
  };
  socket.on('data', (chunk) => door.onBytes(chunk.byteLength));
  return door;
}

async function openWebSocket(port: number): Promise<Door> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  await new Promise((resolve) => socket.once('open', resolve));
  const door: Door = {
    name: 'ws',
    onBytes: () => {},
    send: async (message) => {
      socket.send(message);
      while (socket.bufferedAmount > 1024 * 1024) await new Promise((resolve) => setImmediate(resolve));
    },
    close: async () => socket.terminate(),
  };
  socket.on('message', (data: Buffer) => door.onBytes(data.byteLength));
  return door;
}

async function openHeddle(payload: PairPayload): Promise<Door> {
  const host = await dialHost(payload);
  const channel = await host.openChannel('echo');
  const door: Door = { name: 'heddle', onBytes: () => {}, send: (message) => channel.send(message), close: () => host.close() };
  void (async () => {
    for await (const message of channel.incoming) door.onBytes(message.byteLength);
  })();
  return door;
}

/** Opens all of them, from the barest to heddle's own. */
export function openDoors({ tcpPort, webSocketPort, libp2pAddress, payload }: EchoAddresses): Promise<Door[]> {
  return Promise.all([
    openTcp(tcpPort),
    openWebSocket(webSocketPort),
    openLibp2p(libp2pAddress),
    openLink(libp2pAddress),
    openHeddle(payload),
  ]);
}
