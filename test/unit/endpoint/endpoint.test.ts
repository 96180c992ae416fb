import { randomBytes } from 'node:crypto';
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import type { Connection, Libp2p } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { dialHost, type HostConnection } from '@heddle/client/node';
import { type ByteDuplex, encodeFrame, FrameReader, libp2pDuplex, memoryChannelPair } from '@heddle/rpc';
import { createLibp2p } from 'libp2p';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { collect, pull, text, bytes } from '../../support/collect.ts';
import { type EchoEndpoint, startEchoEndpoint } from '../../support/echo-endpoint.ts';

let echo: EchoEndpoint;
let phone: HostConnection;
const toEnd: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  echo = await startEchoEndpoint();
  phone = await dialHost(echo.payload);
  toEnd.push(
    () => echo.endpoint.stop({ code: 'shutting_down', message: 'over' }),
    () => phone.close(),
  );
});
afterEach(async () => {
  for (const end of toEnd.splice(0).toReversed()) await end();
});

/** A peer that follows no protocol but libp2p's own. */
async function rawPeer(payload = echo.payload): Promise<{ node: Libp2p; connection: Connection; open: () => Promise<ByteDuplex> }> {
  const node = await createLibp2p({
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({ maxOutboundStreams: 4000 })],
    connectionMonitor: { enabled: false },
  });
  toEnd.push(async () => node.stop());
  const connection = await node.dial(multiaddr(`${payload.addrs[0]}/p2p/${payload.peer_id}`));
  return { node, connection, open: async () => libp2pDuplex(await connection.newStream('/heddle/1', { maxOutboundStreams: 4000 })) };
}

async function ask(duplex: ByteDuplex, request: unknown): Promise<Record<string, unknown>> {
  await duplex.write(request instanceof Uint8Array ? request : encodeFrame(bytes(JSON.stringify(request))));
  const frame = await new FrameReader(duplex.source).next(1e6);
  await duplex.closeWrite().catch(() => undefined);
  return JSON.parse(text(frame)) as Record<string, unknown>;
}

