// Owns opencode's question whether it may do something: how it is put to people. What an answer leads to is
// agent-asker.ts. Pure but for the question itself.

import { bashLine, type Decision, quoted, type RunningTurn, textOf } from '@heddle/bridge-kit';
import type { ItemId, ThreadId, ThreadItem, TurnId } from '@heddle/wire';
import type { PermissionRequest } from './native.ts';

/** In characters. What is longer is cut in the question; the item has all of it. */
const MAX_SHOWN = 4_000;

/** The one field of a tool's input that says what it is about. */
const tellingFields = ['command', 'filePath', 'path', 'url', 'query', 'pattern', 'name'] as const;

/** Tools of opencode's own whose input has such a field. */
const ownTools: ReadonlySet<string> = new Set(['read', 'glob', 'grep', 'list', 'webfetch', 'websearch', 'codesearch', 'skill', 'lsp']);

/** The call that a question is about, as far as it is known. */
export interface AskedCall {
  tool: string;
  input: Readonly<Record<string, unknown>>;
  /** Whether it changes files. */
  isEdit: boolean;
}

/** Where the question belongs. */
export interface QuestionPlace {
  threadId: ThreadId;
  turnId: TurnId;
  itemId: ItemId;
  /** To be opened with the question, when nothing is open for it. */
  item?: ThreadItem;
}

/** @throws the turn's abort reason when it is cut short first, or the signal's. */
export function askPermission(
  turn: RunningTurn,
  request: PermissionRequest,
  call: AskedCall,
  { item, ...place }: QuestionPlace,
  signal: AbortSignal,
): Promise<Decision> {
  const about = { ...place, startedAtMs: Date.now() };
  const subject = subjectOf(request, call);
  const reason = reasonOf(request) ?? null;
  if (call.isEdit) return turn.ask('item/fileChange/requestApproval', { ...about, reason, grantRoot: null }, subject, item, { signal });
  const params = {
    ...about,
    environmentId: null,
    approvalId: null,
    reason,
    command: commandOf(request, call),
    cwd: turn.cwd,
    commandActions: null,
    proposedExecpolicyAmendment: null,
    availableDecisions: ['accept', 'acceptForSession', 'decline', 'cancel'],
  };
  return turn.ask('item/commandExecution/requestApproval', params, subject, item, { signal });
}

/** What is remembered when it is accepted for the session: the very same call, for the same reason. */
export function subjectOf({ permission, patterns }: PermissionRequest, { tool, input }: AskedCall): string {
  const { description: _description, ...rest } = input; // the model words it anew each time
  return JSON.stringify([permission, tool, rest, patterns]);
}

function reasonOf({ permission, patterns }: PermissionRequest): string | undefined {
  if (permission === 'external_directory') return `It reaches outside of the folder: ${patterns.join(', ')}`.slice(0, MAX_SHOWN);
  if (permission === 'task') return 'It starts a sub-agent, which may act without asking here.';
  if (permission === 'doom_loop') return 'It does the very same for the third time.';
  return undefined;
}

/** A line that a person can judge: the command, or the tool with what it is about. */
function commandOf({ permission, metadata, patterns }: PermissionRequest, { tool, input }: AskedCall): string {
  const command = textOf(input['command']) ?? textOf(metadata['command']);
  if (tool === 'bash' && command !== undefined) return bashLine(command.slice(0, MAX_SHOWN));
  const field = tellingFields.find((name) => typeof input[name] === 'string');
  const isKnown = field !== undefined && ownTools.has(tool); // of an MCP server's tool any field can mean anything
  const all = Object.keys(input).length > 0 ? JSON.stringify(input) : patterns.join(' ');
  const about = isKnown ? String(input[field]) : all;
  return `${tool === '' ? permission : tool} ${quoted(about.slice(0, MAX_SHOWN))}`;
}
