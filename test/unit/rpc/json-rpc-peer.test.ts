import { type Channel, JsonRpcPeer, memoryChannelPair, RpcError } from '@heddle/rpc';
import { describe, expect, it } from 'vitest';
import { bytes, pull, text } from '../../support/collect.ts';

const reader = (channel: Channel) => {
  const next = pull(channel.incoming);
  return async () => JSON.parse(text(await next())) as Record<string, unknown>;
};

describe('JsonRpcPeer', () => {
  it('matches answers to requests, whatever their order', async () => {
    const [mine, theirs] = memoryChannelPair();
    const peer = new JsonRpcPeer(mine);
    const answers = Promise.all([peer.request('a', { n: 1 }), peer.request('b')]);
    const read = reader(theirs);
    const [first, second] = [await read(), await read()];
    expect(first).toEqual({ method: 'a', id: 1, params: { n: 1 } }); // pinned: no "jsonrpc" member
    await theirs.send(bytes(JSON.stringify({ id: second['id'], result: 'B' })));
    await theirs.send(bytes(JSON.stringify({ id: first['id'], result: 'A' })));
    expect(await answers).toEqual(['A', 'B']);
  });

  it('rejects with what the far side said', async () => {
    const [mine, theirs] = memoryChannelPair();
    const answer = new JsonRpcPeer(mine).request('x');
    await theirs.send(bytes('{"error":{"code":-32600,"message":"no","data":{"why":1}},"id":1}'));
    await expect(answer).rejects.toEqual(new RpcError(-32600, 'no', { why: 1 }));
  });

  it('settles every open request when the channel ends', async () => {
    const [mine, theirs] = memoryChannelPair();
    const peer = new JsonRpcPeer(mine);
    const open = [peer.request('a'), peer.request('b')];
    theirs.close({ code: 'agent_exited', message: 'it died', hint: 'Connect again.' });
    for (const request of open) await expect(request).rejects.toMatchObject({ code: 'agent_exited', hint: 'Connect again.' });
    await expect(peer.request('c')).rejects.toMatchObject({ code: 'agent_exited' });
  });

  it('stops waiting when the signal says so', async () => {
    const [mine] = memoryChannelPair();
    const controller = new AbortController();
    const request = new JsonRpcPeer(mine).request('slow', {}, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(request).rejects.toThrow('enough');
  });

  it('answers requests with ids 0 and "", once, before what is said after the answer', async () => {
    const [mine, theirs] = memoryChannelPair();
    const peer: JsonRpcPeer = new JsonRpcPeer(mine, {
      onRequest: (request) => {
        request.reply({ ok: request.params });
        void peer.notify('after', {}, { emittedAtMs: 5 });
        request.reply('twice');
      },
    });
    const read = reader(theirs);
    await theirs.send(bytes('{"jsonrpc":"2.0","id":0,"method":"m","params":7}'));
    expect([await read(), await read()]).toEqual([
      { id: 0, result: { ok: 7 } },
      { method: 'after', params: {}, emittedAtMs: 5 },
    ]);
    await theirs.send(bytes('{"id":"","method":"m"}'));
    expect(await read()).toEqual({ id: '', result: {} });
  });

  it('answers what a handler throws, now or later, and what nobody handles', async () => {
    const [mine, theirs] = memoryChannelPair();
    new JsonRpcPeer(mine, {
      onRequest: ({ method }) => {
        if (method === 'sync') throw new RpcError(-32602, 'bad params');
        return Promise.reject(new Error('later'));
      },
    });
    const read = reader(theirs);
    await theirs.send(bytes('{"id":1,"method":"sync"}'));
    await theirs.send(bytes('{"id":2,"method":"async"}'));
    expect([await read(), await read()]).toEqual([
      { id: 1, error: { code: -32602, message: 'bad params' } },
      { id: 2, error: { code: -32603, message: 'later' } },
    ]);

    const [own, far] = memoryChannelPair();
    new JsonRpcPeer(own);
    await far.send(bytes('{"id":3,"method":"x/y"}'));
    expect(await reader(far)()).toEqual({ id: 3, error: { code: -32601, message: 'method not found: x/y' } });
  });

  it('tells of what is no message and goes on', async () => {
    const [mine, theirs] = memoryChannelPair();
    const wrong: string[] = [];
    const heard: string[] = [];
    new JsonRpcPeer(mine, { onInvalid: (why) => wrong.push(why), onNotification: (method) => heard.push(method) });
    for (const line of ['{nope', '[]', 'null', '{"a":1}', '{"id":99,"result":1}', '{"id":1.5,"method":"odd"}', '{"method":"fine"}'])
      await theirs.send(bytes(line));
    await theirs.send(Uint8Array.of(0xff, 0xff));
    theirs.close();
    await mine.closed;
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toEqual(['odd', 'fine']); // a fractional id is no id: nobody could answer it
    expect(wrong).toHaveLength(6);
  });
});
