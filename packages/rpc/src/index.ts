// How messages travel: byte flows, frames, channels, the link, JSON-RPC. It knows no method's name.

export { BoundedQueue, type BoundedQueueOptions } from './bounded-queue.ts';
export type { ByteDuplex } from './byte-duplex.ts';
export { type Channel, closedNormally, type CloseReason, connectionLost, joinChannels } from './channel.ts';
export { concatBytes, encodeFrame, FrameReader, readJsonFrame, writeJsonFrame } from './frames.ts';
export { type IncomingRequest, JsonRpcPeer, type JsonRpcPeerOptions, RpcError, toErrorBody } from './json-rpc-peer.ts';
export { encodeLine, jsonlChannel, splitLines } from './jsonl.ts';
export {
  attachedLink,
  clientLinkLimits,
  daemonLinkLimits,
  Link,
  type LinkOptions,
  MAX_MESSAGE_TO_CLIENT_BYTES,
  MAX_MESSAGE_TO_DAEMON_BYTES,
} from './link.ts';
export { frameKinds, MAX_FRAME_BODY_BYTES } from './link-frames.ts';
export { libp2pDuplex, yamuxLimits } from './libp2p-duplex.ts';
export { type Log, type LogFields, silentLog } from './log.ts';
export { memoryChannelPair } from './memory-channel.ts';
export { webSocketChannel, type WebSocketChannelOptions } from './websocket-channel.ts';
