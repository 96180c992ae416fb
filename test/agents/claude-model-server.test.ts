// The scripted model server against the real claude, without heddle between: what the prompts of claude-prompts.ts
// promise, claude does. One process for all, so that the conversation grows as a real one does.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentPaths } from '../../scripts/install-agents.ts';
import { prompt } from '../model-server/script.ts';
import { type ModelServer, startModelServer } from '../model-server/server.ts';
import { type ClaudeHome, makeClaudeHome } from './support/claude-home.ts';
import {
  backgroundPrompt,
  claudePrompts,
  parallelPrompt,
  planModePrompt,
  questionPrompt,
  subAgentPrompt,
  todoPrompt,
  toolPrompt,
} from './support/claude-prompts.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- claude's own messages, as they come
type Line = any;

const streamJson = ['-p', '--input-format', 'stream-json', '--output-format', 'stream-json', '--verbose', '--include-partial-messages'];
const asHeddle = ['--permission-prompt-tool', 'stdio', '--thinking-display', 'summarized'];

let server: ModelServer;
let home: ClaudeHome;
let cwd: string;
let claude: ChildProcessByStdio<Writable, Readable, null>;
let lines: Line[] = [];
let wake = Promise.withResolvers<void>();
/** Why there will be no more lines. */
let ended: Error | undefined;
/** How the next questions are answered. */
let permit = (request: Line): unknown => ({ behavior: 'allow', updatedInput: request.input });

beforeAll(async () => {
  server = await startModelServer();
  home = await makeClaudeHome(server.url);
  cwd = realpathSync(mkdtempSync(path.join(tmpdir(), 'heddle-claude-')));
  claude = spawn(agentPaths().claude, [...streamJson, ...asHeddle], { cwd, env: home.env, stdio: ['pipe', 'pipe', 'inherit'] });
  claude.once('exit', (code, signal) => {
    ended = new Error(`claude has ended: ${signal ?? code}`);
    wake.resolve();
  });
  let rest = Buffer.alloc(0);
  claude.stdout.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      take(JSON.parse(rest.subarray(0, end).toString('utf8')) as unknown);
      rest = rest.subarray(end + 1);
    }
  });
});

afterAll(async () => {
  const gone = ended === undefined ? once(claude, 'exit') : undefined;
  claude.stdin.end();
  await gone;
  await server.close();
  await home.remove();
  rmSync(cwd, { recursive: true, force: true });
});

function take(line: Line): void {
  lines.push(line);
  wake.resolve();
  wake = Promise.withResolvers<void>();
  if (line.type !== 'control_request') return;
  const response = { subtype: 'success', request_id: line.request_id, response: permit(line.request) };
  send({ type: 'control_response', response });
}

const send = (line: unknown) => claude.stdin.write(`${JSON.stringify(line)}\n`);

/** Waits for a line that comes, or has come in this turn. */
async function next(wanted: (line: Line) => boolean): Promise<Line> {
  for (let at = 0; ; await wake.promise) {
    for (; at < lines.length; at++) if (wanted(lines[at])) return lines[at];
    if (ended !== undefined) throw ended;
  }
}

/** One turn. The lines of it are in `lines` afterwards. */
async function turn(content: unknown): Promise<Line> {
  lines = [];
  send({ type: 'user', message: { role: 'user', content }, parent_tool_use_id: null, session_id: '' });
  return next((line) => line.type === 'result');
}

const blocks = (type: string) =>
  lines.filter((line) => line.type === 'assistant').flatMap((line) => line.message.content.filter((block: Line) => block.type === type));
const asked = () => lines.filter((line) => line.type === 'control_request').map((line) => line.request);
const results = () =>
  lines.filter((line) => line.type === 'user' && line.tool_use_result !== undefined).map((line) => line.tool_use_result);
const streamed = () => lines.map((line) => line.event?.delta?.text ?? '').join('');
const file = (name: string) => readFileSync(path.join(cwd, name), 'utf8');

const options = { timeout: 10_000 };

