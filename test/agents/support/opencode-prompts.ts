// Owns the prompts that make opencode do something: what the scripted model says, by the names of opencode's own tools.

import { randomUUID } from 'node:crypto';
import type { Prompts } from '../../conformance/agent-under-test.ts';
import { prompt, type Step, type ToolWish } from '../../model-server/script.ts';
import type { ModelServer } from '../../model-server/server.ts';
import { scriptedPrompts } from './scripted-prompts.ts';

/** For the conformance scenarios. */
export function opencodePrompts(server: ModelServer): Prompts {
  const { failures, ...common } = scriptedPrompts(server, () => randomUUID());
  return {
    ...common,
    // opencode edits only what it has read.
    changeFile: () =>
      prompt('Change it.', [
        { tools: [{ kind: 'read', path: 'notes.txt' }] },
        { tools: [{ kind: 'edit', path: 'notes.txt', old: 'two\n', new: 'deux\ndeux\n' }] },
        { text: 'That was the change.' },
      ]),
    failures: {
      // opencode tries a server error and a cut stream again for a minute; other tests look at that.
      'HTTP 401': failures['HTTP 401'] ?? (() => ''),
      'HTTP 400': () => prompt('Fail.', { error: { status: 400 } }),
      'a refusal': () => prompt('Fail.', { stop: 'refusal' }),
    },
  };
}

export interface OpencodeQuestion {
  question: string;
  header: string;
  options: string[];
  isMultiSelect?: boolean;
}

/** opencode asks these, then answers with `Noted.` */
export function questionPrompt(questions: OpencodeQuestion[]): string {
  const asked = questions.map(({ question, header, options, isMultiSelect = false }) => ({
    question,
    header,
    options: options.map((label) => ({ label, description: `${label}, as it says.` })),
    multiple: isMultiSelect,
  }));
  return prompt('Ask me.', [{ tools: [{ kind: 'call', name: 'question', input: { questions: asked } }] }, { text: 'Noted.' }]);
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

/** A sub-agent with steps of its own; the thread's own answer is `Delegated.` */
export function subAgentPrompt(steps: Step[], type = 'general'): string {
  const tool: ToolWish = { kind: 'subagent', description: 'Look around', type, steps };
  return prompt('Delegate it.', [{ text: 'I delegate.', tools: [tool] }, { text: 'Delegated.' }]);
}

/** Any tool of opencode's. The answer is `That was the tool.` */
export function toolPrompt(name: string, input: Record<string, unknown>): string {
  return prompt('Use it.', [{ tools: [{ kind: 'call', name, input }] }, { text: 'That was the tool.' }]);
}
