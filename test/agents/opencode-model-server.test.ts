// The scripted model server against the real opencode, without heddle between: its tools do what a script wants.

import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { agentPaths } from '../../scripts/install-agents.ts';
import { prompt, type Step } from '../model-server/script.ts';
import { type ModelServer, startModelServer } from '../model-server/server.ts';
import { makeOpencodeHome, type OpencodeHome } from './support/opencode-home.ts';
import { runAgent } from './support/run-agent.ts';

let server: ModelServer;
let home: OpencodeHome;
let cwd: string;

beforeAll(async () => {
  server = await startModelServer();
  home = await makeOpencodeHome(server.url);
  cwd = realpathSync(mkdtempSync(path.join(tmpdir(), 'heddle-opencode-')));
});

afterAll(async () => {
  await server.close();
  await home.remove();
  rmSync(cwd, { recursive: true, force: true });
});

// A prompt in argv gets quotes around it, and a backslash before each of its own.
const run = (steps: Step | Step[]) =>
  runAgent({
    command: agentPaths().opencode,
    args: ['run', '--format', 'json', '--thinking'],
    cwd,
    env: home.env,
    stdin: prompt('Go.', steps),
  });

const file = (name: string) => readFileSync(path.join(cwd, name), 'utf8');

it('thoughts, text, and each kind of tool', async () => {
  const { code, lines } = await run([
    {
      think: ['One.', 'Two.'],
      text: 'Grüße, 世界.',
      tools: [
        { kind: 'shell', command: 'echo ran > ran.txt' },
        { kind: 'write', path: 'notes.txt', content: 'one\ntwo\n' },
      ],
    },
    { tools: [{ kind: 'read', path: 'notes.txt' }] },
    {
      tools: [
        { kind: 'edit', path: 'notes.txt', old: 'two\n', new: 'deux\n' },
        { kind: 'plan', items: [{ step: 'Look', status: 'completed' }] },
        {
          kind: 'subagent',
          description: 'Look',
          steps: [{ tools: [{ kind: 'shell', command: 'echo sub > sub.txt' }] }, { text: 'Seen.' }],
        },
      ],
    },
    { text: 'Done.' },
  ]);
  const parts = lines.map(({ part }) => part);
  expect(code).toBe(0);
  expect(parts.flatMap((part) => (part.type === 'reasoning' || part.type === 'text' ? [part.text] : []))).toEqual([
    'One.\n\nTwo.',
    'Grüße, 世界.',
    'Done.',
  ]);
  expect(
    parts
      .flatMap((part) => (part.type === 'tool' ? [`${part.tool} ${part.state.status}`] : []))
      .toSorted((one, other) => (one < other ? -1 : 1)),
  ).toEqual(['bash completed', 'edit completed', 'read completed', 'task completed', 'todowrite completed', 'write completed']);
  expect(parts.findLast((part) => part.type === 'step-finish')).toMatchObject({
    reason: 'stop',
    tokens: { input: 80, output: 20, reasoning: 5, cache: { read: 20 } },
  });
  expect(['ran.txt', 'notes.txt', 'sub.txt'].map(file)).toEqual(['ran\n', 'one\ndeux\n', 'sub\n']);
  expect(server.requests.filter(({ model }) => model === 'fake-2')).toMatchObject([{ script: 'side request', tools: [] }]);
  expect(new Set(server.requests.map(({ dialect, outcome }) => `${dialect} ${outcome}`))).toEqual(new Set(['openai-chat answered']));
});

it('a failure', async () => {
  const { code, lines } = await run({ error: { status: 401, message: 'no such key' } });
  expect(code).toBe(1);
  expect(lines).toMatchObject([{ type: 'error', error: { name: 'APIError', data: { statusCode: 401, message: 'no such key' } } }]);
});