describe('the prompts of the conformance scenarios', options, () => {
  it('text and thoughts', async () => {
    const prompts = claudePrompts(server);
    expect(await turn(prompts.text('Grüße, 世界, 👋🏽.'))).toMatchObject({ is_error: false, result: 'Grüße, 世界, 👋🏽.' });
    await turn(prompts.reasoning());
    expect(blocks('thinking').map((block) => block.thinking)).toEqual(['**Looking**\n\nFirst thought.', '**Deciding**\n\nSecond thought.']);
    expect(server.requests.at(-1)).toMatchObject({
      dialect: 'anthropic-messages',
      isStreaming: true,
      thinking: 'shown',
      outcome: 'answered',
    });
  });

  it('a command and files, each asked for', async () => {
    const prompts = claudePrompts(server);
    await turn(prompts.command('echo ran > ran.txt'));
    await turn(prompts.addFile());
    expect(asked()).toMatchObject([{ subtype: 'can_use_tool', tool_name: 'Write', input: { file_path: path.join(cwd, 'notes.txt') } }]);
    await turn(prompts.changeFile());
    expect(asked()).toMatchObject([{ tool_name: 'Edit' }]);
    expect([file('ran.txt'), file('notes.txt')]).toEqual(['ran\n', 'one\ndeux\ndeux\nthree\n']);
  });

  it('a list of tasks', async () => {
    await turn(todoPrompt(['Look', 'Act']));
    await turn(toolPrompt('TaskList', {}));
    expect(results()).toMatchObject([
      {
        tasks: [
          { id: '1', subject: 'Look', status: 'completed' },
          { id: '2', status: 'in_progress' },
        ],
      },
    ]);
  });

  it('a slow answer', async () => {
    const slow = claudePrompts(server).slow();
    const result = turn(slow.prompt);
    await next(() => streamed() === 'The first words, ');
    expect(lines.some((line) => line.type === 'result')).toBe(false);
    slow.release();
    expect(await result).toMatchObject({ result: 'The first words, and the last ones.' });
  });

  it('an image', async () => {
    const base64 = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC';
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: base64 } };
    expect(await turn([{ type: 'text', text: claudePrompts(server).countImages() }, image])).toMatchObject({ result: 'I see 1.' });
    expect(server.requests.at(-1)?.images).toEqual([{ mediaType: 'image/png', base64 }]);
  });

  it('failures, which the next turn survives', async () => {
    const prompts = claudePrompts(server);
    for (const [name, failure] of Object.entries(prompts.failures)) {
      expect(await turn(failure()), name).toMatchObject({ is_error: true });
      expect(await turn(prompts.text(`Well after ${name}.`))).toMatchObject({ is_error: false, result: `Well after ${name}.` });
    }
    const failOnce = prompt('Fail once.', { error: { status: 529, times: 1 }, text: 'At last.' });
    expect(await turn(failOnce)).toMatchObject({ is_error: false, result: 'At last.' });
    // A stream that was cut is asked for again in one piece.
    expect(server.requests.filter(({ outcome, isStreaming }) => outcome === 'cut' && !isStreaming)).toHaveLength(2);
  });
});

describe('what claude has besides', options, () => {
  it('several calls at once', async () => {
    await turn(parallelPrompt());
    expect(asked().map((request) => request.tool_name)).toEqual(['Bash', 'Bash', 'Write']);
    expect(['a.txt', 'b.txt', 'c.txt'].map(file)).toEqual(['one\n', 'two\n', 'three\n']);
  });

  it('a question', async () => {
    permit = ({ input }) => ({ behavior: 'allow', updatedInput: { ...input, answers: { 'Which colour?': 'Blue' } } });
    await turn(questionPrompt([{ question: 'Which colour?', header: 'Colour', options: ['Red', 'Blue'] }]));
    expect(results()).toMatchObject([{ answers: { 'Which colour?': 'Blue' } }]);
    permit = ({ input }) => ({ behavior: 'allow', updatedInput: input });
  });

  it('a plan that is presented', async () => {
    send({ type: 'control_request', request_id: 'plan', request: { subtype: 'set_permission_mode', mode: 'plan' } });
    await turn(planModePrompt('# The plan\n\n1. Look\n'));
    expect(asked()).toMatchObject([
      { tool_name: 'ExitPlanMode', input: { plan: '# The plan\n\n1. Look\n', planFilePath: expect.stringMatching(/\.md$/) } },
    ]);
    expect(lines).toContainEqual(expect.objectContaining({ subtype: 'status', permissionMode: 'default' }));
  });

  it('a sub-agent, which has a script of its own', async () => {
    await turn(subAgentPrompt([{ tools: [{ kind: 'shell', command: 'echo sub > sub.txt' }] }, { text: 'It is written.' }]));
    expect(results()).toMatchObject([{ status: 'completed', content: [{ text: 'It is written.' }] }]);
    const [request] = asked();
    expect(server.requests.filter(({ subAgent }) => subAgent === request.agent_id)).toMatchObject([{ step: 0 }, { step: 1 }]);
    expect(file('sub.txt')).toBe('sub\n');
  });

  it('a command in the background', async () => {
    expect(await turn(backgroundPrompt('touch started; until [ -e go ]; do sleep 0.05; done'))).toMatchObject({ result: 'Started.' });
    writeFileSync(path.join(cwd, 'go'), '');
    expect(await next((line) => line.result === 'It has finished.')).toMatchObject({ origin: { kind: 'task-notification' } });
  });

  it('compaction', async () => {
    await turn('/compact');
    expect(lines).toContainEqual(expect.objectContaining({ subtype: 'compact_boundary' }));
    expect(await turn(claudePrompts(server).text('Still here.'))).toMatchObject({ result: 'Still here.' });
  });
});
