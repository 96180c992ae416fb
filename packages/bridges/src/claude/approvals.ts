// Owns claude's question whether it may use a tool: how it is put to people, and what each answer is to claude. A rule
// that claude suggests is taken for the session only: the user's settings files are never written.

import { bashLine, type Decision, quoted, type RunningTurn } from '@heddle/bridge-kit';
import type { ItemId, ThreadId, ThreadItem, TurnId } from '@heddle/wire';
import { DECLINED_BY_USER } from './translate.ts';

const UNREADABLE = 'Nobody could answer whether this may be done, so it may not.';

/** In characters. What is longer is cut in the question; the item has all of it. */
const MAX_SHOWN = 4_000;

/** Tools whose question is one about a change of files. */
const fileTools: ReadonlySet<string> = new Set(['Edit', 'MultiEdit', 'Write', 'NotebookEdit']);

/** The one field of a tool's input that says what it is about. */
const tellingFields = ['command', 'file_path', 'notebook_path', 'path', 'url', 'query', 'pattern', 'skill'] as const;

/** A control request `can_use_tool`, read. */
export interface PermissionRequest {
  toolName: string;
  input: Record<string, unknown>;
  toolUseId: string;
  /** Rules and modes after which claude would not ask again. */
  suggestions: Record<string, unknown>[];
  /** Why claude asks, in its own words. */
  reason: string | undefined;
  /** The sub-agent that asks, if one does. */
  agentId: string | undefined;
}

/** What claude takes for an answer. `updatedInput` is what then runs, and must be there. */
export type PermissionAnswer =
  | { behavior: 'allow'; updatedInput: Record<string, unknown>; updatedPermissions?: Record<string, unknown>[] }
  | { behavior: 'deny'; message: string; interrupt?: true };

/** Where the question belongs. */
export interface QuestionPlace {
  threadId: ThreadId;
  turnId: TurnId;
  itemId: ItemId;
  /** To be opened with the question, when it is not open yet. */
  item?: ThreadItem | undefined;
}

export function readPermissionRequest(request: Record<string, unknown>): PermissionRequest {
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);
  const suggestions = Array.isArray(request['permission_suggestions']) ? request['permission_suggestions'] : [];
  const toolName = text(request['tool_name']) ?? '';
  // Of a file tool claude describes the path only, which the item shows.
  const description = fileTools.has(toolName) ? undefined : text(request['description']);
  return {
    toolName,
    input: isRecord(request['input']) ? request['input'] : {},
    toolUseId: text(request['tool_use_id']) ?? '',
    suggestions: suggestions.filter(isRecord),
    reason: text(request['decision_reason']) ?? description,
    agentId: text(request['agent_id']),
  };
}

/** Whether somebody's answer to it lets claude go on editing without asking. */
export function isAboutFiles({ toolName }: PermissionRequest): boolean {
  return fileTools.has(toolName);
}

/** The file that claude wants to change, if that is what it asks about. */
export function fileOf(request: PermissionRequest): string | undefined {
  const path = request.input['file_path'] ?? request.input['notebook_path'];
  return isAboutFiles(request) && typeof path === 'string' ? path : undefined;
}

/**
 * Asks the people of a turn, unless they have accepted the very same for the session.
 * @throws the turn's abort reason when it is cut short first.
 */
export async function askPermission(
  turn: RunningTurn,
  request: PermissionRequest,
  place: QuestionPlace,
  options: { signal?: AbortSignal },
): Promise<Decision> {
  const subject = subjectOf(request);
  if (turn.isRemembered(subject)) return 'accept';
  const { threadId, turnId, itemId, item } = place;
  const about = { threadId, turnId, itemId, startedAtMs: Date.now() };
  if (isAboutFiles(request)) {
    return turn.ask(
      'item/fileChange/requestApproval',
      { ...about, reason: request.reason ?? null, grantRoot: null },
      subject,
      item,
      options,
    );
  }
  const params = {
    ...about,
    environmentId: null,
    approvalId: null,
    reason: request.reason ?? null,
    command: commandOf(request),
    cwd: turn.cwd,
    commandActions: null,
    proposedExecpolicyAmendment: null,
    availableDecisions: ['accept', 'acceptForSession', 'decline', 'cancel'],
  };
  return turn.ask('item/commandExecution/requestApproval', params, subject, item, options);
}

/** What a decision is to claude. */
export function permissionAnswer(request: PermissionRequest, decision: Decision): PermissionAnswer {
  switch (decision) {
    case 'accept':
      return { behavior: 'allow', updatedInput: request.input };
    case 'acceptForSession':
      return { behavior: 'allow', updatedInput: request.input, updatedPermissions: sessionPermissions(request) };
    case 'decline':
      return { behavior: 'deny', message: DECLINED_BY_USER };
    case 'cancel':
      return { behavior: 'deny', message: DECLINED_BY_USER, interrupt: true };
    case 'invalid':
      return { behavior: 'deny', message: UNREADABLE };
  }
}

/**
 * claude's own suggestions, for this session. To accept a command is not to accept edits, so of a command's only the
 * rules are taken; of an edit's also the mode in which claude edits without asking.
 */
function sessionPermissions(request: PermissionRequest): Record<string, unknown>[] {
  const isTaken = ({ type }: Record<string, unknown>) => type === 'addRules' || isAboutFiles(request);
  return request.suggestions.filter(isTaken).map((suggestion) => ({ ...suggestion, destination: 'session' }));
}

/** What is remembered when it is accepted for the session: the same command, or the same file. */
function subjectOf(request: PermissionRequest): string {
  const file = fileOf(request);
  if (file !== undefined) return `file ${file}`;
  const { toolName, input } = request;
  const { description: _description, ...rest } = input; // the model words it anew each time
  return `${toolName} ${JSON.stringify(rest)}`;
}

/** A line that a person can judge: the command, or the tool with what it is about. */
function commandOf({ toolName, input }: PermissionRequest): string {
  if (toolName === 'Bash' && typeof input['command'] === 'string') return bashLine(input['command'].slice(0, MAX_SHOWN));
  const field = tellingFields.find((name) => typeof input[name] === 'string');
  const isMcp = toolName.startsWith('mcp__'); // its fields can mean anything
  const about = field === undefined || isMcp ? JSON.stringify(input) : String(input[field]);
  return `${toolName} ${quoted(about.slice(0, MAX_SHOWN))}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
