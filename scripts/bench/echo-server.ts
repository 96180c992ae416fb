// The far side of the benchmark, in a process of its own: one echo, behind several doors — raw TCP, a
// plain WebSocket, bare libp2p streams, and heddle's endpoint with an agent that sends every message back.

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { Gate, startEndpoint } from '@heddle/endpoint';
import { memoryChannelPair, silentLog } from '@heddle/rpc';
import type { PairPayload } from '@heddle/wire';
import { WebSocketServer } from 'ws';
import { serveLibp2pEcho } from './libp2p-echo.ts';

const tcp = createServer((socket) =>
  socket
    .setNoDelay(true)
    .on('error', () => socket.destroy())
    .pipe(socket),
);
await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));

const webSocket = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
webSocket.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
await new Promise((resolve) => webSocket.once('listening', resolve));

const token = randomBytes(32).toString('hex');
const free = createServer();
await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
const { port } = free.address() as { port: number };
await new Promise((resolve) => free.close(resolve));
/** What is measured is the way of a message, not who may send one. */
const everyone = { hasBeenPaired: () => true, find: () => ({ scope: 'drive', isRevoked: false }) as const, enrol: async () => undefined };
const gate = new Gate({ devices: { ...everyone, seen: () => undefined } });
const endpoint = await startEndpoint({
  gate,
  seed: randomBytes(32),
  listen: ['127.0.0.1'],
  port,
  maxConnections: 100,
  maxStreamsPerConnection: 64,
  maxPendingHandshakes: 64,
  detachedLifeMs: 600_000,
  log: silentLog,
  token: () => token,
  listAgents: async () => [],
  restartAgent: async () => undefined,
  async openAgent() {
    const [phone, agent] = memoryChannelPair();
    void (async () => {
      for await (const message of agent.incoming) await agent.send(message);
    })();
    return phone;
  },
});

const payload: PairPayload = { v: 1, peer_id: endpoint.peerId, token, addrs: [`/ip4/127.0.0.1/tcp/${port}`] };
process.send?.({
  tcpPort: (tcp.address() as { port: number }).port,
  webSocketPort: (webSocket.address() as { port: number }).port,
  libp2pAddress: await serveLibp2pEcho(),
  payload,
});
process.on('disconnect', () => process.exit(0));
