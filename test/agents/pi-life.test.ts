// How the real pi, in both of its names, lives behind a daemon: what it is started with, what it keeps, and what becomes of
// that when something else writes into its sessions too.

import { chmodSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Turn } from '@heddle/wire';
import { describe, expect, it } from 'vitest';
import { ConformanceClient } from '../conformance/client.ts';
import { Recording } from '../conformance/recording.ts';
import { spoken } from '../conformance/scenarios/history.ts';
import { scenario } from '../conformance/stage.ts';
import { prompt } from '../model-server/script.ts';
import { prepareAgent } from './support/agent-daemon.ts';
import { installExtension } from './support/pi-extension.ts';
import { makeClassicPi, makeRealPi } from './support/real-pi.ts';

describe.each([
  ['0.87', makeRealPi],
  ['0.73', makeClassicPi],
])('pi %s', (version, make) => {
  const pi = prepareAgent(async () => {
    const made = await make();
    await installExtension(made.home);
    const file = path.join(made.home.path, 'settings.json');
    const settings = JSON.parse(readFileSync(file, 'utf8')) as object;
    // There is something to shorten early, and it is never done by itself.
    writeFileSync(file, JSON.stringify({ ...settings, compaction: { enabled: true, keepRecentTokens: 50 } }));
    return made;
  });
  const agent = () => pi().daemon.underTest();
  const heard = () => pi().agent.modelServer.requests;
  const settingsFile = () => readFileSync(path.join(pi().agent.home.path, 'settings.json'), 'utf8');

  scenario(agent, 'runs with the model and the effort of a thread, and the user’s defaults stay', async (stage) => {
    const client = await stage.connect('A');
    const before = settingsFile();
    const started = await client.startThread({ cwd: stage.folder, model: 'fake/fake-1' });
    expect(started).toMatchObject({ model: 'fake/fake-1', reasoningEffort: 'medium' });
    const threadId = started.thread.id;
    await client.runTurn(threadId, stage.agent.prompts.text('One.'));
    expect(heard().at(-1)).toMatchObject({ model: 'fake-1', effort: 'medium' });
    const say = (text: string, params: object) => ({
      threadId,
      input: [{ type: 'text' as const, text: prompt('Say it.', { text }) }],
      ...params,
    });
    const second = await client.request('turn/start', say('Two.', { effort: 'high' }));
    await client.turnEnd(second.turn.id);
    expect(heard().at(-1)).toMatchObject({ model: 'fake-1', effort: 'high' });
    const third = await client.request('turn/start', say('Three.', { model: 'fake/fake-2' }));
    await client.turnEnd(third.turn.id);
    expect(heard().at(-1)?.model).toBe('fake-2');
    expect(JSON.stringify(heard().at(-1)?.turns)).toContain('One.');
    const { thread } = await client.request('thread/read', { threadId, includeTurns: true });
    expect(thread.turns).toHaveLength(3);
    const resumed = await client.request('thread/resume', { threadId });
    expect(resumed).toMatchObject({ model: 'fake/fake-2', reasoningEffort: null });
    expect(settingsFile()).toBe(before);
  });

  scenario(agent, 'shortens a conversation, and says so in the turn that did it', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const threadId = thread.id;
    await client.runTurn(threadId, stage.agent.prompts.text('A long answer. '.repeat(80)));
    await client.runTurn(threadId, stage.agent.prompts.text('A short one.'));
    await client.request('thread/compact/start', { threadId });
    const { item, turnId } = await client.notification('item/completed', (params) => params.item.type === 'contextCompaction');
    expect(await client.turnEnd(turnId)).toMatchObject({ status: 'completed', error: null });
    await client.request('thread/archive', { threadId }); // takes it out of memory
    await client.request('thread/unarchive', { threadId });
    const read = await client.request('thread/read', { threadId, includeTurns: true });
    expect(read.thread.turns.at(-1)).toMatchObject({
      id: turnId,
      status: 'completed',
      items: [{ type: 'contextCompaction', id: item.id }],
    });
    await client.request('thread/resume', { threadId });
    expect(await client.runTurn(threadId, stage.agent.prompts.text('Going on.'))).toMatchObject({ status: 'completed' });
  });

  scenario(agent, 'takes what is said while it shortens a conversation, and goes on with it', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const threadId = thread.id;
    await client.runTurn(threadId, stage.agent.prompts.text('A long answer. '.repeat(80)));
    await client.runTurn(threadId, stage.agent.prompts.text('A short one.'));
    const before = client.seen('turn/started').map((params) => params.turn.id);
    await client.request('thread/compact/start', { threadId });
    const last = (await client.notification('turn/started', (params) => !before.includes(params.turn.id))).turn;
    const input = [{ type: 'text' as const, text: stage.agent.prompts.text('Said meanwhile.') }];
    await client.request('turn/steer', { threadId, expectedTurnId: last.id, input });
    expect(await client.turnEnd(last.id)).toMatchObject({ status: 'completed' });
    const said = client.completedItems(last.id).map((item) => (item.type === 'agentMessage' ? item.text : item.type));
    expect(said.toSorted()).toEqual(['Said meanwhile.', 'contextCompaction', 'userMessage']); // it may have been done by then
    expect(said.at(-1)).toBe('Said meanwhile.');
  });

  scenario(agent, 'lists templates and extensions’ commands as skills, and keeps what the user has said', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const { data } = await client.request('skills/list', { cwds: [cwd] });
    const names = data.flatMap(({ skills }) => skills.map(({ name }) => name));
    expect(names).toEqual(expect.arrayContaining(['say', 'ask', 'later']));
    expect(names).not.toContain('heddle');
    const words = '/say it @@fake:text@@';
    const turn = await client.runTurn(thread.id, words);
    expect(turn.status).toBe('completed');
    expect(
      heard()
        .at(-1)
        ?.turns.findLast(({ from }) => from === 'user')?.text,
    ).toContain('Say this: it');
    await client.request('thread/archive', { threadId: thread.id }); // takes it out of memory
    await client.request('thread/unarchive', { threadId: thread.id });
    const read = await client.request('thread/read', { threadId: thread.id, includeTurns: true });
    expect(read.thread.turns.map(({ id, items }) => [id, spoken(items)])).toEqual([[turn.id, spoken(client.completedItems(turn.id))]]);
    expect(read.thread.turns[0]?.items[0]).toMatchObject({ content: [{ text: words }] });
  });

  scenario(agent, 'is interrupted at any moment, and each next turn is a whole one', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const threadId = thread.id;
    const moments = [0, 2, 8, 20, 45, 80]; // from before pi has heard of it to after its end
    for (const afterMs of moments) {
      const tools = [{ kind: 'read' as const, path: 'notes.txt' }];
      const turn = await client.startTurn(threadId, prompt('Work.', [{ text: 'I look.', tools }, { text: 'Done.' }]));
      await setTimeout(afterMs);
      await client.rawRequest('turn/interrupt', { threadId, turnId: turn.id }).catch(() => {}); // it may be over
      expect(['interrupted', 'completed']).toContain((await client.turnEnd(turn.id)).status);
      const next = await client.runTurn(threadId, stage.agent.prompts.text(`After ${afterMs}.`));
      expect(next).toMatchObject({ status: 'completed', items: [{ text: `After ${afterMs}.` }] });
    }
    expect(client.seen('turn/started')).toHaveLength(2 * moments.length);
  });

  scenario(agent, 'takes several messages in a running turn, in their order, with the same ids when they are read', async (stage) => {
    const client = await stage.connect('A');
    const { thread } = await stage.startThread(client);
    const threadId = thread.id;
    const slow = stage.agent.prompts.slow();
    const turn = await client.startTurn(threadId, slow.prompt);
    await client.firstDelta(turn.id);
    for (const text of ['First.', 'Second.', 'First.']) {
      const input = [{ type: 'text' as const, text: stage.agent.prompts.text(text) }];
      await client.request('turn/steer', { threadId, expectedTurnId: turn.id, input });
    }
    slow.release();
    expect(await client.turnEnd(turn.id)).toMatchObject({ status: 'completed' });
    const users = (items: ReturnType<typeof spoken>) => items.filter(([, who]) => who === 'user').map(([id]) => id);
    const live = users(spoken(client.completedItems(turn.id)));
    expect(live).toHaveLength(4);
    await client.request('thread/archive', { threadId }); // takes it out of memory
    await client.request('thread/unarchive', { threadId });
    const read = await client.request('thread/read', { threadId, includeTurns: true });
    expect(read.thread.turns.map(({ id, items }) => [id, users(spoken(items))])).toEqual([[turn.id, live]]);
  });

  // The method is heddle's own: no schema of codex's has it.
  it('brings back what was taken back, unless something was said since', async () => {
    const client = new ConformanceClient(await pi().daemon.connect(), new Recording(), 'A');
    await client.initialize();
    const { prompts } = agent();
    const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'heddle-pi-')));
    const { thread } = await client.startThread({ cwd: folder });
    const threadId = thread.id;
    const turns: Turn[] = [];
    for (const text of ['One.', 'Two.', 'Three.']) turns.push(await client.runTurn(threadId, prompts.text(text)));
    const ids = async () => (await client.request('thread/read', { threadId, includeTurns: true })).thread.turns.map(({ id }) => id);
    await client.request('thread/revert', { threadId, beforeTurnId: turns[1]?.id ?? '' });
    expect(await ids()).toEqual([turns[0]?.id]);
    await client.rawRequest('thread/unrevert', { threadId });
    expect(await ids()).toEqual(turns.map(({ id }) => id));
    await client.request('thread/revert', { threadId, beforeTurnId: turns[0]?.id ?? '' });
    expect(await ids()).toEqual([]);
    const next = await client.runTurn(threadId, prompts.text('Anew.'));
    expect(JSON.stringify(heard().at(-1)?.turns)).not.toContain('One.');
    expect((await client.refusal('thread/unrevert', { threadId })).message).toContain('nothing to bring back');
    expect(await ids()).toEqual([next.id]);
    client.close();
    rmSync(folder, { recursive: true, force: true });
  });

  scenario(agent, 'knows what was said in a terminal while its process lived', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    await client.runTurn(thread.id, stage.agent.prompts.text('From the phone.'));
    const { terminal } = pi().agent;
    expect(await terminal.say(stage.agent.prompts.text('From the terminal.'), { cwd, threadId: thread.id })).toContain(
      'From the terminal.',
    );
    await client.runTurn(thread.id, stage.agent.prompts.text('And on.'));
    expect(JSON.stringify(heard().at(-1)?.turns)).toContain('From the terminal.');
    const read = await client.request('thread/read', { threadId: thread.id, includeTurns: true });
    expect(read.thread.turns).toHaveLength(3);
  });

  scenario(agent, 'leaves nothing behind of a thread in which nothing was said', async (stage) => {
    const client = await stage.connect('A');
    const { thread, cwd } = await stage.startThread(client);
    const files = () => {
      const sessions = path.join(pi().agent.home.path, 'sessions');
      const folders = readdirSync(sessions).filter((name) => name.includes(path.basename(cwd)));
      return folders.flatMap((folder) => readdirSync(path.join(sessions, folder)));
    };
    expect(files()).toEqual([]);
    expect(await client.runTurn(thread.id, stage.agent.prompts.text('Said.'))).toMatchObject({ status: 'completed' });
    expect(files()).toEqual([expect.stringMatching(new RegExp(`_${thread.id}\\.jsonl$`))]);
    expect(
      pi()
        .agent.sessionOf(thread.id)
        .match(/"type":"session"/g),
    ).toHaveLength(1);
  });

  describe('with a folder for sessions of the user’s choice', () => {
    const own = prepareAgent(async () => {
      const made = await make();
      const file = path.join(made.home.path, 'settings.json');
      const settings = JSON.parse(readFileSync(file, 'utf8')) as object;
      writeFileSync(file, JSON.stringify({ ...settings, sessionDir: path.join(made.home.path, 'my-sessions') }));
      return made;
    });

    scenario(
      () => own().daemon.underTest(),
      'keeps them there, and finds them',
      async (stage) => {
        const client = await stage.connect('A');
        const { thread } = await stage.startThread(client);
        await client.runTurn(thread.id, stage.agent.prompts.text('Here.'));
        const kept = readdirSync(path.join(own().agent.home.path, 'my-sessions'));
        expect(kept).toEqual([expect.stringMatching(new RegExp(`_${thread.id}\\.jsonl$`))]);
        const { data } = await client.request('thread/list', { cwd: stage.folder });
        expect(data.map(({ id }) => id)).toEqual([thread.id]);
      },
    );
  });

  describe('that does not load heddle’s extension', () => {
    const own = prepareAgent(async () => {
      const made = await make();
      const [, command = ''] = /command = "(.*)"/.exec(made.toml) ?? [];
      const wrapper = path.join(made.home.path, 'pi-without');
      // It does as if there were no such option.
      const leaveOut = 'if [ "$1" = --extension ]; then shift; else args+=("$1"); fi; shift';
      writeFileSync(wrapper, `#!/bin/bash\nargs=()\nwhile [ $# -gt 0 ]; do ${leaveOut}; done\nexec "${command}" "\${args[@]}"\n`);
      chmodSync(wrapper, 0o755);
      return { ...made, toml: `[agents.pi]\ncommand = "${wrapper}"\n` };
    });

    scenario(
      () => own().daemon.underTest(),
      'is not used, and the list says why',
      async (stage) => {
        const client = await stage.connect('A');
        const refusal = await client.refusal('thread/start', { cwd: stage.folder });
        expect(refusal.message).toContain(`does not load heddle's extension`);
        const phone = await own().daemon.dial();
        const listed = (await phone.listAgents()).find(({ name }) => name === 'pi');
        expect(listed).toMatchObject({ available: false, unavailable: { reason: expect.stringContaining('extension') as string } });
        expect(listed?.version).toMatch(new RegExp(`^${version}`));
        await phone.close();
      },
    );
  });
});
