// Owns how a wish ("run this command") becomes a call of a tool that the agent at hand offers, found by its name
// and filled by its JSON schema. A wish that no offered tool can grant is an error, not a guess.

import { type ConversationTurn, type PathInConversation, prompt, type ToolWish } from './script.ts';

export interface JsonSchema {
  type?: string | string[];
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  required?: string[];
}
/** A tool as an agent offers it in its request. */
export interface OfferedTool {
  name: string;
  /** Takes plain text, not JSON (OpenAI's custom tools). */
  isFreeform: boolean;
  schema: JsonSchema;
}
export interface ToolCall {
  name: string;
  input: { kind: 'text'; text: string } | { kind: 'json'; value: Record<string, unknown> };
}

type Build<Wish> = (wish: Wish, tool: OfferedTool, turns: readonly ConversationTurn[]) => ToolCall['input'];
type NamelessKind = Exclude<ToolWish['kind'], 'call'>;
type WishOf<Kind extends ToolWish['kind']> = Extract<ToolWish, { kind: Kind }>;

/** For each kind of wish, the names of the tools that grant it, as agents call them. The first one offered wins. */
const toolNames = {
  shell: ['exec_command', 'shell_command', 'Bash', 'bash', 'shell', 'execute', 'run_shell_command'],
  read: ['Read', 'read', 'read_file'],
  write: ['Write', 'write', 'write_file', 'create_file', 'apply_patch'],
  edit: ['Edit', 'edit', 'edit_file', 'str_replace', 'replace', 'apply_patch'],
  plan: ['update_plan', 'TodoWrite', 'todowrite', 'todo_write'],
  subagent: ['Agent', 'Task', 'task'],
} as const satisfies Record<NamelessKind, string[]>;

const builders: { [Kind in NamelessKind]: Build<WishOf<Kind>> } = {
  shell: shellInput,
  read: (wish, tool) => ({ kind: 'json', value: { [parameter(tool, pathNames)]: wish.path } }),
  write: (wish, tool, turns) => writeInput({ ...wish, path: pathIn(turns, wish.path) }, tool),
  edit: editInput,
  plan: planInput,
  subagent: subAgentInput,
};

/**
 * The call that grants the wish with what the agent offers.
 * @throws Error when it offers no such tool, or the tool has no parameter for what the wish needs.
 */
export function toolCall(wish: ToolWish, offered: readonly OfferedTool[], turns: readonly ConversationTurn[] = []): ToolCall {
  const names: readonly string[] = wish.kind === 'call' ? [wish.name] : toolNames[wish.kind];
  const tool = names.map((name) => offered.find((each) => each.name === name)).find((each) => each !== undefined);
  if (tool === undefined) {
    throw new Error(
      `the agent offers no tool to ${wish.kind === 'call' ? `call ${wish.name}` : wish.kind}: it offers ${offered.map((each) => each.name).join(', ')}`,
    );
  }
  if (wish.kind === 'call') return { name: tool.name, input: { kind: 'json', value: wish.input } };
  const build = builders[wish.kind] as Build<ToolWish>;
  return { name: tool.name, input: build(wish, tool, turns) };
}

function shellInput(wish: WishOf<'shell'>, tool: OfferedTool): ToolCall['input'] {
  const key = parameter(tool, ['cmd', 'command']);
  const command = tool.schema.properties?.[key]?.type === 'array' ? ['bash', '-lc', wish.command] : wish.command;
  const value: Record<string, unknown> = { [key]: command };
  if (offers(tool, 'description')) value['description'] = 'A scripted command';
  if (wish.background === true) value[parameter(tool, ['run_in_background'])] = true;
  if (wish.escalated === true) {
    value[parameter(tool, ['sandbox_permissions'])] = 'require_escalated';
    value[parameter(tool, ['justification'])] = 'May the scripted model run this outside the sandbox?';
  }
  return { kind: 'json', value };
}

const pathNames = ['file_path', 'filePath', 'path', 'absolute_path'];

