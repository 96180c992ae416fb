// Owns the translator's state in one turn: a value that is never changed, only followed by the next. A flow is a session
// of opencode's: the thread's own, or a sub-agent's.

import type { ItemId, PlanStep, UserInput } from '@heddle/wire';
import type { NativeError } from '../native-message.ts';
import { threadIdOf } from '../thread-id.ts';
import type { FileChange, FileText } from './file-changes.ts';
import type { ToolContext, ToolPart } from './tools.ts';

/** A text or a reasoning that streams in: opened as an item with its first words. */
export interface OpenText {
  kind: 'text' | 'reasoning';
  text: string;
  /** Whether the item was started. */
  isShown: boolean;
  /** Events were missed in it: what comes next does not follow on what there is. Its end tells the whole. */
  isHoled: boolean;
}

/** A call whose item is open, or that is shown otherwise and has not ended. */
export interface OpenTool {
  part: ToolPart;
  changes: readonly FileChange[];
  /** What a command has printed so far, as told. */
  output: string;
  /** The session of the sub-agent that it has started. */
  childSession: string | undefined;
}

/** A message of a user's that was said elsewhere: shown once it is whole. */
interface ForeignMessage {
  id: string;
  content: UserInput[];
  isHidden: boolean;
}

export interface Flow {
  sessionId: string;
  threadId: string;
  /** Of a sub-agent's: whether its turn was begun and has not ended. */
  isRunning: boolean;
  /** Answers that have begun; true: not ended. */
  answers: ReadonlyMap<string, boolean>;
  /** Answers that stand for a compacted conversation. */
  summaries: ReadonlySet<string>;
  /** The user's messages that were seen in it. */
  userMessages: ReadonlySet<string>;
  foreign: ForeignMessage | undefined;
  texts: ReadonlyMap<ItemId, OpenText>;
  tools: ReadonlyMap<ItemId, OpenTool>;
  /** Parts that have ended: what is said of them again is known. */
  done: ReadonlySet<string>;
  /** Agent messages whose text is whole; what follows tells whether they were the answer. */
  undecided: readonly ItemId[];
  /** Items of compactions that have not ended. */
  compactions: readonly ItemId[];
  /** After a compaction opencode says again what it was asked: nobody has said that. */
  isRepeating: boolean;
  error: NativeError | undefined;
  /** The last attempt that was told to have failed. */
  attempt: number;
}

export interface Translator {
  readonly sessionId: string;
  readonly context: Omit<ToolContext, 'threadId'>;
  /** Context windows in tokens by `provider/model`. */
  readonly contextWindows: ReadonlyMap<string, number>;
  /** Of a stored conversation: no user's message was shown by anybody else. */
  readonly isReplay: boolean;
  readonly flows: ReadonlyMap<string, Flow>;
  /** The user's messages that were said here and shown; true: opencode has taken them. */
  readonly said: ReadonlyMap<string, boolean>;
  /** Whether something has begun that can end. */
  readonly hasBegun: boolean;
  /** Whether the session has nothing more to do, and nothing more will be told. */
  readonly rest: 'none' | 'now' | 'forGood';
  readonly plan: readonly PlanStep[];
  /** Files that were looked at for the next event; `null`: not there. */
  readonly files: ReadonlyMap<string, FileText>;
  /** What the sessions have spent before, and have spent by now, in US dollars. */
  readonly costs: ReadonlyMap<string, number>;
  readonly model: string;
}

export interface TranslatorOptions {
  sessionId: string;
  /** Absolute. */
  cwd: string;
  mcpServers?: readonly string[];
  contextWindows?: ReadonlyMap<string, number>;
  isReplay?: boolean;
}

/** For one turn. */
export function newTranslator(options: TranslatorOptions): Translator {
  const { sessionId, cwd, mcpServers = [], contextWindows = new Map<string, number>(), isReplay = false } = options;
  return {
    sessionId,
    context: { cwd, mcpServers },
    contextWindows,
    isReplay,
    flows: new Map([[sessionId, newFlow(sessionId)]]),
    said: new Map(),
    hasBegun: false,
    rest: 'none',
    plan: [],
    files: new Map(),
    costs: new Map(),
    model: '',
  };
}

export function newFlow(sessionId: string): Flow {
  return {
    sessionId,
    threadId: threadIdOf(sessionId),
    isRunning: false,
    answers: new Map(),
    summaries: new Set(),
    userMessages: new Set(),
    foreign: undefined,
    texts: new Map(),
    tools: new Map(),
    done: new Set(),
    undecided: [],
    compactions: [],
    isRepeating: false,
    error: undefined,
    attempt: 0,
  };
}

/** The flow and its open call that a question is about; also when opencode asks before it tells of the call's start. */
export function findCall(state: Translator, sessionId: string, callId: string): { flow: Flow; itemId: ItemId; tool: OpenTool } | undefined {
  const flow = state.flows.get(sessionId);
  for (const [itemId, tool] of flow?.tools ?? []) {
    if (flow !== undefined && tool.part.callId === callId) return { flow, itemId, tool };
  }
  return undefined;
}

export function withEntry<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map(map).set(key, value);
}

export function withoutEntry<K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> {
  const next = new Map(map);
  next.delete(key);
  return next;
}
