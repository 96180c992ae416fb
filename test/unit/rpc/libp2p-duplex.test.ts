// Each test is a trap of libp2p's stream API (facts measured with 3.3.11) that the duplex has to survive.

import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import type { Libp2p, Stream } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { type ByteDuplex, FrameReader, encodeFrame, libp2pDuplex, yamuxLimits } from '@heddle/rpc';
import { createLibp2p } from 'libp2p';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytes, collect, pull, text } from '../../support/collect.ts';

const PROTOCOL = '/test/1';
const MiB = 1024 * 1024;
let server: Libp2p;
let client: Libp2p;
let accepted = Promise.withResolvers<ByteDuplex>();

const createNode = (listen: string[]) =>
  createLibp2p({
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux(yamuxLimits)],
    connectionMonitor: { enabled: false },
  });

beforeAll(async () => {
  server = await createNode(['/ip4/127.0.0.1/tcp/0']);
  client = await createNode([]);
  await server.handle(PROTOCOL, (stream) => accepted.resolve(libp2pDuplex(stream)), { maxInboundStreams: 100 });
});
afterAll(async () => {
  await client.stop();
  await server.stop();
});

async function openStream(): Promise<{ stream: Stream; near: ByteDuplex; far: ByteDuplex }> {
  accepted = Promise.withResolvers();
  const connection = await client.dial(server.getMultiaddrs());
  const stream = await connection.newStream(PROTOCOL);
  return { stream, near: libp2pDuplex(stream), far: await accepted.promise };
}

describe('libp2pDuplex', () => {
  it('delivers a burst that ends with the half close, frame by frame', async () => {
    const { near, far } = await openStream();
    await near.write(Buffer.concat([encodeFrame(bytes('handshake')), encodeFrame(bytes('data'))]));
    await near.closeWrite();
    const reader = new FrameReader(far.source);
    expect(text(await reader.next(100))).toBe('handshake');
    await new Promise((resolve) => setTimeout(resolve, 20)); // the FIN has certainly come by now
    expect(text(await reader.next(100))).toBe('data');
    expect(await reader.next(100)).toBeUndefined();
    await far.write(bytes('still open this way'));
    await far.closeWrite();
    expect(text(Buffer.concat(await collect(near.source)))).toBe('still open this way');
    await near.closed;
    await far.closed;
  });

  it('ends a source that is read only after the far side has finished', async () => {
    const { near, far } = await openStream();
    await near.write(bytes('early'));
    await near.closeWrite();
    await far.closeWrite();
    await far.closed;
    expect(text(Buffer.concat(await collect(far.source)))).toBe('early');
  });

  it('waits for drain more than once, and holds the far side back', async () => {
    const { near, far, stream } = await openStream();
    const chunk = new Uint8Array(64 * 1024).fill(7);
    const total = 96;
    let written = 0;
    let peak = 0;
    const writing = (async () => {
      for (; written < total; written++) {
        await near.write(chunk);
        peak = Math.max(peak, stream.writeBufferLength);
      }
      await near.closeWrite();
    })();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(written).toBeLessThan(total); // nobody reads: 6 MiB do not fit in 1 MiB of window and two queues
    let received = 0;
    for await (const piece of far.source) received += piece.byteLength;
    await writing;
    expect(received).toBe(total * chunk.byteLength);
    expect(peak).toBeLessThan(MiB);
  });

  it('survives a pause after a fast transfer: 64 MiB into a reader that stops and goes', async () => {
    const { near, far } = await openStream();
    const chunk = new Uint8Array(64 * 1024);
    const writing = (async () => {
      for (let n = 0; n < 1024; n++) await near.write(chunk);
      await near.closeWrite();
    })();
    let received = 0;
    let nextStop = 8 * MiB;
    for await (const piece of far.source) {
      received += piece.byteLength;
      if (received < nextStop) continue;
      nextStop += 8 * MiB;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    await writing;
    expect(received).toBe(64 * MiB);
  });

  it('delivers what a paused stream still held when it was closed', async () => {
    const { near, far } = await openStream();
    const whole = new Uint8Array(700 * 1024).map((_, n) => n % 256);
    await near.write(whole);
    await near.closeWrite();
    await far.closeWrite();
    await new Promise((resolve) => setTimeout(resolve, 50)); // unread: the stream is paused by now
    expect(Buffer.compare(Buffer.concat(await collect(far.source)), whole)).toBe(0);
  });

  it('turns a reset into an Error for readers and writers alike', async () => {
    const { near, far } = await openStream();
    const reading = collect(far.source);
    reading.catch(() => undefined);
    near.abort(new Error('had enough'));
    await expect(reading).rejects.toBeInstanceOf(Error);
    await far.closed;
    await expect(far.write(bytes('x'))).rejects.toBeInstanceOf(Error);
    await expect(near.write(bytes('x'))).rejects.toBeInstanceOf(Error);
  });

  it('lets a writer that waits for drain go when the stream is reset', async () => {
    const { near, far } = await openStream();
    const writing = (async () => {
      for (;;) await near.write(new Uint8Array(256 * 1024));
    })();
    writing.catch(() => undefined);
    await pull(far.source)();
    far.abort(new Error('gone'));
    await expect(writing).rejects.toBeInstanceOf(Error);
    await near.closed;
  });

  it('lets writers and readers go when the connection is cut', async () => {
    const { near, far } = await openStream();
    const reading = collect(near.source);
    reading.catch(() => undefined);
    for (const connection of server.getConnections()) connection.abort(new Error('cut'));
    await expect(reading).rejects.toBeInstanceOf(Error);
    await Promise.all([near.closed, far.closed]);
  });
});
