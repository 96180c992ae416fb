// The local doors: programs made for codex app-server, in front of `heddle attach`, as a user starts them.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { JsonRpcPeer, jsonlChannel } from '@heddle/rpc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentPaths } from '../../scripts/install-agents.ts';
import { prompt } from '../model-server/script.ts';
import { type CodexDaemon, startCodexDaemon } from './support/codex-daemon.ts';
import { Terminal } from './support/terminal.ts';

const cli = join(import.meta.dirname, '../../packages/cli/src/main.ts');
let codex: CodexDaemon;
beforeAll(async () => {
  codex = await startCodexDaemon();
});
afterAll(() => codex.end());

const attach = (...args: string[]) => spawn(process.execPath, [cli, 'attach', 'codex', ...args], { env: codex.env, stdio: 'pipe' });

describe('heddle attach codex --listen', () => {
  it('serves the Codex TUI: a turn with a command is seen on its screen', { timeout: 120_000 }, async () => {
    const listener = attach('--listen', 'ws://127.0.0.1:0');
    const url = await new Promise<string>((resolve, reject) => {
      let said = '';
      listener.stderr.on('data', (text: Buffer) => {
        said += text.toString();
        const found = /ws:\/\/127\.0\.0\.1:\d+/.exec(said);
        if (found !== null) resolve(found[0]);
      });
      listener.once('exit', (code) => reject(new Error(`heddle attach ended with ${code}: ${said}`)));
    });

    const tui = new Terminal([agentPaths().codex, '--remote', url], { env: codex.env, cwd: codex.codexHome.path });
    try {
      await tui.shows('Ask Codex to do anything');
      // The command's output is not in the prompt, so that seeing it means that it ran.
      // Pasted: of fast keys the TUI guesses that they are a paste, and takes an Enter soon after them for a line break.
      tui.paste(
        prompt('Run it.', [{ tools: [{ kind: 'shell', command: 'expr 1234 \\* 1000 + 567' }] }, { text: 'That was the command.' }]),
      );
      await tui.shows('That was the command.');
      tui.press('Enter');
      await tui.shows('1234567');
      await tui.shows(/Ran expr/);
    } finally {
      tui.end();
      listener.kill('SIGINT');
      await once(listener, 'exit');
    }
  });
});

describe('heddle attach codex --stdio', () => {
  it('is driven as if it were codex app-server', async () => {
    const program = attach('--stdio');
    const channel = jsonlChannel(
      {
        source: program.stdout as AsyncIterable<Uint8Array>,
        closed: once(program, 'exit').then(() => undefined),
        write: async (bytes) => void program.stdin.write(bytes),
        closeWrite: async () => void program.stdin.end(),
        abort: () => program.kill(),
      },
      { maxLineBytes: 1024 * 1024 },
    );
    const completed = Promise.withResolvers<{ turn: { status: string; items: { text: string }[] } }>();
    const peer = new JsonRpcPeer(channel, {
      onNotification: (method, params) => {
        if (method === 'turn/completed') completed.resolve(params as never);
      },
    });
    await expect(peer.request('thread/list', {})).rejects.toMatchObject({ code: -32600, message: 'Not initialized' });
    const info = await peer.request('initialize', { clientInfo: { name: 'editor', version: '1.0' } });
    expect(info).toMatchObject({ userAgent: expect.stringMatching(/\/0\.169\.0 .*\(editor; 1\.0\)$/) });
    await peer.notify('initialized');
    const { thread } = (await peer.request('thread/start', { cwd: codex.codexHome.path })) as { thread: { id: string } };
    await peer.request('turn/start', {
      threadId: thread.id,
      input: [{ type: 'text', text: prompt('Say it.', { text: 'Hello, editor.' }) }],
    });
    expect((await completed.promise).turn).toMatchObject({ status: 'completed', items: [{ text: 'Hello, editor.' }] });
    channel.close(); // the end of its input
    expect(await once(program, 'exit')).toEqual([0, null]);
  });
});
