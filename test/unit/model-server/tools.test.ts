import { describe, expect, it } from 'vitest';
import type { ToolWish } from '../../model-server/script.ts';
import { type JsonSchema, type OfferedTool, toolCall } from '../../model-server/tools.ts';

const tool = (name: string, properties: Record<string, JsonSchema>): OfferedTool => ({ name, isFreeform: false, schema: { properties } });
const text = { type: 'string' };

/** The tools of several agents, as they offer them. */
const codex: OfferedTool[] = [
  tool('exec_command', { cmd: text, sandbox_permissions: text, justification: text }),
  { name: 'apply_patch', isFreeform: true, schema: {} },
  tool('update_plan', { explanation: text, plan: { type: 'array', items: { properties: { step: text, status: text } } } }),
];
const claude: OfferedTool[] = [
  tool('Bash', { command: text, description: text, run_in_background: { type: 'boolean' } }),
  tool('Read', { file_path: text }),
  tool('Agent', { description: text, prompt: text, subagent_type: text, run_in_background: { type: 'boolean' } }),
  tool('Write', { file_path: text, content: text }),
  tool('Edit', { file_path: text, old_string: text, new_string: text }),
  tool('TodoWrite', { todos: { type: 'array', items: { properties: { content: text, status: text, activeForm: text } } } }),
];
const pi: OfferedTool[] = [
  tool('bash', { command: text }),
  tool('edit', { path: text, edits: { type: 'array', items: { properties: { oldText: text, newText: text } } } }),
];

const json = (value: unknown) => ({ kind: 'json', value });

describe('toolCall', () => {
  it('runs a command with what the agent offers', () => {
    const wish = { kind: 'shell', command: 'ls' } as const;
    expect(toolCall(wish, codex)).toEqual({ name: 'exec_command', input: json({ cmd: 'ls' }) });
    expect(toolCall(wish, claude)).toMatchObject({ name: 'Bash', input: { value: { command: 'ls' } } });
    expect(toolCall(wish, [tool('shell', { command: { type: 'array' } })]).input).toEqual(json({ command: ['bash', '-lc', 'ls'] }));
    expect(toolCall({ ...wish, escalated: true }, codex).input).toMatchObject({ value: { sandbox_permissions: 'require_escalated' } });
  });
  it('writes and edits a file', () => {
    const write = { kind: 'write', path: 'a.txt', content: 'one\ntwo\n' } as const;
    const edit = { kind: 'edit', path: 'a.txt', old: 'one\n', new: 'ONE\n' } as const;
    expect(toolCall(write, codex).input).toEqual({
      kind: 'text',
      text: '*** Begin Patch\n*** Add File: a.txt\n+one\n+two\n*** End Patch\n',
    });
    expect(toolCall(edit, codex).input).toEqual({
      kind: 'text',
      text: '*** Begin Patch\n*** Update File: a.txt\n@@\n-one\n+ONE\n*** End Patch\n',
    });
    expect(toolCall(write, claude)).toEqual({ name: 'Write', input: json({ file_path: 'a.txt', content: 'one\ntwo\n' }) });
    expect(toolCall(edit, claude).input).toEqual(json({ file_path: 'a.txt', old_string: 'one\n', new_string: 'ONE\n' }));
    expect(toolCall(edit, pi).input).toEqual(json({ path: 'a.txt', edits: [{ oldText: 'one\n', newText: 'ONE\n' }] }));
  });
  it('makes a plan', () => {
    const wish = { kind: 'plan', items: [{ step: 'Look', status: 'pending' }], explanation: 'why' } as const;
    expect(toolCall({ ...wish, items: [...wish.items] }, codex).input).toEqual(
      json({ plan: [{ step: 'Look', status: 'pending' }], explanation: 'why' }),
    );
    expect(toolCall({ ...wish, items: [...wish.items] }, claude).input).toEqual(
      json({ todos: [{ content: 'Look', activeForm: 'Look', status: 'pending' }] }),
    );
  });
  it('reads a file, and writes where the agent has told the model to', () => {
    expect(toolCall({ kind: 'read', path: 'a.txt' }, claude)).toEqual({ name: 'Read', input: json({ file_path: 'a.txt' }) });
    const wish = { kind: 'write', path: { after: 'put it at ' }, content: 'x' } as const;
    const turns = [
      { from: 'user' as const, text: 'put it at /old.md' },
      { from: 'user' as const, text: 'No: put it at /new.md, or\nput it at /newer.md now.' },
    ];
    expect(toolCall(wish, claude, turns).input).toEqual(json({ file_path: '/newer.md', content: 'x' }));
    expect(() => toolCall(wish, claude)).toThrow('nobody has told the model a path after "put it at "');
  });
  it('starts a sub-agent whose prompt is a script', () => {
    const wish = { kind: 'subagent', description: 'Look', type: 'Explore', steps: [{ text: 'Seen.' }], background: true } as const;
    expect(toolCall({ ...wish, steps: [...wish.steps] }, claude)).toEqual({
      name: 'Agent',
      input: json({ description: 'Look', prompt: 'Look. @@fake [{"text":"Seen."}]@@', subagent_type: 'Explore', run_in_background: true }),
    });
  });
  it('gives a sub-agent a type where the agent wants one', () => {
    const task = tool('task', { description: text, prompt: text, subagent_type: text });
    const wanting = { ...task, schema: { ...task.schema, required: ['description', 'prompt', 'subagent_type'] } };
    const wish: ToolWish = { kind: 'subagent', description: 'Look', steps: [] };
    expect(toolCall(wish, [wanting]).input).toMatchObject({ value: { subagent_type: 'general' } });
    expect(toolCall(wish, [task]).input).not.toHaveProperty('value.subagent_type');
  });
  it('calls any tool by its name, with any input', () => {
    const wish = { kind: 'call', name: 'Bash', input: { cmd: 1 } } as const;
    expect(toolCall(wish, claude)).toEqual({ name: 'Bash', input: json({ cmd: 1 }) });
    expect(() => toolCall(wish, pi)).toThrow('the agent offers no tool to call Bash: it offers bash, edit');
  });
  it('refuses what the agent does not offer', () => {
    expect(() => toolCall({ kind: 'plan', items: [] }, pi)).toThrow('the agent offers no tool to plan: it offers bash, edit');
    expect(() => toolCall({ kind: 'shell', command: 'ls', escalated: true }, pi)).toThrow(
      'the tool bash takes none of sandbox_permissions',
    );
  });
});
