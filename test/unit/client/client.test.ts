import { randomBytes } from 'node:crypto';
import { build } from 'esbuild';
import { dialHost } from '@heddle/client/node';
import { decodePairPayload } from '@heddle/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EchoEndpoint, freePort, startEchoEndpoint } from '../../support/echo-endpoint.ts';

let echo: EchoEndpoint;
beforeEach(async () => {
  echo = await startEchoEndpoint();
});
afterEach(() => echo.endpoint.stop({ code: 'shutting_down', message: 'over' }));

describe('dialHost', () => {
  it('says where it could not reach the computer, and what to check', async () => {
    const payload = { ...echo.payload, host_name: 'desk', addrs: [`/ip4/127.0.0.1/tcp/${await freePort()}`] };
    await expect(dialHost(payload)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('desk'),
      hint: expect.stringContaining('heddle status'),
    });
  });

  it('refuses another computer at the same address', async () => {
    const other = await startEchoEndpoint();
    await other.endpoint.stop({ code: 'shutting_down', message: 'over' });
    await expect(dialHost({ ...echo.payload, peer_id: other.payload.peer_id })).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('tries the addresses that are left when the first is dead', async () => {
    const phone = await dialHost({ ...echo.payload, addrs: [`/ip4/127.0.0.1/tcp/${await freePort()}`, ...echo.payload.addrs] });
    expect(await phone.listAgents()).toHaveLength(1);
    await phone.close();
  });

  it("gives the daemon's own words when it refuses", async () => {
    const phone = await dialHost({ ...echo.payload, token: randomBytes(32).toString('hex') });
    await expect(phone.listAgents()).rejects.toMatchObject({ code: 'unauthorized', hint: expect.stringContaining('heddle pair') });
    await phone.close();
  });

  it('says so when the connection has gone', async () => {
    const phone = await dialHost(echo.payload);
    await echo.endpoint.stop({ code: 'shutting_down', message: 'over' });
    await expect(phone.listAgents()).rejects.toMatchObject({ code: 'connection_lost' });
    await phone.close();
  });

  it('stops at once when the signal says so', async () => {
    const slow = await startEchoEndpoint({ openAgent: () => new Promise(() => {}) });
    const phone = await dialHost(slow.payload);
    const opening = phone.openChannel('echo', { signal: AbortSignal.timeout(50) });
    await expect(opening).rejects.toMatchObject({ code: 'connection_lost' });
    await phone.close();
    await slow.endpoint.stop({ code: 'shutting_down', message: 'over' });
  });
});

describe('the end of a session', () => {
  it('reaches the computer even when the connection is closed right after it', async () => {
    for (let n = 0; n < 20; n++) {
      const phone = await dialHost(echo.payload);
      const channel = await phone.openChannel('echo');
      channel.close();
      await phone.close();
      expect((await echo.agentChannels[n]?.closed)?.code).toBe('closed');
    }
    expect(echo.endpoint.sessions()).toEqual([]);
  });
});

describe('an agent session', () => {
  it('ends cleanly when the agent refuses to be initialized', async () => {
    const phone = await dialHost(echo.payload);
    // The echo agent sends our own `initialize` back as a request, and then our refusal of it as an answer.
    const opening = phone.openAgent('echo', { clientInfo: { name: 'test', version: '1' }, signal: AbortSignal.timeout(500) });
    await expect(opening).rejects.toBeInstanceOf(Error);
    await expect.poll(() => echo.endpoint.sessions()).toEqual([]);
    await phone.close();
  });
});

describe('the browser', () => {
  it('can bundle the SDK: nothing of Node is in it', async () => {
    const { outputFiles, warnings } = await build({
      stdin: { contents: "export * from '@heddle/client';", resolveDir: process.cwd() },
      bundle: true,
      format: 'esm',
      platform: 'browser',
      minify: true,
      write: false,
      logLevel: 'silent',
    });
    expect(warnings).toEqual([]);
    const code = outputFiles[0]?.text ?? '';
    expect(code).not.toMatch(/from\s*["']node:/);
    expect(code.length).toBeLessThan(900_000);
  });
});

describe('the pair payload', () => {
  it.each([
    ['', 'not JSON'],
    ['{"v":2}', '"v"'],
    ['{"v":1,"peer_id":"x","token":"y","addrs":[]}', '"peer_id"'],
    ['[]', 'the pair payload'],
  ])('is refused with the field named: %s', (given, named) => {
    expect(() => decodePairPayload(given)).toThrowError(
      expect.objectContaining({ code: 'payload_invalid', message: expect.stringContaining(named) }),
    );
  });
});