describe('the handshake', () => {
  it('lists agents and restarts one', async () => {
    expect(await phone.listAgents()).toEqual([
      { name: 'echo', display_name: 'Echo', available: true, capabilities: { approvals: 'none' } },
    ]);
    await phone.restartAgent('echo');
    expect(echo.restarted).toEqual(['echo']);
  });

  it('connects: messages pass both ways, the session is accounted for, and its end reaches the agent', async () => {
    const channel = await phone.openChannel('echo');
    const next = pull(channel.incoming);
    for (const message of ['{"id":0}', 'ö'.repeat(100_000)]) {
      await channel.send(bytes(message));
      expect(text(await next())).toBe(message);
    }
    expect(echo.endpoint.sessions()).toMatchObject([{ agent: 'echo' }]);
    channel.close();
    expect((await echo.agentChannels[0]?.closed)?.code).toBe('closed');
    await expect.poll(() => echo.endpoint.sessions()).toEqual([]);
  });

  it('answers a resume with "reset": that session is not there', async () => {
    const { open } = await rawPeer();
    const answer = await ask(await open(), {
      v: 1,
      token: echo.payload.token,
      op: 'connect',
      agent: 'echo',
      resume: { session: 'old', received: 3 },
    });
    expect(answer).toMatchObject({ ok: true, session: { attached: 'reset' } });
  });

  it('gives a session to the device that began it only', async () => {
    await phone.openChannel('echo');
    const [session] = echo.endpoint.sessions();
    const { open } = await rawPeer();
    const resume = { session: session?.id, received: 0 };
    const answer = await ask(await open(), { v: 1, token: echo.payload.token, op: 'connect', agent: 'echo', resume });
    expect(answer).toMatchObject({ ok: true, session: { attached: 'reset' } });
    expect((answer['session'] as { id: string }).id).not.toBe(session?.id);
    expect(echo.endpoint.sessions()).toContainEqual(session); // still attached to its own phone
  });

  const wrong = 'f'.repeat(64);
  it.each([
    ['a wrong token', () => ({ v: 1, token: wrong, op: 'list_agents' }), 'unauthorized'],
    ['a token that is no string', () => ({ v: 1, token: 5, op: 'list_agents' }), 'unauthorized'],
    ['no token', () => ({ v: 1, op: 'list_agents' }), 'unauthorized'],
    ['another version', () => ({ v: 2, token: echo.payload.token, op: 'list_agents' }), 'unsupported_version'],
    ['no version', () => ({ token: echo.payload.token, op: 'list_agents' }), 'unsupported_version'],
    ['an unknown op', () => ({ v: 1, token: echo.payload.token, op: 'toString' }), 'bad_request'],
    ['a connect without an agent', () => ({ v: 1, token: echo.payload.token, op: 'connect' }), 'bad_request'],
    ['an unknown agent', () => ({ v: 1, token: echo.payload.token, op: 'connect', agent: 'nope' }), 'unknown_agent'],
    ['an array', () => [1], 'bad_request'],
    ['bytes that are not JSON', () => encodeFrame(Uint8Array.of(0xff, 0xfe)), 'bad_request'],
    ['an oversized frame', () => encodeFrame(new Uint8Array(8 * 1024 + 1)), 'bad_request'],
    ['an endless length', () => new Uint8Array(64).fill(0xff), 'bad_request'],
  ])('refuses %s', async (_, request, code) => {
    const { open } = await rawPeer();
    const answer = (await ask(await open(), request())) as { ok: boolean; error: { code: string; message: string; versions?: number[] } };
    expect(answer).toMatchObject({ v: 1, ok: false, error: { code } });
    expect(answer.error.message.length).toBeGreaterThan(5);
    if (code === 'unsupported_version') expect(answer.error.versions).toEqual([1]);
    expect(JSON.stringify(answer)).not.toContain(echo.payload.token);
  });

  it('checks the token before it says whether an agent exists', async () => {
    const { open } = await rawPeer();
    expect(await ask(await open(), { v: 1, token: wrong, op: 'connect', agent: 'nope' })).toMatchObject({
      error: { code: 'unauthorized' },
    });
  });

  it('drops a stream whose request does not come whole within 5 s', async () => {
    const { open } = await rawPeer();
    const silent = await open();
    const half = await open();
    await silent.write(new Uint8Array(0));
    await half.write(encodeFrame(bytes('{"v":1}')).subarray(0, 4));
    const startedMs = performance.now();
    await expect(collect(half.source)).rejects.toBeInstanceOf(Error);
    await half.closed;
    expect(performance.now() - startedMs).toBeGreaterThan(4_000);
    expect(performance.now() - startedMs).toBeLessThan(8_000);
  });

  it('tells of an internal failure without its text', async () => {
    const failing = await startEchoEndpoint({ listAgents: () => Promise.reject(new Error('/home/me/secret')) });
    toEnd.push(() => failing.endpoint.stop({ code: 'shutting_down', message: 'over' }));
    const { open } = await rawPeer(failing.payload);
    const duplex = await open();
    const answer = await ask(duplex, { v: 1, token: failing.payload.token, op: 'list_agents' });
    expect(answer).toMatchObject({ ok: false, error: { code: 'internal' } });
    expect(JSON.stringify(answer)).not.toContain('secret');
  });
});

describe('the end of sessions', () => {
  it('cuts every session at once and says why', async () => {
    const [first, second] = [await phone.openChannel('echo'), await phone.openChannel('echo')];
    expect(echo.endpoint.endSessions({ code: 'token_rotated', message: 'the token was replaced' })).toBe(2);
    expect((await first.closed).code).toBe('token_rotated');
    expect((await second.closed).code).toBe('token_rotated');
  });

  it('does not let in a phone whose token was replaced while the agent started', async () => {
    const gate = Promise.withResolvers<void>();
    const slow = await startEchoEndpoint({
      openAgent: async () => {
        await gate.promise;
        return memoryChannelPair()[0];
      },
    });
    const late = await dialHost(slow.payload);
    toEnd.push(
      () => slow.endpoint.stop({ code: 'shutting_down', message: 'over' }),
      () => late.close(),
    );
    const opening = late.openChannel('echo');
    opening.catch(() => undefined);
    await late.listAgents(); // on the same connection: the connect request is being served by now
    slow.setToken(randomBytes(32).toString('hex'));
    gate.resolve();
    await expect(opening).rejects.toMatchObject({ code: 'unauthorized' });
    expect(slow.endpoint.sessions()).toEqual([]);
  });

  it('tells the phone that the agent has gone', async () => {
    const channel = await phone.openChannel('echo');
    echo.agentChannels[0]?.close({ code: 'agent_exited', message: 'it crashed', hint: 'Connect again.' });
    expect(await channel.closed).toEqual({ code: 'agent_exited', message: 'it crashed', hint: 'Connect again.' });
  });
});

