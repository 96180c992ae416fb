// What heddle's port would be with the library's own `tcp()`, for comparison; in a process of its own.

import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { tcp } from '@libp2p/tcp';
import { createLibp2p } from 'libp2p';

const node = await createLibp2p({
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  connectionMonitor: { enabled: false },
  // As in packages/endpoint/src/node.ts: with the library's own numbers ten connections take all places.
  connectionManager: { maxIncomingPendingConnections: 200, inboundConnectionThreshold: 50, inboundUpgradeTimeout: 3_000 },
});
process.send?.({ tcpPort: Number(/tcp\/(\d+)/.exec(String(node.getMultiaddrs()[0]))?.[1]) });
process.on('disconnect', () => process.exit(0));
