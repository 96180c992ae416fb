// An echo on a libp2p stream, with heddle's own Noise and Yamux settings and nothing of heddle above them: bare bytes,
// or a link and no endpoint. What a link costs is the difference between the two.

import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { attachedLink, type ByteDuplex, clientLinkLimits, daemonLinkLimits, FrameReader, libp2pDuplex, yamuxLimits } from '@heddle/rpc';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import type { Door } from './doors.ts';

const BYTES_PROTOCOL = '/bench/bytes';
const LINK_PROTOCOL = '/bench/link';

const nodeOptions = {
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux(yamuxLimits)],
  connectionMonitor: { enabled: false },
};

/** Starts listening; resolves with the multiaddr. */
export async function serveLibp2pEcho(): Promise<string> {
  const node = await createLibp2p({ ...nodeOptions, addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] } });
  await node.handle(BYTES_PROTOCOL, (stream) => void echoBytes(libp2pDuplex(stream)));
  await node.handle(LINK_PROTOCOL, (stream) => void echoMessages(libp2pDuplex(stream)));
  return String(node.getMultiaddrs()[0]);
}

async function echoBytes(duplex: ByteDuplex): Promise<void> {
  for await (const bytes of duplex.source) await duplex.write(bytes);
}

async function echoMessages(duplex: ByteDuplex): Promise<void> {
  const link = attachedLink(duplex, new FrameReader(duplex.source), daemonLinkLimits);
  for await (const message of link.incoming) await link.send(message);
}

/** A stream and nothing above it: pieces come back as they come. */
export async function openLibp2p(address: string): Promise<Door> {
  const { duplex, close } = await openStream(address, BYTES_PROTOCOL);
  const door: Door = { name: 'libp2p', onBytes: () => {}, send: (message) => duplex.write(message), close };
  void (async () => {
    for await (const bytes of duplex.source) door.onBytes(bytes.byteLength);
  })().catch(() => {}); // it was closed
  return door;
}

/** The same stream with a link on it. */
export async function openLink(address: string): Promise<Door> {
  const { duplex, close } = await openStream(address, LINK_PROTOCOL);
  const link = attachedLink(duplex, new FrameReader(duplex.source), clientLinkLimits);
  const door: Door = { name: 'link', onBytes: () => {}, send: (message) => link.send(message), close };
  void (async () => {
    for await (const message of link.incoming) door.onBytes(message.byteLength);
  })();
  return door;
}

async function openStream(address: string, protocol: string): Promise<{ duplex: ByteDuplex; close: () => Promise<void> }> {
  const node = await createLibp2p(nodeOptions);
  const connection = await node.dial(multiaddr(address));
  const duplex = libp2pDuplex(await connection.newStream(protocol));
  return { duplex, close: async () => node.stop() };
}