function writeInput(wish: WishOf<'write'> & { path: string }, tool: OfferedTool): ToolCall['input'] {
  if (tool.name === 'apply_patch') return patchInput(tool, [`*** Add File: ${wish.path}`, ...patchLines('+', wish.content)]);
  return {
    kind: 'json',
    value: { [parameter(tool, pathNames)]: wish.path, [parameter(tool, ['content', 'file_text', 'text'])]: wish.content },
  };
}

function editInput(wish: WishOf<'edit'>, tool: OfferedTool): ToolCall['input'] {
  if (tool.name === 'apply_patch') {
    return patchInput(tool, [`*** Update File: ${wish.path}`, '@@', ...patchLines('-', wish.old), ...patchLines('+', wish.new)]);
  }
  const value: Record<string, unknown> = { [parameter(tool, pathNames)]: wish.path };
  const edits = tool.schema.properties?.['edits']?.items;
  const target: Record<string, unknown> = edits === undefined ? value : {};
  const holder = edits === undefined ? tool : { ...tool, schema: edits };
  target[parameter(holder, ['old_string', 'oldString', 'oldText', 'old_str'])] = wish.old;
  target[parameter(holder, ['new_string', 'newString', 'newText', 'new_str'])] = wish.new;
  if (edits !== undefined) value['edits'] = [target];
  return { kind: 'json', value };
}

function planInput(wish: WishOf<'plan'>, tool: OfferedTool): ToolCall['input'] {
  const key = parameter(tool, ['plan', 'todos']);
  const fields = tool.schema.properties?.[key]?.items?.properties ?? {};
  const words = { id: (at: number) => String(at + 1), priority: () => 'medium' };
  const items = wish.items.map(({ step, status }, at) => {
    const item: Record<string, unknown> = { status };
    for (const name of ['step', 'content', 'activeForm']) if (name in fields) item[name] = step;
    for (const [name, make] of Object.entries(words)) if (name in fields) item[name] = make(at);
    return item;
  });
  const explained = wish.explanation !== undefined && offers(tool, 'explanation') ? { explanation: wish.explanation } : {};
  return { kind: 'json', value: { [key]: items, ...explained } };
}

function subAgentInput(wish: WishOf<'subagent'>, tool: OfferedTool): ToolCall['input'] {
  const value: Record<string, unknown> = {
    [parameter(tool, ['description'])]: wish.description,
    [parameter(tool, ['prompt'])]: prompt(`${wish.description}.`, wish.steps),
  };
  // opencode wants a type, and has this one.
  const type = wish.type ?? (tool.schema.required?.includes('subagent_type') === true ? 'general' : undefined);
  if (type !== undefined) value[parameter(tool, ['subagent_type'])] = type;
  if (wish.background === true) value[parameter(tool, ['run_in_background'])] = true;
  return { kind: 'json', value };
}

function pathIn(turns: readonly ConversationTurn[], path: string | PathInConversation): string {
  if (typeof path === 'string') return path;
  const turn = turns.findLast(({ text }) => text.includes(path.after));
  const found = turn?.text.slice(turn.text.lastIndexOf(path.after) + path.after.length).match(/\S+/)?.[0];
  if (found === undefined) throw new Error(`nobody has told the model a path after "${path.after}"`);
  return found;
}

/** The patch format of apply_patch: plain text where the tool takes it, else its `input` parameter. */
function patchInput(tool: OfferedTool, lines: string[]): ToolCall['input'] {
  const text = ['*** Begin Patch', ...lines, '*** End Patch', ''].join('\n');
  return tool.isFreeform ? { kind: 'text', text } : { kind: 'json', value: { [parameter(tool, ['input', 'patch'])]: text } };
}

function patchLines(sign: string, text: string): string[] {
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => sign + line);
}

const offers = (tool: OfferedTool, name: string) => Object.hasOwn(tool.schema.properties ?? {}, name);

function parameter(tool: OfferedTool, names: readonly string[]): string {
  const found = names.find((name) => offers(tool, name));
  if (found === undefined) {
    throw new Error(
      `the tool ${tool.name} takes none of ${names.join(', ')}: it takes ${Object.keys(tool.schema.properties ?? {}).join(', ')}`,
    );
  }
  return found;
}
