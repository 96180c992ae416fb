// Owns the prompts that make claude do something: what the scripted model says, by the names of claude's own tools.

import { randomUUID } from 'node:crypto';
import type { Prompts } from '../../conformance/agent-under-test.ts';
import { prompt, type Step, type ToolWish } from '../../model-server/script.ts';
import type { ModelServer } from '../../model-server/server.ts';
import { scriptedPrompts } from './scripted-prompts.ts';

/** A tool by claude's name for it; an MCP tool is `mcp__SERVER__TOOL`. */
const call = (name: string, input: Record<string, unknown>): ToolWish => ({ kind: 'call', name, input });

/** For the conformance scenarios. claude's thoughts have words only if it is started with `--thinking-display summarized`. */
export function claudePrompts(server: ModelServer): Prompts {
  const common = scriptedPrompts(server, () => randomUUID());
  return {
    ...common,
    plan: () => todoPrompt(['Look', 'Act', 'Check']),
    // claude edits only what it has read.
    changeFile: () =>
      prompt('Change it.', [
        { tools: [{ kind: 'read', path: 'notes.txt' }] },
        { tools: [{ kind: 'edit', path: 'notes.txt', old: 'two\n', new: 'deux\ndeux\n' }] },
        { text: 'That was the change.' },
      ]),
    failures: {
      ...common.failures,
      'HTTP 400': () => prompt('Fail.', { error: { status: 400 } }),
      'HTTP 429': () => prompt('Fail.', { error: { status: 429, retry_after: 0 } }),
      'a prompt that is too long': () =>
        prompt('Fail.', { error: { status: 400, message: 'prompt is too long: 250000 tokens > 200000 maximum' } }),
      'a refusal': () => prompt('Fail.', { stop: 'refusal' }),
      'an answer without end': () =>
        prompt(
          'Fail.',
          Array.from({ length: 4 }, (): Step => ({ stop: 'max_tokens', text: 'On and on.' })),
        ),
    },
  };
}

/**
 * claude has a list of tasks instead of a plan: the first is done, the second begun. It numbers its tasks, and the
 * model has to know them: the thread must have none yet.
 */
export function todoPrompt(subjects: [string, string, ...string[]]): string {
  const create = subjects.map((subject) => call('TaskCreate', { subject, description: `${subject}.`, activeForm: `${subject}ing` }));
  const update = ['completed', 'in_progress'].map((status, at) => call('TaskUpdate', { taskId: String(at + 1), status }));
  return prompt('Plan it.', [{ tools: create }, { tools: update }, { text: 'That is the plan.' }]);
}

/** One answer of several calls that all ask: two commands and a file. They leave `a.txt`, `b.txt` and `c.txt`. */
export function parallelPrompt(): string {
  const tools: ToolWish[] = [
    { kind: 'shell', command: 'echo one > a.txt' },
    { kind: 'shell', command: 'echo two > b.txt' },
    { kind: 'write', path: 'c.txt', content: 'three\n' },
  ];
  return prompt('All at once.', [{ text: 'All at once.', tools }, { text: 'That was all.' }]);
}

export interface ClaudeQuestion {
  question: string;
  /** A label of up to 12 characters. */
  header: string;
  /** Two to four. */
  options: string[];
  isMultiSelect?: boolean;
}

/** claude asks these, one to four at a time, then answers with `Noted.` */
export function questionPrompt(questions: ClaudeQuestion[]): string {
  const asked = questions.map(({ question, header, options, isMultiSelect = false }) => ({
    question,
    header,
    options: options.map((label) => ({ label, description: `${label}, as it says.` })),
    multiSelect: isMultiSelect,
  }));
  return prompt('Ask me.', [{ tools: [call('AskUserQuestion', { questions: asked })] }, { text: 'Noted.' }]);
}

/** In plan mode only: claude writes the plan where it was told to, presents it, then goes by what the user says. */
export function planModePrompt(plan: string): string {
  return prompt('Make a plan.', [
    { tools: [{ kind: 'write', path: { after: 'You should create your plan at ' }, content: plan }] },
    { tools: [call('ExitPlanMode', {})] },
    { text: 'Understood.' },
  ]);
}

/** A sub-agent with steps of its own; the thread's own answer is `Delegated.`, and `It came back.` after a background one. */
export function subAgentPrompt(steps: Step[], options: { background?: boolean } = {}): string {
  const tool: ToolWish = { kind: 'subagent', description: 'Look around', type: 'general-purpose', steps, ...options };
  return prompt('Delegate it.', [{ text: 'I delegate.', tools: [tool] }, { text: 'Delegated.' }, { text: 'It came back.' }]);
}

/** A command in the background. The turn ends with `Started.`, and one of its own with `It has finished.` when it does. */
export function backgroundPrompt(command: string): string {
  return prompt('Start it.', [
    { tools: [{ kind: 'shell', command, background: true }] },
    { text: 'Started.' },
    { text: 'It has finished.' },
  ]);
}

/** Any tool of claude's: WebFetch, WebSearch, Skill, `mcp__SERVER__TOOL`. The answer is `That was the tool.` */
export function toolPrompt(name: string, input: Record<string, unknown>): string {
  return prompt('Use it.', [{ tools: [call(name, input)] }, { text: 'That was the tool.' }]);
}
