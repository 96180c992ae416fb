// The scripted model server against both of the real pi, without heddle between: their tools do what a script wants.

import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentPaths } from '../../scripts/install-agents.ts';
import { prompt, type Step } from '../model-server/script.ts';
import { type ModelServer, startModelServer } from '../model-server/server.ts';
import { makePiHome, type PiHome } from './support/pi-home.ts';
import { runAgent } from './support/run-agent.ts';

describe.each(['pi', 'piClassic'] as const)('%s', (name) => {
  let server: ModelServer;
  let home: PiHome;
  let cwd: string;

  beforeAll(async () => {
    server = await startModelServer();
    home = await makePiHome(server.url);
    cwd = realpathSync(mkdtempSync(path.join(tmpdir(), 'heddle-pi-')));
  });

  afterAll(async () => {
    await server.close();
    await home.remove();
    rmSync(cwd, { recursive: true, force: true });
  });

  /** The messages of the run, as it ends with them; 0.87 counts its system prompt among them. */
  const run = async (steps: Step | Step[]) => {
    const args = ['-p', '--mode', 'json', prompt('Go.', steps)];
    const { lines } = await runAgent({ command: agentPaths()[name], args, cwd, env: home.env, stdin: '' });
    const { messages } = lines.findLast(({ type }) => type === 'agent_end') as { messages: { role: string }[] };
    return messages.filter(({ role }) => role !== 'system');
  };

  const file = (at: string) => readFileSync(path.join(cwd, at), 'utf8');

  it('thoughts, text, and each kind of tool', async () => {
    const messages = await run([
      {
        think: ['One.', 'Two.'],
        text: 'Grüße, 世界.',
        tools: [
          { kind: 'shell', command: 'echo ran > ran.txt' },
          { kind: 'write', path: 'notes.txt', content: 'one\ntwo\n' },
        ],
      },
      { tools: [{ kind: 'read', path: 'notes.txt' }] },
      { tools: [{ kind: 'edit', path: 'notes.txt', old: 'two\n', new: 'deux\n' }] },
      { text: 'Done.' },
    ]);
    expect(messages).toMatchObject([
      { role: 'user' },
      {
        stopReason: 'toolUse',
        content: [
          { type: 'thinking', thinking: 'One.\n\nTwo.' },
          { type: 'text', text: 'Grüße, 世界.' },
          { type: 'toolCall', name: 'bash' },
          { type: 'toolCall', name: 'write' },
        ],
      },
      { role: 'toolResult', isError: false },
      { role: 'toolResult', isError: false },
      { role: 'assistant' },
      { role: 'toolResult', content: [{ type: 'text', text: 'one\ntwo\n' }] },
      { role: 'assistant' },
      { role: 'toolResult', isError: false },
      { stopReason: 'stop', content: [{ type: 'text', text: 'Done.' }], usage: { input: 80, cacheRead: 20, output: 25 } },
    ]);
    expect(['ran.txt', 'notes.txt'].map(file)).toEqual(['ran\n', 'one\ndeux\n']);
    expect(server.requests.map(({ dialect, outcome }) => `${dialect} ${outcome}`)).toEqual(Array(4).fill('openai-chat answered'));
  });

  it('a failure', async () => {
    expect(await run({ error: { status: 401, message: 'no such key' } })).toMatchObject([
      { role: 'user' },
      { stopReason: 'error', errorMessage: expect.stringContaining('no such key') },
    ]);
  });
});
