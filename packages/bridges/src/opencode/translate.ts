// Owns what opencode's events mean for a turn: a pure step from a state and an event to a new state and events. Live
// events, what is read again after a gap, and stored messages go through it alike. It refuses to read a clock, a file,
// or to make up an id.

import { textOf, type TurnEvent, type TurnOutcome } from '@heddle/bridge-kit';
import type { NativeEvent, PermissionRequest, SessionStatus } from './native.ts';
import type { NativeMessage, NativePart } from './native-message.ts';
import type { NativeSession } from './native-session.ts';
import { retryOf, outcomeOf } from './translate/failures.ts';
import { type FileText, toldChanges } from './translate/file-changes.ts';
import { FlowStep } from './translate/flow-step.ts';
import { findCall, type Flow, newFlow, newTranslator, type Translator, withEntry } from './translate/state.ts';

export { filesOf } from './translate/flow-step.ts';
export { findCall } from './translate/state.ts';
export { DECLINED_BY_USER } from './translate/tools.ts';
export { newTranslator, type Translator };

/** What the translator is told beside opencode's events. */
export type Note =
  /** The user has said something here, and it is shown. */
  | { type: 'said'; messageId: string }
  /** opencode has begun without a message of ours. */
  | { type: 'begun' }
  /** The text of a file that the next event is about, see `filesOf`; `null`: it is not there. */
  | { type: 'fileSeen'; path: string; text: FileText }
  /** Events were missed: what follows is read again from the beginning of the turn. */
  | { type: 'gap' }
  /** opencode was asked, and does nothing. */
  | { type: 'atRest' }
  /** It has done nothing for a while: what has no end will have none. */
  | { type: 'atRestForGood' }
  /** Nothing more will come: of a stored turn, or of one that was cut off. */
  | { type: 'settled' };

export interface StepResult {
  state: Translator;
  out: TurnEvent[];
  /** The turn is over, and this is how. */
  ended?: TurnOutcome;
}

export function step(state: Translator, input: NativeEvent | Note): StepResult {
  const result = stepWithin(state, input);
  const ended = endOf(result.state);
  if (ended === undefined) return result;
  const settled = inFlow(result.state, state.sessionId, (flow) => flow.settle(null));
  return { state: settled.state, out: [...result.out, ...settled.out], ended };
}

function stepWithin(state: Translator, input: NativeEvent | Note): StepResult {
  switch (input.type) {
    case 'said':
      return { state: { ...state, said: withEntry(state.said, input.messageId, false), hasBegun: true }, out: [] };
    case 'begun':
      return { state: { ...state, hasBegun: true }, out: [] };
    case 'fileSeen':
      return { state: { ...state, files: withEntry(state.files, input.path, input.text) }, out: [] };
    case 'gap':
      return inEveryFlow(state, (flow) => flow.noteGap());
    case 'atRest':
      return { state: { ...state, rest: 'now' }, out: [] };
    case 'atRestForGood':
      return { state: { ...state, rest: 'forGood' }, out: [] };
    case 'settled':
      return inEveryFlow(state, (flow) => flow.settle(null));
    case 'session':
      return takeSession(state, input.session);
    case 'message':
      return takeMessage(state, input.sessionId, input.message);
    case 'part':
      return takePart(state, input.sessionId, input.part, input.isReadAgain === true);
    case 'partDelta':
      return inFlow(state, input.sessionId, (flow) => flow.growText(input.partId, input.delta));
    case 'status':
      return takeStatus(state, input.sessionId, input.status);
    case 'idle':
      return { state: input.sessionId === state.sessionId ? { ...state, rest: 'now' } : state, out: [] };
    case 'sessionError':
      return input.sessionId === undefined ? { state, out: [] } : takeError(state, input.sessionId, input.error);
    case 'permissionAsked':
      return takeQuestion(state, input.request);
    case 'permissionReplied':
    case 'questionAsked':
    case 'questionClosed':
    case 'connected':
    case 'ignored':
    case 'unknown':
      return { state, out: [] };
  }
}

