// Owns what claude's messages mean for a turn: a pure step from a state and a message to a new state and events. Live
// messages and a transcript's entries go through it alike. It refuses to read a clock, a file, or to make up an id.

import type { Fields, TurnEvent, TurnOutcome } from '@heddle/bridge-kit';
import type { TurnError } from '@heddle/wire';
import type { NativeMessage } from './native.ts';
import type { NativeUsage } from './native-content.ts';
import { failureOf } from './translate/failures.ts';
import { newFlow } from './translate/flow.ts';
import { FlowStep } from './translate/flow-step.ts';
import { flowOfTool, isCallOpen, newTranslator, startOfAgent, type Translator } from './translate/state.ts';
import { threadIdOfAgent } from './translate/thread-id-of-agent.ts';

export { localCommandEntry, ownTurnId, proposedFiles, rateLimitSnapshot, transcriptEntry } from './translate/readings.ts';
export { DECLINED_BY_USER } from './translate/tool-results.ts';
export { newTranslator, type Translator };

/** What the translator is told beside claude's messages. */
export type Note =
  /** The text of a file that the next message is about, see `proposedFiles`; `null`: it is not there. */
  | { type: 'fileSeen'; path: string; text: string | null }
  /** claude asks whether it may call a tool; of a sub-agent's call it tells nothing before. `agentId`: the sub-agent's. */
  | { type: 'permissionAsked'; toolUseId: string; toolName: string; input: Fields; agentId: string | undefined }
  /** claude got its answer, or does not want one any more. */
  | { type: 'permissionAnswered'; toolUseId: string };

export interface StepResult {
  state: Translator;
  out: TurnEvent[];
  /** The turn is over, and this is how. */
  ended?: TurnOutcome;
}

export function step(state: Translator, input: NativeMessage | Note): StepResult {
  switch (input.type) {
    case 'fileSeen':
      return { state: { ...state, files: new Map(state.files).set(input.path, input.text) }, out: [] };
    case 'permissionAsked': {
      const { toolUseId: id, toolName: name, input: given, agentId } = input;
      return inFlow(state, flowOfTool(state, id) ?? startOfAgent(state, agentId), (flow) =>
        flow.ask({ type: 'toolUse', id, name, input: given }),
      );
    }
    case 'permissionAnswered':
      return inFlow(state, flowOfTool(state, input.toolUseId), (flow) => flow.setWaiting(input.toolUseId, false));
    case 'init':
      return { state: { ...state, conversation: newFlow, errorKind: null }, out: [] };
    case 'messageStarted':
      return inFlow(state, input.parentToolUseId, (flow) => flow.startMessage(input.messageId, input.usage));
    case 'blockStarted':
      return inFlow(state, input.parentToolUseId, (flow) => flow.startBlock(input.block));
    case 'blockGrew':
      return inFlow(state, input.parentToolUseId, (flow) => flow.growBlock(input.text));
    case 'messageEnded':
      return inFlow(state, input.parentToolUseId, (flow) => flow.endMessage(input.stopReason, input.usage));
    case 'assistant': {
      if (input.errorKind === null) return inFlow(state, input.parentToolUseId, (flow) => flow.takeAssistant(input));
      return { state: input.parentToolUseId === null ? { ...state, errorKind: input.errorKind } : state, out: [] };
    }
    case 'user':
      return inFlow(state, input.parentToolUseId, (flow) => flow.takeUser(input));
    case 'localCommandOutput':
      return inFlow(state, null, (flow) => flow.say(input.uuid, input.text));
    case 'compacted':
      return inFlow(state, null, (flow) => flow.showWhole({ type: 'contextCompaction', id: input.uuid }));
    case 'retrying':
      return { state, out: [{ type: 'retrying', error: retryOf(input) }] };
    case 'taskStarted':
      return startAgent(state, input);
    case 'taskEnded':
      return endTask(state, input);
    case 'result':
      return endTurn(state, input);
    case 'rateLimit':
    case 'ignored':
    case 'unknown':
      return { state, out: [] };
  }
}

/** What went wrong, as long as claude tries again. */
function retryOf({ attempt, maxAttempts, delayMs, status, errorKind }: Extract<NativeMessage, { type: 'retrying' }>): TurnError {
  const what = status === null ? 'The model API can not be reached' : `The model API answered ${status}`;
  const text = `${what}; claude tries again in ${Math.ceil(delayMs / 1000)} s (${attempt} of ${maxAttempts})`;
  const error = failureOf({ text, status, kind: errorKind, stopReason: null, terminalReason: null });
  return status === null ? { ...error, codexErrorInfo: { httpConnectionFailed: { httpStatusCode: null } } } : error;
}

function inFlow(state: Translator, parentToolUseId: string | null, change: (flow: FlowStep) => void): StepResult {
  if (parentToolUseId === null) {
    const flow = new FlowStep(state, state.conversation, state.threadId);
    change(flow);
    return ended({ ...flow.after, conversation: flow.flow }, flow);
  }
  const agent = state.agents.get(parentToolUseId);
  if (agent === undefined) return { state, out: [] }; // of a sub-agent that nobody watches any more
  const flow = new FlowStep(state, agent.flow, agent.threadId);
  change(flow);
  const agents = new Map(state.agents).set(parentToolUseId, { ...agent, flow: flow.flow });
  const result = ended({ ...flow.after, agents }, flow);
  return { ...result, out: result.out.map((event) => ofAgent(agent.threadId, event)) };
}

