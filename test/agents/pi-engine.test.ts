// The real pi, in both of its names, on a model server of the user's own that host.toml names.

import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConformanceClient } from '../conformance/client.ts';
import { Recording } from '../conformance/recording.ts';
import { scenario } from '../conformance/stage.ts';
import { prompt } from '../model-server/script.ts';
import { prepareAgent, startAgentDaemon } from './support/agent-daemon.ts';
import { makeClassicPi, makeRealPi, type RealPi } from './support/real-pi.ts';

const key = 'sk-of-this-test';

interface PiOnEngine extends RealPi {
  /** The `authorization` of each request. */
  keys: (string | undefined)[];
}

/** A user who has never configured pi, and a server that wants a key. */
async function withEngine(make: () => Promise<RealPi>): Promise<PiOnEngine> {
  const made = await make();
  for (const name of readdirSync(made.home.path)) rmSync(path.join(made.home.path, name), { recursive: true });
  const keys: (string | undefined)[] = [];
  const door = createServer((incoming, answer) => {
    keys.push(incoming.headers.authorization);
    const { method, headers } = incoming;
    const onward = request(`${made.modelServer.url}${incoming.url}`, { method, headers }, (reply) => {
      answer.writeHead(reply.statusCode ?? 500, reply.headers);
      reply.pipe(answer);
    });
    incoming.pipe(onward);
  });
  await once(door.listen(0, '127.0.0.1'), 'listening');
  const { port } = door.address() as AddressInfo;
  const engine = `[agents.pi.engine]\nbase_url = "http://127.0.0.1:${port}/v1"\nmodel = "fake-1"\napi_key_env = "KEY_OF_THIS_TEST"\n`;
  const end = async () => {
    door.closeAllConnections();
    door.close();
    await made.end();
  };
  return { ...made, keys, toml: `${made.toml}${engine}`, end };
}

describe.each([
  ['0.87', makeRealPi],
  ['0.73', makeClassicPi],
])('pi %s on a server of the user’s own', (_version, make) => {
  const pi = prepareAgent(async () => {
    const made = await withEngine(make);
    return { ...made, env: { ...made.env, KEY_OF_THIS_TEST: key } };
  });

  scenario(
    () => pi().daemon.underTest(),
    'runs on it with the key of the environment, and leaves the user’s own files alone',
    async (stage) => {
      const client = await stage.connect('A');
      const { data } = await client.request('model/list', {});
      expect(data.map(({ id, isDefault }) => [id, isDefault])).toEqual([['engine/fake-1', true]]);
      const { thread, model } = await stage.startThread(client);
      expect(model).toBe('engine/fake-1');
      const turn = await client.runTurn(thread.id, stage.agent.prompts.text('On it.'));
      expect(turn).toMatchObject({ status: 'completed', items: [{ text: 'On it.' }] });
      expect(pi().agent.keys).toEqual([`Bearer ${key}`]);
      expect(pi().agent.modelServer.requests.at(-1)?.model).toBe('fake-1');
      expect(readdirSync(pi().agent.home.path)).toEqual([]);
      const { stateDir } = pi().daemon.paths;
      const config = path.join(stateDir, 'pi-engine');
      expect(readFileSync(path.join(config, 'models.json'), 'utf8')).not.toContain(key);
      const read = await client.request('thread/read', { threadId: thread.id });
      expect(read.thread.resumeCommand).toBe(`cd ${stage.folder} && PI_CODING_AGENT_DIR=${config} pi --session ${thread.id}`);
      await client.request('thread/archive', { threadId: thread.id }); // takes it out of memory
      await client.request('thread/unarchive', { threadId: thread.id });
      const resumed = await client.request('thread/resume', { threadId: thread.id });
      expect(resumed.model).toBe('engine/fake-1');
      expect(await client.runTurn(thread.id, prompt('Say it.', { text: 'Again.' }))).toMatchObject({ status: 'completed' });
    },
  );

  describe('without its key', () => {
    const without = prepareAgent(() => withEngine(make));

    scenario(
      () => without().daemon.underTest(),
      'is not available, and the list says what to do',
      async () => {
        const phone = await without().daemon.dial();
        const listed = (await phone.listAgents()).find(({ name }) => name === 'pi');
        expect(listed).toMatchObject({
          available: false,
          unavailable: {
            reason: 'the environment variable KEY_OF_THIS_TEST is not set, which [agents.pi.engine] names for the key',
            fix: 'Set KEY_OF_THIS_TEST in your shell profile, then run `heddle reload`.',
          },
        });
        await phone.close();
      },
    );
  });
});

describe.each([
  ['0.87', '0.87.1', makeRealPi],
  ['0.73', '0.73.1', makeClassicPi],
])('pi %s without any model', (_name, version, make) => {
  it('is listed with what to do about it', async () => {
    const pi = await make();
    rmSync(path.join(pi.home.path, 'models.json'));
    const daemon = await startAgentDaemon(pi);
    const phone = await daemon.dial();
    expect((await phone.listAgents()).find(({ name }) => name === 'pi')).toMatchObject({
      available: false,
      version,
      unavailable: {
        reason: 'pi has no model to run on',
        fix: 'Run `pi` in a terminal and type /login, or name a model server under [agents.pi.engine] in host.toml.',
      },
    });
    await phone.close();
    await daemon.end();
    await pi.end();
  });

  it('whose last one is taken away fails its next turn with pi’s own words', async () => {
    const pi = await make();
    const daemon = await startAgentDaemon(pi);
    const client = new ConformanceClient(await daemon.connect(), new Recording(), 'A');
    await client.initialize();
    rmSync(path.join(pi.home.path, 'models.json')); // pi reads it when its process starts
    const { thread } = await client.startThread({ cwd: pi.home.path });
    const turn = await client.runTurn(thread.id, prompt('Say it.', { text: 'Never.' }));
    expect(turn).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('/login') as string } });
    client.close();
    await daemon.end();
    await pi.end();
  });
});
