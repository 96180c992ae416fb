// Owns the form of a thread on the wire, whether it is in memory or in the agent's store.

import type { GitInfo, Thread, ThreadId, ThreadStatus, Turn } from '@heddle/wire';
import type { HubThread } from './hub-thread.ts';
import type { HubAgent } from './hub-agent.ts';
import type { SubAgentOrigin } from './thread-record.ts';
import type { StoredThread } from './thread-store.ts';
import type { ThreadNote } from './thread-notes.ts';

/** Everything that a list filters and orders by, and a view shows; cheap to make for ten thousand threads. */
export interface ThreadFacts {
  id: ThreadId;
  status: ThreadStatus;
  forkedFromId: ThreadId | null;
  subAgent: SubAgentOrigin | undefined;
  isEphemeral: boolean;
  isArchived: boolean;
  /** Whether anything was ever said in it. */
  isUsed: boolean;
  originator: string | undefined;
  createdAtMs: number;
  updatedAtMs: number;
  recencyAtMs: number;
  preview: string;
  name: string | null;
  cwd: string;
  model: string | null;
  reasoningEffort: string | null;
  path: string | null;
  gitInfo: GitInfo | null;
}

/** What the agent says of itself in each thread. */
export interface AgentLabels {
  modelProvider: string;
  cliVersion: string;
  resumeCommand: ((threadId: ThreadId, cwd: string) => string) | undefined;
}

export function labelsOf(agent: HubAgent): AgentLabels {
  return { modelProvider: agent.name, cliVersion: agent.version, resumeCommand: agent.resumeCommand?.bind(agent) };
}

export function factsOfStored(stored: StoredThread, note: ThreadNote | undefined): ThreadFacts {
  return {
    id: stored.id,
    status: { type: 'notLoaded' },
    forkedFromId: stored.forkedFromId ?? note?.forkedFromId ?? null,
    subAgent: stored.subAgent,
    isEphemeral: note?.isEphemeral === true,
    isArchived: note?.isArchived === true,
    isUsed: true,
    originator: note?.originator,
    createdAtMs: Math.floor(stored.createdAtMs),
    updatedAtMs: Math.floor(stored.updatedAtMs),
    recencyAtMs: Math.floor(stored.updatedAtMs),
    preview: stored.preview,
    name: note?.name ?? stored.name,
    cwd: stored.cwd,
    model: stored.model,
    reasoningEffort: null,
    path: stored.path,
    gitInfo: gitInfoOfStored(stored),
  };
}

/** A thread in memory as the agent's store would have it. */
export function storedFormOf({ record, settings }: HubThread): StoredThread {
  const { id, createdAtMs, updatedAtMs, preview, path, forkedFromId, gitInfo } = record;
  const { cwd, model } = settings;
  return { id, cwd, createdAtMs, updatedAtMs, preview, name: null, model, path, forkedFromId, gitBranch: gitInfo?.branch ?? null };
}

export function gitInfoOfStored({ gitBranch }: StoredThread): GitInfo | null {
  return gitBranch === null ? null : { sha: null, branch: gitBranch, originUrl: null };
}

/** A thread as 0.169 wants it: fields that 0.132 does not know are there when the newer schema requires them. */
export function threadView(facts: ThreadFacts, { modelProvider, cliVersion, resumeCommand }: AgentLabels, turns: Turn[]): Thread {
  const { status, subAgent } = facts;
  const canAcceptDirectInput = status.type === 'notLoaded' ? null : subAgent === undefined;
  const newerFields = { projectId: null, originator: facts.originator ?? null, canAcceptDirectInput };
  return {
    id: facts.id,
    sessionId: facts.id,
    forkedFromId: facts.forkedFromId,
    parentThreadId: subAgent?.parentThreadId ?? null,
    ...(subAgent === undefined ? {} : { agentNickname: subAgent.nickname, agentRole: subAgent.role }),
    preview: facts.preview,
    ephemeral: facts.isEphemeral,
    modelProvider,
    model: facts.model,
    reasoningEffort: facts.reasoningEffort,
    createdAt: Math.floor(facts.createdAtMs / 1000),
    updatedAt: Math.floor(facts.updatedAtMs / 1000),
    recencyAt: Math.floor(facts.recencyAtMs / 1000),
    status,
    path: facts.path,
    cwd: facts.cwd,
    cliVersion,
    source: sourceOf(facts),
    gitInfo: facts.gitInfo,
    name: facts.name,
    ...(resumeCommand === undefined || subAgent !== undefined ? {} : { resumeCommand: resumeCommand(facts.id, facts.cwd) }),
    turns,
    ...newerFields,
  };
}

/** `vscode` is what codex calls every thread that was started through an app-server; clients filter by it. */
function sourceOf({ subAgent, originator }: ThreadFacts): unknown {
  if (subAgent === undefined) return originator === undefined ? 'cli' : 'vscode';
  const { parentThreadId, depth, nickname, role } = subAgent;
  return {
    subAgent: {
      thread_spawn: { parent_thread_id: parentThreadId, depth, agent_path: null, agent_nickname: nickname, agent_role: role },
    },
  };
}
