import {
  type ByteDuplex,
  clientLinkOptions,
  daemonLinkOptions,
  encodeFrame,
  FrameReader,
  frameKinds,
  joinChannels,
  Link,
  MAX_FRAME_BODY_BYTES,
  memoryChannelPair,
} from '@heddle/rpc';
import { describe, expect, it } from 'vitest';
import { byteDuplexPair } from '../../support/byte-duplex-pair.ts';
import { bytes, collect, pull, text } from '../../support/collect.ts';

const linkOver = (duplex: ByteDuplex, options = clientLinkOptions) => new Link(duplex, new FrameReader(duplex.source), options);

function linkPair(options: { chunkBytes?: number; highWater?: number } = {}) {
  const [left, right] = byteDuplexPair(options);
  return { client: linkOver(left), daemon: linkOver(right, daemonLinkOptions), left, right };
}

describe('Link', () => {
  it('writes a kind byte before each body (pinned)', async () => {
    const [left, right] = byteDuplexPair();
    const link = linkOver(left);
    await link.send(bytes('hi'));
    link.close({ code: 'closed', message: 'bye' });
    const frames: number[][] = [];
    const reader = new FrameReader(right.source);
    for (let frame = await reader.next(1e6); frame !== undefined; frame = await reader.next(1e6)) frames.push([...frame]);
    expect(frames).toEqual([
      [0, 0x68, 0x69],
      [5, ...bytes('{"code":"closed","message":"bye"}')],
    ]);
  });

  it('carries messages both ways in order, whatever the chunks', async () => {
    const { client, daemon } = linkPair({ chunkBytes: 7 });
    const messages = Array.from({ length: 200 }, (_, n) => `${n} ${'ö'.repeat(n % 50)}`);
    const send = async (link: Link) => {
      for (const message of messages) await link.send(bytes(message));
      link.close();
    };
    const received = Promise.all([collect(client.incoming), collect(daemon.incoming)]);
    await send(daemon);
    const [atClient] = await received;
    expect(atClient.map(text)).toEqual(messages);
  });

  it('sends a long message in parts that are not mixed with others', async () => {
    const [left, right] = byteDuplexPair({ highWater: 1e9 });
    const link = linkOver(left);
    const long = new Uint8Array(3 * MAX_FRAME_BODY_BYTES + 5).map((_, n) => n % 251);
    void link.send(long);
    void link.send(bytes('after'));
    const reader = new FrameReader(right.source);
    const kinds: (number | undefined)[] = [];
    for (let n = 0; n < 5; n++) kinds.push((await reader.next(1e6))?.[0]);
    expect(kinds).toEqual([frameKinds.part, frameKinds.part, frameKinds.part, frameKinds.message, frameKinds.message]);

    const { client, daemon } = linkPair({ chunkBytes: 10_000 });
    const next = pull(daemon.incoming);
    void client.send(long);
    expect(Buffer.compare((await next()) as Uint8Array, long)).toBe(0);
  });

  it('refuses to send what is too long, and stays usable', async () => {
    const { client, daemon } = linkPair();
    await expect(client.send(new Uint8Array(16 * 1024 * 1024 + 1))).rejects.toMatchObject({ code: 'message_too_large' });
    await client.send(bytes('small'));
    expect(text(await pull(daemon.incoming)())).toBe('small');
  });

  it('ends, saying so, when parts add up to more than is allowed', async () => {
    const [left, right] = byteDuplexPair({ highWater: 1e9 });
    const daemon = linkOver(right, { maxIncomingBytes: 100_000, maxOutgoingBytes: 100 });
    const part = encodeFrame(Uint8Array.of(frameKinds.part), new Uint8Array(60_000));
    await left.write(part);
    await left.write(part);
    expect(await daemon.closed).toMatchObject({ code: 'message_too_large' });
    const client = linkOver(left);
    expect(await client.closed).toMatchObject({ code: 'message_too_large' });
  });

  it.each([
    ['an unknown kind', encodeFrame(Uint8Array.of(99, 1, 2))],
    ['an empty frame', encodeFrame(new Uint8Array(0))],
    ['a frame over the limit', encodeFrame(new Uint8Array(MAX_FRAME_BODY_BYTES + 2))],
    ['bytes that are no frame', new Uint8Array(20).fill(0xff)],
  ])('ends when the far side sends %s', async (_, wrong) => {
    const [left, right] = byteDuplexPair();
    const link = linkOver(right);
    await left.write(wrong);
    const reason = await link.closed;
    expect(['protocol_error', 'message_too_large']).toContain(reason.code);
    expect(await linkOver(left).closed).toEqual(reason);
  });

  it('answers a ping with its bytes, and ignores kinds that are reserved', async () => {
    const [left, right] = byteDuplexPair();
    const link = linkOver(right);
    await left.write(Buffer.concat([encodeFrame(Uint8Array.of(frameKinds.ack, 9)), encodeFrame(Uint8Array.of(frameKinds.ping, 1, 2, 3))]));
    expect([...((await new FrameReader(left.source).next(100)) as Uint8Array)]).toEqual([frameKinds.pong, 1, 2, 3]);
    link.close();
  });

  it('tells the reason of a close, and delivers what was sent before it', async () => {
    const { client, daemon } = linkPair();
    await daemon.send(bytes('last words'));
    daemon.close({ code: 'token_rotated', message: 'the token was replaced', hint: 'Pair again.' });
    expect((await collect(client.incoming)).map(text)).toEqual(['last words']);
    expect(await client.closed).toEqual({ code: 'token_rotated', message: 'the token was replaced', hint: 'Pair again.' });
    await expect(client.send(bytes('x'))).rejects.toMatchObject({ code: 'token_rotated' });
  });

  it('keeps the first reason when both sides close at once', async () => {
    const { client, daemon } = linkPair();
    client.close({ code: 'closed', message: 'mine' });
    daemon.close({ code: 'shutting_down', message: 'theirs' });
    expect((await client.closed).message).toBe('mine');
    expect((await daemon.closed).message).toBe('theirs');
  });

  it('is lost when the flow ends or is cut without a close', async () => {
    const first = linkPair();
    await first.left.closeWrite();
    expect((await first.daemon.closed).code).toBe('connection_lost');
    const second = linkPair();
    second.left.abort(new Error('reset'));
    expect((await second.daemon.closed).code).toBe('connection_lost');
    expect((await second.client.closed).code).toBe('connection_lost');
  });

  it('holds a sender back while the far side does not read', async () => {
    const { client, daemon } = linkPair();
    const message = new Uint8Array(60_000);
    let sent = 0;
    const sending = (async () => {
      for (; sent < 1_000; sent++) await client.send(message);
    })();
    for (let turn = 0; turn < 2_000; turn++) await Promise.resolve();
    expect(sent).toBeLessThan(60); // 3.6 MB at the most in all queues, of 60 MB
    const next = pull(daemon.incoming);
    for (let n = 0; n < 1_000; n++) await next();
    await sending;
    expect(sent).toBe(1_000);
  });
});

describe('joinChannels', () => {
  it('forwards both ways and carries the reason of the end', async () => {
    const [phone, a] = memoryChannelPair();
    const [b, agent] = memoryChannelPair();
    const joined = joinChannels(a, b);
    await phone.send(bytes('question'));
    expect(text(await pull(agent.incoming)())).toBe('question');
    await agent.send(bytes('answer'));
    agent.close({ code: 'agent_exited', message: 'it died' });
    expect((await collect(phone.incoming)).map(text)).toEqual(['answer']);
    expect(await phone.closed).toEqual({ code: 'agent_exited', message: 'it died' });
    expect(await joined).toEqual({ code: 'agent_exited', message: 'it died' });
  });

  it('tells both ends of a message that the other side can not take', async () => {
    const [phone, a] = memoryChannelPair();
    const [left] = byteDuplexPair();
    const joined = joinChannels(a, linkOver(left, { maxIncomingBytes: 10, maxOutgoingBytes: 10 }));
    await phone.send(bytes('eleven byte'));
    expect((await phone.closed).code).toBe('message_too_large');
    expect((await joined).code).toBe('message_too_large');
  });
});