describe('limits', () => {
  it('goes on answering others during 1,000 bad streams', async () => {
    const attackers = await Promise.all(Array.from({ length: 8 }, () => rawPeer()));
    const manners: ((duplex: ByteDuplex) => Promise<unknown>)[] = [
      async (duplex) => duplex.write(new Uint8Array(2_000).fill(0xff)),
      async (duplex) => duplex.write(encodeFrame(bytes('{"v":1,"token":"x","op":"list_agents"}'))),
      async (duplex) => duplex.write(encodeFrame(new Uint8Array(100)).subarray(0, 20)),
      async (duplex) => duplex.abort(new Error('changed my mind')),
      async (duplex) => duplex.write(randomBytes(500)),
      async (duplex) => duplex.closeWrite(),
      async () => undefined, // silent
    ];
    let opened = 0;
    const attack = Promise.all(
      attackers.map(async ({ open }, attacker) => {
        for (let n = 0; n < 125; n++) {
          try {
            const duplex = await open();
            opened += 1;
            await manners[(n + attacker) % manners.length]?.(duplex);
          } catch {
            // refused: that is what is being tested
          }
        }
      }),
    );
    const served: number[] = [];
    let isOver = false;
    void attack.then(() => (isOver = true));
    while (!isOver || served.length < 5) {
      const startedMs = performance.now();
      await phone.listAgents();
      served.push(performance.now() - startedMs);
    }
    await attack;
    expect(opened).toBeGreaterThan(500);
    const channel = await phone.openChannel('echo');
    await channel.send(bytes('still here'));
    expect(text(await pull(channel.incoming)())).toBe('still here');
    expect(Math.max(...served)).toBeLessThan(5_000);
  });

  it('lets the longest silent handshake give way to a new one', async () => {
    const small = await startEchoEndpoint({ maxPendingHandshakes: 3 });
    toEnd.push(() => small.endpoint.stop({ code: 'shutting_down', message: 'over' }));
    const { open } = await rawPeer(small.payload);
    const silent = [];
    for (let n = 0; n < 4; n++) {
      const duplex = await open();
      await duplex.write(Uint8Array.of(50)); // a length, and then nothing
      silent.push(duplex);
    }
    const answer = await new FrameReader((silent[0] as ByteDuplex).source).next(1e6);
    expect(JSON.parse(text(answer))).toMatchObject({ ok: false, error: { code: 'too_many_requests' } });
    expect(await ask(await open(), { v: 1, token: small.payload.token, op: 'list_agents' })).toMatchObject({ ok: true });
  });

  it('caps the connections of all peers', async () => {
    const small = await startEchoEndpoint({ maxConnections: 3 });
    toEnd.push(() => small.endpoint.stop({ code: 'shutting_down', message: 'over' }));
    const first = await dialHost(small.payload);
    toEnd.push(() => first.close());
    const channel = await first.openChannel('echo');
    await Promise.allSettled(Array.from({ length: 8 }, () => rawPeer(small.payload)));
    await expect.poll(() => small.endpoint.connectionCount()).toBeLessThanOrEqual(3);
    await channel.send(bytes('who came first stays'));
    expect(text(await pull(channel.incoming)())).toBe('who came first stays');
  });

  it('caps the connections of one peer', async () => {
    const { node } = await rawPeer();
    const address = multiaddr(`${echo.payload.addrs[0]}/p2p/${echo.payload.peer_id}`);
    for (let n = 0; n < 12; n++) await node.dial(address, { force: true }).catch(() => undefined);
    await expect.poll(() => node.getConnections().length).toBeLessThanOrEqual(8);
    expect(await phone.listAgents()).toHaveLength(1);
  });
});

describe('starting', () => {
  it('says which port is taken', async () => {
    const port = Number(echo.payload.addrs[0]?.split('/').at(-1));
    await expect(startEchoEndpoint({ port })).rejects.toMatchObject({ code: 'port_in_use', hint: expect.stringContaining(String(port)) });
  });

  it('keeps its peer id for a seed', async () => {
    const seed = new Uint8Array(32).fill(1);
    const other = await startEchoEndpoint({ seed });
    toEnd.push(() => other.endpoint.stop({ code: 'shutting_down', message: 'over' }));
    expect(other.endpoint.peerId).toBe('12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5');
  });

  it('tells strangers no protocol but its own', async () => {
    const { connection } = await rawPeer();
    await expect(connection.newStream('/ipfs/id/1.0.0')).rejects.toThrow();
    await expect(connection.newStream('/ipfs/ping/1.0.0')).rejects.toThrow();
  });
});