/**
 * When an answer was stopped or has failed, opencode says that it has nothing more to do before it has told how the
 * answer ended; that comes some milliseconds later.
 */
function endOf(state: Translator): TurnOutcome | undefined {
  const flow = state.flows.get(state.sessionId);
  if (flow === undefined || !state.hasBegun || state.rest === 'none') return undefined;
  if ([...state.said.values()].includes(false)) return undefined; // said, and not yet taken
  if (state.said.size === 0 && flow.userMessages.size === 0 && flow.error === undefined) return undefined;
  const isCutOff = [...flow.answers.values()].includes(true);
  if (isCutOff && state.rest === 'now') return undefined;
  if (!isCutOff || flow.error !== undefined) return outcomeOf(flow.error);
  const message = 'opencode stopped in the middle of its answer';
  return { status: 'failed', error: { message, codexErrorInfo: 'other', additionalDetails: null } };
}

/** A sub-agent is a session with a parent. */
function takeSession(state: Translator, { id, parentId, costUsd }: NativeSession): StepResult {
  const isKnown = state.flows.has(id);
  if (!isKnown && (parentId === undefined || !state.flows.has(parentId))) return { state, out: [] };
  const known = isKnown ? state : { ...state, flows: withEntry(state.flows, id, newFlow(id)) };
  if (costUsd === (known.costs.get(id) ?? 0)) return { state: known, out: [] };
  const costs = withEntry(known.costs, id, costUsd);
  const total = [...costs.values()].reduce((sum, cost) => sum + cost, 0);
  return { state: { ...known, costs }, out: [{ type: 'costKnown', costUsd: total, contextWindow: null }] };
}

function takeMessage(state: Translator, sessionId: string, message: NativeMessage): StepResult {
  const begins = sessionId !== state.sessionId && message.role === 'user' && !state.flows.get(sessionId)?.userMessages.has(message.id);
  if (!begins) return inFlow(state, sessionId, (flow) => flow.takeMessage(message));
  const flow = state.flows.get(sessionId);
  return flow === undefined || flow.isRunning
    ? inFlow(state, sessionId, (each) => each.takeMessage(message))
    : beginAgent(state, flow, message.id);
}

/** A sub-agent's turn begins with the message that its caller sends it; the caller's item has the words. */
function beginAgent(state: Translator, flow: Flow, messageId: string): StepResult {
  const call = callOf(state, flow.sessionId);
  const input = call?.part.state.status === 'running' ? call.part.state.input : {};
  const userMessages = new Set(flow.userMessages).add(messageId);
  const role = textOf(input['subagent_type']) ?? null;
  return {
    state: { ...state, flows: withEntry(state.flows, flow.sessionId, { ...flow, isRunning: true, userMessages }) },
    out: [
      {
        type: 'subAgentStarted',
        agentThreadId: flow.threadId,
        nickname: textOf(input['description']) ?? null,
        role,
        prompt: textOf(input['prompt']) ?? null,
        turnId: messageId,
      },
    ],
  };
}

function takePart(state: Translator, sessionId: string, part: NativePart, isReadAgain: boolean): StepResult {
  const before = state.flows.get(sessionId)?.tools.get(part.id);
  const result = inFlow(state, sessionId, (flow) => flow.takePart(part, isReadAgain));
  const hasEnded = before?.childSession !== undefined && result.state.flows.get(sessionId)?.tools.get(part.id) === undefined;
  if (!hasEnded || part.type !== 'tool') return forgettingFiles(result);
  const outcome: TurnOutcome = part.state.status === 'error' ? failedAgent(part.state.error) : { status: 'completed' };
  const ended = endAgent(result.state, before.childSession ?? '', outcome);
  return forgettingFiles({ state: ended.state, out: [...ended.out, ...result.out] });
}

