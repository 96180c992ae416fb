// Owns the vocabulary in which an agent's messages are put: what each means for a turn. A pure translator makes these
// events, live from a stream and again from the agent's stored history; so both show the same items under the same ids.

import type {
  AgentMessageItem,
  CollabAgentToolCallItem,
  CommandExecutionItem,
  DynamicToolCallItem,
  FileChangeItem,
  ItemId,
  McpToolCallItem,
  PlanItem,
  PlanStep,
  ReasoningItem,
  ThreadItem,
  TokenUsage,
  TurnError,
  WebSearchItem,
} from '@heddle/wire';

type Known<Item extends ThreadItem> = Omit<Item, 'type' | 'id' | 'status' | 'tool'>;

/** What may become known of an item after its start. */
export type ItemChanges = Partial<
  Known<AgentMessageItem> &
    Known<ReasoningItem> &
    Known<PlanItem> &
    Known<CommandExecutionItem> &
    Known<FileChangeItem> &
    Known<McpToolCallItem> &
    Known<DynamicToolCallItem> &
    Known<CollabAgentToolCallItem> &
    Known<WebSearchItem> & { status: 'inProgress' | 'completed' | 'failed' | 'declined' }
>;

/** What one answer of the model cost. */
export type ResponseUsage = Omit<TokenUsage, 'totalTokens'>;

export type TurnEvent =
  /** An item opens. One that is complete at once is followed by its `itemCompleted`. */
  | { type: 'itemStarted'; item: ThreadItem }
  /** Grows the text of an open agentMessage or plan. */
  | { type: 'textDelta'; itemId: ItemId; delta: string }
  /** Opens the next section of an open reasoning item's summary. */
  | { type: 'reasoningPart'; itemId: ItemId }
  /** Grows the last section. */
  | { type: 'reasoningDelta'; itemId: ItemId; delta: string }
  /** Grows the output of an open commandExecution. */
  | { type: 'outputDelta'; itemId: ItemId; delta: string }
  /** Becomes known of an open item without an end; whoever joins later sees it. */
  | { type: 'itemChanged'; itemId: ItemId; changes: ItemChanges }
  | { type: 'itemCompleted'; itemId: ItemId; changes?: ItemChanges }
  /** The agent's todo list, whole. */
  | { type: 'planUpdated'; explanation: string | null; plan: PlanStep[] }
  /** A file has changed on disk, for the diff of the turn. Absolute path; `null`: it is not there. */
  | { type: 'fileChanged'; path: string; before: string | null; after: string | null }
  /** The model has answered once. `contextWindow` in tokens. */
  | { type: 'responseEnded'; usage: ResponseUsage; contextWindow: number | null }
  /** What the agent's process has spent on the thread so far, in US dollars; `contextWindow` as above. After an answer. */
  | { type: 'costKnown'; costUsd: number; contextWindow: number | null }
  /** The agent tries again by itself; the turn goes on. */
  | { type: 'retrying'; error: TurnError }
  | { type: 'warning'; message: string }
  /** A sub-agent begins. Its turn has the thread id `agentThreadId`, which is its id in the agent's own store. */
  | { type: 'subAgentStarted'; agentThreadId: string; nickname: string | null; role: string | null; prompt: string | null; turnId: string }
  /** Something happens in the turn of a sub-agent that was started and has not ended. */
  | { type: 'subAgentEvent'; agentThreadId: string; event: TurnEvent }
  | { type: 'subAgentEnded'; agentThreadId: string; outcome: TurnOutcome };

/** How a turn ended by itself. */
export type TurnOutcome = { status: 'completed' } | { status: 'interrupted' } | { status: 'failed'; error: TurnError };