/** Sub-agents whose call has got its result are over, if claude has not said so before. */
function ended(state: Translator, { out, finishedCalls }: FlowStep): StepResult {
  return finishedCalls.reduce(
    (result: StepResult, { toolUseId, outcome, usage }) => {
      const { state: next, out: events } = endAgent(result.state, toolUseId, outcome, usage);
      return { state: next, out: [...events, ...result.out] };
    },
    { state, out },
  );
}

function startAgent(state: Translator, started: Extract<NativeMessage, { type: 'taskStarted' }>): StepResult {
  const { taskId, toolUseId, agentType, description, prompt } = started;
  const threadId = threadIdOfAgent(taskId);
  const firstCall = state.firstCalls.get(threadId) ?? toolUseId;
  if (!started.isAgent || state.agents.has(firstCall)) return { state, out: [] };
  const agents = new Map(state.agents).set(firstCall, { threadId, flow: newFlow, outcome: undefined });
  const firstCalls = new Map(state.firstCalls).set(threadId, firstCall);
  const shown = inFlow({ ...state, agents, firstCalls }, flowOfTool(state, toolUseId), (flow) => flow.showAgent(toolUseId, threadId));
  const begin: TurnEvent = {
    type: 'subAgentStarted',
    agentThreadId: threadId,
    nickname: description,
    role: agentType,
    prompt,
    turnId: toolUseId,
  };
  return { state: shown.state, out: [...shown.out, begin] };
}

/** A sub-agent that is waited for ends with the result of its call, which follows and knows what the last answer cost. */
function endTask(state: Translator, { taskId, status, summary }: Extract<NativeMessage, { type: 'taskEnded' }>): StepResult {
  const toolUseId = startOfAgent(state, taskId);
  const agent = toolUseId === null ? undefined : state.agents.get(toolUseId);
  if (toolUseId === null || agent === undefined) return { state, out: [] };
  const outcome = outcomeOfTask(status, summary);
  if (!isCallOpen(state, toolUseId)) return endAgent(state, toolUseId, outcome);
  return { state: { ...state, agents: new Map(state.agents).set(toolUseId, { ...agent, outcome }) }, out: [] };
}

function endAgent(state: Translator, toolUseId: string, otherwise: TurnOutcome, lastUsage?: NativeUsage): StepResult {
  const agent = state.agents.get(toolUseId);
  if (agent === undefined) return { state, out: [] };
  const outcome = agent.outcome ?? otherwise;
  const { state: decided, out } = inFlow(state, toolUseId, (flow) => {
    flow.endAnswer(lastUsage);
    flow.settle(outcome.status === 'completed' ? 'final_answer' : null);
  });
  const agents = new Map(decided.agents);
  agents.delete(toolUseId);
  return { state: { ...decided, agents }, out: [...out, { type: 'subAgentEnded', agentThreadId: agent.threadId, outcome }] };
}

function outcomeOfTask(status: string, summary: string): TurnOutcome {
  if (status === 'completed') return { status: 'completed' };
  if (status !== 'failed') return { status: 'interrupted' };
  return {
    status: 'failed',
    error: { message: summary === '' ? 'the sub-agent failed' : summary, codexErrorInfo: 'other', additionalDetails: null },
  };
}

function endTurn(state: Translator, result: Extract<NativeMessage, { type: 'result' }>): StepResult {
  const all: StepResult = { state: { ...state, contextWindow: result.contextWindow ?? state.contextWindow }, out: [] };
  // Sub-agents in the background go on, but nobody can watch them outside of a turn.
  for (const toolUseId of state.agents.keys()) append(all, endAgent(all.state, toolUseId, { status: 'interrupted' }));
  append(
    all,
    inFlow(all.state, null, (flow) => flow.settle(null)),
  );
  const { costUsd } = result;
  if (costUsd !== null) all.out.push({ type: 'costKnown', costUsd, contextWindow: all.state.contextWindow });
  const settled = { ...all.state, conversation: newFlow, files: new Map(), errorKind: null };
  return { state: settled, out: all.out, ended: outcomeOf(result, state.errorKind) };
}

function append(all: StepResult, next: StepResult): void {
  all.state = next.state;
  all.out = [...all.out, ...next.out];
}

/** claude calls a failure of the API a success with `is_error`, and an interrupt an error. */
function outcomeOf(result: Extract<NativeMessage, { type: 'result' }>, errorKind: string | null): TurnOutcome {
  if (!result.isError) return { status: 'completed' };
  if (result.terminalReason?.startsWith('aborted_') === true) return { status: 'interrupted' };
  const { text, errorStatus: status, stopReason, terminalReason } = result;
  return { status: 'failed', error: failureOf({ text, status, kind: errorKind, stopReason, terminalReason }) };
}

function ofAgent(agentThreadId: string, event: TurnEvent): TurnEvent {
  const isOfThread = event.type === 'subAgentStarted' || event.type === 'subAgentEvent' || event.type === 'subAgentEnded';
  return isOfThread || event.type === 'fileChanged' ? event : { type: 'subAgentEvent', agentThreadId, event };
}