function endAgent(state: Translator, sessionId: string, outcome: TurnOutcome): StepResult {
  const flow = state.flows.get(sessionId);
  if (flow === undefined || !flow.isRunning) return { state, out: [] };
  const settled = inFlow(state, sessionId, (each) => each.settle(outcome.status === 'completed' ? 'final_answer' : null));
  const idle = { ...(settled.state.flows.get(sessionId) ?? flow), isRunning: false };
  return {
    state: { ...settled.state, flows: withEntry(settled.state.flows, sessionId, idle) },
    out: [...settled.out, { type: 'subAgentEnded', agentThreadId: flow.threadId, outcome }],
  };
}

function failedAgent(error: string): TurnOutcome {
  if (/aborted/i.test(error)) return { status: 'interrupted' };
  const message = error === '' ? 'the sub-agent failed' : error;
  return { status: 'failed', error: { message, codexErrorInfo: 'other', additionalDetails: null } };
}

function takeStatus(state: Translator, sessionId: string, status: SessionStatus): StepResult {
  if (status.type === 'busy' && sessionId === state.sessionId) return { state: { ...state, rest: 'none' }, out: [] };
  if (status.type !== 'retry') return { state, out: [] };
  return inFlow(state, sessionId, (flow) => flow.noteRetry(status.attempt, retryOf(status.attempt, status.message)));
}

/** What is said of an earlier turn comes before opencode has taken the message that has begun this one. */
function takeError(state: Translator, sessionId: string, error: Flow['error']): StepResult {
  const flow = state.flows.get(sessionId);
  if (flow === undefined || flow.userMessages.size === 0) return { state, out: [] };
  return { state: { ...state, flows: withEntry(state.flows, sessionId, { ...flow, error }) }, out: [] };
}

function takeQuestion(state: Translator, request: PermissionRequest): StepResult {
  const found = request.call === undefined ? undefined : findCall(state, request.sessionId, request.call.callId);
  if (found === undefined || request.permission !== 'edit') return { state, out: [] };
  const before = new Map(state.files);
  for (const { path, texts } of found.tool.changes) if (texts !== undefined) before.set(path, texts.before);
  const changes = toldChanges(request.metadata, before, state.context.cwd);
  if (changes === undefined) return { state, out: [] };
  return inFlow(state, request.sessionId, (flow) => flow.noteAsked(found.itemId, found.tool, changes));
}

/** The call that has started a sub-agent. */
function callOf(state: Translator, childSession: string) {
  for (const flow of state.flows.values()) {
    for (const tool of flow.tools.values()) if (tool.childSession === childSession) return tool;
  }
  return undefined;
}

/** A look at a file counts for the event behind it, and for the question about it. */
function forgettingFiles(result: StepResult): StepResult {
  const isAsking = [...result.state.flows.values()].some(({ tools }) => tools.size > 0);
  return isAsking || result.state.files.size === 0 ? result : { ...result, state: { ...result.state, files: new Map() } };
}

function inEveryFlow(state: Translator, act: (flow: FlowStep) => void): StepResult {
  const all: StepResult = { state, out: [] };
  for (const sessionId of state.flows.keys()) {
    const next = inFlow(all.state, sessionId, act);
    all.state = next.state;
    all.out = [...all.out, ...next.out];
  }
  return all;
}

function inFlow(state: Translator, sessionId: string, act: (flow: FlowStep) => void): StepResult {
  const flow = state.flows.get(sessionId);
  if (flow === undefined) return { state, out: [] };
  const taken = new FlowStep(state, flow);
  act(taken);
  return {
    state: { ...taken.after, flows: withEntry(taken.after.flows, sessionId, taken.flow) },
    out: taken.out.map((event) => ofFlow(state, flow, event)),
  };
}

function ofFlow(state: Translator, flow: Flow, event: TurnEvent): TurnEvent {
  const isOwn = flow.sessionId === state.sessionId || event.type === 'fileChanged';
  return isOwn ? event : { type: 'subAgentEvent', agentThreadId: flow.threadId, event };
}
