import {
  attachedLink,
  type ByteDuplex,
  type Channel,
  clientLinkLimits,
  daemonLinkLimits,
  encodeFrame,
  FrameReader,
  frameKinds,
  joinChannels,
  Link,
  type LinkOptions,
  MAX_FRAME_BODY_BYTES,
  memoryChannelPair,
} from '@heddle/rpc';
import { describe, expect, it } from 'vitest';
import { byteDuplexPair } from '../../support/byte-duplex-pair.ts';
import { bytes, collect, pull, text } from '../../support/collect.ts';

const linkOver = (duplex: ByteDuplex, limits = clientLinkLimits) => attachedLink(duplex, new FrameReader(duplex.source), limits);

function linkPair(options: { chunkBytes?: number; highWater?: number } = {}) {
  const [left, right] = byteDuplexPair(options);
  return { client: linkOver(left), daemon: linkOver(right, daemonLinkLimits), left, right };
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
    const send = async (link: Channel) => {
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
    ['an acknowledgement of nothing', encodeFrame(Uint8Array.of(frameKinds.ack, 0, 0, 0, 0, 0, 9))],
    ['an acknowledgement that is no count', encodeFrame(Uint8Array.of(frameKinds.ack, 1))],
    ['a ping without end', encodeFrame(Uint8Array.of(frameKinds.ping, ...new Uint8Array(65)))],
  ])('ends when the far side sends %s', async (_, wrong) => {
    const [left, right] = byteDuplexPair();
    const link = linkOver(right);
    await left.write(wrong);
    const reason = await link.closed;
    expect(['protocol_error', 'message_too_large']).toContain(reason.code);
    expect(await linkOver(left).closed).toEqual(reason);
  });

  it('answers a ping with its bytes', async () => {
    const [left, right] = byteDuplexPair();
    const link = linkOver(right);
    await left.write(encodeFrame(Uint8Array.of(frameKinds.ping, 1, 2, 3)));
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
    expect(sent).toBeLessThan(80); // 4.8 MB at the most in all queues, of 60 MB
    const next = pull(daemon.incoming);
    for (let n = 0; n < 1_000; n++) await next();
    await sending;
    expect(sent).toBe(1_000);
  });
});

describe('a link that outlives its streams', () => {
  const resumable = (options: Partial<LinkOptions> = {}) => new Link({ ...clientLinkLimits, whenDetached: 'wait', ...options });
  /** Joins two links as a handshake does: each tells how much it has received. */
  function connect(client: Link, daemon: Link, options: { chunkBytes?: number } = {}) {
    const [left, right] = byteDuplexPair({ highWater: 1e9, ...options });
    const received = { client: client.received, daemon: daemon.received };
    expect([client.canResume(received.daemon), daemon.canResume(received.client)]).toEqual([true, true]);
    client.attach(left, new FrameReader(left.source), received.daemon);
    daemon.attach(right, new FrameReader(right.source), received.client);
    return () => left.abort(new Error('cut'));
  }
  const numbered = (from: number, count: number) => Array.from({ length: count }, (_, n) => `${from + n}`);

  it('delivers every message once, in order, over many cut streams', async () => {
    const [client, daemon] = [resumable(), resumable({ whenDetached: 'overflow' })];
    const received = { client: [] as string[], daemon: [] as string[] };
    const reading = [
      (async () => {
        for await (const message of client.incoming) received.client.push(text(message));
      })(),
      (async () => {
        for await (const message of daemon.incoming) received.daemon.push(text(message));
      })(),
    ];
    const expected = { client: [] as string[], daemon: [] as string[] };
    for (let round = 0; round < 60; round++) {
      const cut = connect(client, daemon, { chunkBytes: 1 + (round % 40) });
      for (const [sender, to] of [
        [client, 'daemon'],
        [daemon, 'client'],
      ] as const) {
        for (const message of numbered(expected[to].length, 20)) {
          void sender.send(bytes(message));
          expected[to].push(message);
        }
      }
      for (let turn = 0; turn < round; turn++) await new Promise((resolve) => setImmediate(resolve));
      cut();
      for (let n = 0; n < 5; n++) {
        void client.send(bytes(String(expected.daemon.length)));
        expected.daemon.push(String(expected.daemon.length));
      }
    }
    connect(client, daemon);
    await expect.poll(() => [received.client.length, received.daemon.length]).toEqual([expected.client.length, expected.daemon.length]);
    client.close();
    await Promise.all(reading);
    expect(received).toEqual(expected);
  });

  it('replaces an earlier stream at once, and its late end harms nobody', async () => {
    const [client, daemon] = [resumable(), resumable()];
    const cutFirst = connect(client, daemon);
    connect(client, daemon);
    cutFirst();
    await client.send(bytes('over the second'));
    expect(text(await pull(daemon.incoming)())).toBe('over the second');
    expect([client.isAttached, daemon.isAttached]).toEqual([true, true]);
  });

  it('knows what it can not go on from', async () => {
    const [client, daemon] = [resumable(), resumable()];
    const cut = connect(client, daemon);
    const next = pull(daemon.incoming);
    for (const message of ['a', 'b', 'c']) await client.send(bytes(message));
    for (let n = 0; n < 3; n++) await next();
    void next();
    await expect.poll(() => client.canResume(2)).toBe(false); // all three are acknowledged
    cut();
    expect([-1, 2, 3, 4, 1.5].map((received) => client.canResume(received))).toEqual([false, false, true, false, false]);
  });

  it('is told of each loss, and ends with its stream only where it should', async () => {
    const lost: string[] = [];
    const [client, daemon] = [resumable({ onDetached: (error) => lost.push(error.message) }), resumable({ whenDetached: 'end' })];
    connect(client, daemon)();
    await expect.poll(() => lost).toEqual(['cut']);
    expect((await daemon.closed).code).toBe('connection_lost');
    expect(client.isAttached).toBe(false);
  });

  it('holds nobody back while its client is away, and ends when too much is kept', async () => {
    const daemon = resumable({ ...daemonLinkLimits, whenDetached: 'overflow' });
    for (let n = 0; n < 16; n++) await daemon.send(new Uint8Array(1024 * 1024));
    expect(daemon.canResume(0)).toBe(true);
    await daemon.send(new Uint8Array(1024 * 1024));
    expect((await daemon.closed).code).toBe('overflowed');
    expect(daemon.canResume(0)).toBe(false);
    await expect(daemon.send(bytes('x'))).rejects.toMatchObject({ code: 'overflowed' });
  });

  it('keeps no more of what the far side has, and counts on over a restart of the stream', async () => {
    const [client, daemon] = [resumable(), resumable()];
    const cut = connect(client, daemon);
    const big = new Uint8Array(3 * 1024 * 1024).fill(1);
    await client.send(big);
    await expect.poll(() => daemon.received).toBe(1);
    cut();
    connect(client, daemon); // it arrived and was not taken: not sent again, and still counted as on its way
    await client.send(bytes('second'));
    const next = pull(daemon.incoming);
    expect((await next())?.byteLength).toBe(big.byteLength);
    expect(text(await next())).toBe('second');
    expect(daemon.received).toBe(2);
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
