// Owns the translator's state: a value that is never changed, only followed by the next.

import type { TurnOutcome } from '@heddle/bridge-kit';
import { type Flow, newFlow } from './flow.ts';
import type { PlanTask } from './tasks.ts';
import { threadIdOfAgent } from './thread-id-of-agent.ts';

/** A sub-agent at work. */
interface SubAgent {
  threadId: string;
  flow: Flow;
  /** How it ended, as long as the call that has started it has no result. */
  outcome: TurnOutcome | undefined;
}

export interface Translator {
  readonly threadId: string;
  /** Absolute. */
  readonly cwd: string;
  /** Of a stored conversation: whether a person was asked is not known there. */
  readonly isReplay: boolean;
  readonly conversation: Flow;
  /** By the tool call that has started them first; only those that have not ended. */
  readonly agents: ReadonlyMap<string, SubAgent>;
  /** Of every sub-agent so far, by its thread. claude names that call in its messages also when it was sent on later. */
  readonly firstCalls: ReadonlyMap<string, string>;
  /** The todo list; it outlives turns. */
  readonly tasks: readonly PlanTask[];
  /** Files that were looked at for the next messages; `null`: not there. */
  readonly files: ReadonlyMap<string, string | null>;
  /** In tokens; known from the first result on. */
  readonly contextWindow: number | null;
  /** What claude called the error that it told last. */
  readonly errorKind: string | null;
}

/** @param options.tasks the todo list so far, for a conversation that goes on. */
export function newTranslator(options: { threadId: string; cwd: string; tasks?: readonly PlanTask[]; isReplay?: boolean }): Translator {
  const { threadId, cwd, tasks = [], isReplay = false } = options;
  return {
    threadId,
    cwd,
    isReplay,
    conversation: newFlow,
    agents: new Map(),
    firstCalls: new Map(),
    tasks,
    files: new Map(),
    contextWindow: null,
    errorKind: null,
  };
}

/** The sub-agent that has called a tool, by the call that has started it; `null`: it was called in the conversation. */
export function flowOfTool(state: Translator, toolUseId: string): string | null {
  for (const [startedBy, agent] of state.agents) if (agent.flow.tools.has(toolUseId)) return startedBy;
  return null;
}

/** Whether a tool call waits for its result, in the conversation or in a sub-agent's. */
export function isCallOpen(state: Translator, toolUseId: string): boolean {
  return state.conversation.tools.has(toolUseId) || flowOfTool(state, toolUseId) !== null;
}

/** The call that has started a sub-agent; `null` when it is not known. */
export function startOfAgent(state: Translator, agentId: string | undefined): string | null {
  const threadId = agentId === undefined ? undefined : threadIdOfAgent(agentId);
  for (const [startedBy, agent] of state.agents) if (agent.threadId === threadId) return startedBy;
  return null;
}
