// What the user's own configuration of opencode, and host.toml, make of the real opencode.

import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConformanceClient } from '../conformance/client.ts';
import { Recording } from '../conformance/recording.ts';
import { scenario } from '../conformance/stage.ts';
import { prompt } from '../model-server/script.ts';
import { prepareAgent, startAgentDaemon } from './support/agent-daemon.ts';
import { makeRealOpencode, type RealOpencode } from './support/real-opencode.ts';

const fileChange = 'item/fileChange/requestApproval';

describe('the user’s own configuration', () => {
  const permission = { bash: { '*': 'ask', 'echo *': 'allow', 'rm *': 'deny' }, webfetch: 'deny' };
  const prepared = prepareAgent(() => makeRealOpencode({ config: { permission } }));
  const agent = () => prepared().daemon.underTest();

  scenario(agent, 'counts where it says something of a permission; opencode asks about the rest', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    writeFileSync(path.join(cwd, 'kept.txt'), 'kept\n');
    expect(await client.runTurn(thread.id, stage.agent.prompts.command('echo allowed'))).toMatchObject({ status: 'completed' });
    expect(await client.runTurn(thread.id, stage.agent.prompts.command('rm kept.txt'))).toMatchObject({ status: 'completed' });
    expect(existsSync(path.join(cwd, 'kept.txt'))).toBe(true);
    const turn = await client.startTurn(thread.id, stage.agent.prompts.addFile());
    (await client.question(fileChange, turn.id)).answer({ decision: 'decline' });
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed' });
    expect(readdirSync(cwd)).toEqual(['kept.txt']);
  });

  scenario(agent, 'a command that prints the server’s password shows it to nobody', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const turn = await client.runTurn(thread.id, stage.agent.prompts.command('echo "it is $OPENCODE_SERVER_PASSWORD"'));
    expect(turn).toMatchObject({ status: 'completed' });
    const ran = client.completedItems(turn.id).find(({ type }) => type === 'commandExecution');
    expect(ran).toMatchObject({ aggregatedOutput: 'it is [password of the server]\n' });
  });
});

describe('a title that opencode has its model make', () => {
  const prepared = prepareAgent(() => makeRealOpencode({ config: { agent: {} } }));
  const agent = () => prepared().daemon.underTest();

  scenario(agent, 'is the name of the thread, until the user gives it one', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    await client.runTurn(thread.id, stage.agent.prompts.text('One.'));
    const { threadName } = await client.notification('thread/name/updated', ({ threadId }) => threadId === thread.id);
    expect(threadName).toBe('A side answer.');
    const listed = async () => (await client.request('thread/list', { cwd })).data.map(({ name }) => name);
    expect(await listed()).toEqual(['A side answer.']);
    await client.request('thread/name/set', { threadId: thread.id, name: 'Mine' });
    expect(await listed()).toEqual(['Mine']);
    expect(await prepared().agent.transcriptIn(cwd)).toContain('"title": "Mine"');
  });
});

describe('a model server of one’s own', () => {
  const inOwnDaemon = async (opencode: RealOpencode, toml: string, act: (client: ConformanceClient, folder: string) => Promise<void>) => {
    const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'heddle-opencode-engine-')));
    const daemon = await startAgentDaemon(opencode, { toml, env: { OWN_KEY: 'a-key-of-ones-own' } });
    try {
      const client = new ConformanceClient(await daemon.connect(), new Recording(), 'A');
      await client.initialize();
      await act(client, folder);
      client.close();
    } finally {
      await daemon.end();
      rmSync(folder, { recursive: true, force: true });
    }
  };
  const engineOf = (opencode: RealOpencode, more = '') =>
    `[agents.opencode.engine]\nbase_url = "${opencode.modelServer.url}/v1"\nmodel = "vendor/own:7b"\napi_key_env = "OWN_KEY"\n${more}`;

  it('is what opencode runs on, whatever the user’s files say, and they are left alone', async () => {
    const opencode = await makeRealOpencode();
    const file = path.join(opencode.home.path, '.config', 'opencode', 'opencode.json');
    const before = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    await inOwnDaemon(opencode, engineOf(opencode), async (client, folder) => {
      const { data } = await client.request('model/list', {});
      expect(data.map(({ id, isDefault }) => [id, isDefault])).toEqual([['heddle/vendor/own:7b', true]]);
      const { thread, model } = await client.startThread({ cwd: folder, approvalPolicy: 'untrusted' });
      expect(model).toBe('heddle/vendor/own:7b');
      const turn = await client.startTurn(
        thread.id,
        prompt('Add it.', [{ tools: [{ kind: 'write', path: 'a.txt', content: 'a\n' }] }, { text: 'Added.' }]),
      );
      (await client.question(fileChange, turn.id)).answer({ decision: 'accept' });
      expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed', items: [{ text: 'Added.' }] });
      expect(readdirSync(folder)).toEqual(['a.txt']);
      expect(new Set(opencode.modelServer.requests.map((request) => request.model))).toEqual(new Set(['vendor/own:7b']));
    });
    expect(existsSync(file) ? readFileSync(file, 'utf8') : undefined).toBe(before);
    await opencode.end();
  });

  it('may be for planning', async () => {
    const opencode = await makeRealOpencode();
    await inOwnDaemon(opencode, engineOf(opencode, 'agent = "plan"\n'), async (client, folder) => {
      const { thread } = await client.startThread({ cwd: folder, approvalPolicy: 'untrusted' });
      const turn = await client.runTurn(
        thread.id,
        prompt('Add it.', [{ tools: [{ kind: 'write', path: 'a.txt', content: 'a\n' }] }, { text: 'Planned.' }]),
      );
      expect(turn).toMatchObject({ status: 'completed', items: [{ text: 'Planned.' }] });
      expect(readdirSync(folder)).toEqual([]);
    });
    await opencode.end();
  });

  it('is asked for where opencode has no model at all', async () => {
    const opencode = await makeRealOpencode({ config: { enabled_providers: ['nobody'] } });
    const daemon = await startAgentDaemon(opencode);
    const phone = await daemon.dial();
    expect((await phone.listAgents()).find(({ name }) => name === 'opencode')).toMatchObject({
      available: false,
      version: '1.18.33',
      unavailable: {
        reason: 'opencode has no model to run on',
        fix: 'Run `opencode auth login` in a terminal, or name a model server under [agents.opencode.engine] in host.toml.',
      },
    });
    await phone.close();
    await daemon.end();
    await opencode.end();
  });
});

describe('a server that is not there', () => {
  it('is told with what to do about it', async () => {
    const opencode = await makeRealOpencode();
    const daemon = await startAgentDaemon(opencode, { toml: 'server = "http://127.0.0.1:9"\n' });
    const phone = await daemon.dial();
    const listed = (await phone.listAgents()).find(({ name }) => name === 'opencode');
    expect(listed).toMatchObject({
      available: false,
      unavailable: {
        reason: expect.stringContaining('opencode at http://127.0.0.1:9 does not answer') as string,
        fix: 'Start it with `opencode serve`, or take "server" out of [agents.opencode] in host.toml.',
      },
    });
    await phone.close();
    await daemon.end();
    await opencode.end();
  });
});
