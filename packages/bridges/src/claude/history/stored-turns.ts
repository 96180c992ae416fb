// Owns turns as they are read back: a turn's entries go through the translator that live messages go through.

import {
  applyEvent,
  closeItems,
  type ItemsById,
  type StoredHistory,
  type StoredTurn,
  type ThreadUsage,
  type TurnEvent,
  usageAfter,
} from '@heddle/bridge-kit';
import type { ThreadItem, TurnId } from '@heddle/wire';
import { decodeAssistant, decodeMessage, decodeUser, type NativeMessage } from '../native.ts';
import { newTranslator, step, type Translator } from '../translate.ts';
import { failureOf } from '../translate/failures.ts';
import type { TurnEntries } from './conversation.ts';
import { isInterruptMark, localOutput, type Prompt, steeredPrompt } from './prompts.ts';
import type { Entry } from './transcript.ts';

export interface StoredTurnsOptions {
  threadId: string;
  /** Absolute. */
  cwd: string;
  /** The id that a turn had live, by an entry of it, where the transcript does not tell. */
  liveTurnIds: ReadonlyMap<string, TurnId>;
  /** claude's ids of sub-agents by the calls that have started them, where the results do not tell. */
  agentIds: ReadonlyMap<string, string>;
}

export function historyOf(turns: readonly TurnEntries[], options: StoredTurnsOptions): StoredHistory {
  let translator = newTranslator({ threadId: options.threadId, cwd: options.cwd, isReplay: true });
  let usage: ThreadUsage | undefined;
  const stored = turns.map((turn) => {
    const id = turnIdOf(turn, options.liveTurnIds);
    const items: ItemsById = new Map();
    if (turn.begin.kind === 'prompt') addPrompt(items, { ...turn.begin.prompt, messageId: messageIdOf(turn, id) });
    translator = step(translator, { type: 'init', sessionId: '', model: '', permissionMode: '' }).state;
    const take = (events: readonly TurnEvent[]) => {
      for (const event of events) {
        applyEvent(items, event);
        if (event.type === 'responseEnded') usage = usageAfter(usage, id, event);
      }
    };
    const entries = turn.entries.filter((entry) => !isFiller(entry));
    for (const entry of entries) {
      const steered = entry === turn.entries[0] ? undefined : steeredPrompt(entry);
      if (steered !== undefined) addPrompt(items, steered);
      const message = messageOf(entry);
      translator = through(translator, message, take);
      for (const start of agentStarts(message, options.agentIds)) translator = through(translator, start, take);
    }
    const end = endOf(entries);
    translator = through(translator, endMessage, take);
    closeItems(items);
    return storedTurn(turn, id, [...items.values()], end);
  });
  return { turns: stored, usage };
}

/**
 * The id that a turn had live: of its first message; of its first answer, when claude began by itself; of the call that
 * has started a sub-agent; and for a local command, whose message loses its id, the one that was noted live.
 */
export function turnIdOf({ begin, entries }: TurnEntries, liveTurnIds: ReadonlyMap<string, TurnId>): TurnId {
  for (const entry of entries) {
    const live = liveTurnIds.get(entry.firstUuid);
    if (live !== undefined) return live;
  }
  if (begin.kind === 'prompt') return begin.prompt.messageId;
  if (begin.kind === 'call') return begin.toolUseId;
  const answer = entries.find((entry) => entry.type === 'assistant');
  return answer === undefined ? (entries[0]?.firstUuid ?? '') : decodeAssistant(answer.fields).messageId;
}

function messageIdOf({ begin, entries }: TurnEntries, id: TurnId): string {
  const isLocal = entries.some((entry) => entry.fields['subtype'] === 'local_command' || entry.fields['subtype'] === 'compact_boundary');
  return begin.kind === 'prompt' && !isLocal ? begin.prompt.messageId : id;
}

/** What an entry would be on claude's stdout. */
function messageOf({ type, fields }: Entry): NativeMessage {
  switch (type) {
    case 'assistant':
      return decodeAssistant(fields);
    case 'user':
      return decodeUser(fields, fields['toolUseResult']);
    case 'system': {
      if (fields['subtype'] !== 'local_command') return decodeMessage(fields);
      const text = localOutput(fields);
      return text === undefined ? { type: 'ignored' } : { type: 'localCommandOutput', uuid: String(fields['uuid']), text };
    }
    case 'attachment':
      return { type: 'ignored' };
  }
}

/** What claude says of the sub-agents that a message calls. */
function agentStarts(message: NativeMessage, agentIds: ReadonlyMap<string, string>): NativeMessage[] {
  if (agentIds.size === 0 || message.type !== 'assistant') return [];
  return message.blocks.flatMap((block): NativeMessage[] => {
    const taskId = block.type === 'toolUse' ? agentIds.get(block.id) : undefined;
    if (block.type !== 'toolUse' || taskId === undefined) return [];
    return [{ type: 'taskStarted', taskId, toolUseId: block.id, isAgent: true, agentType: null, description: null, prompt: null }];
  });
}

/** What claude writes for the model when it takes up a conversation whose last message has no answer. Nobody saw it. */
function isFiller({ type, fields }: Entry): boolean {
  if (type !== 'assistant') return false;
  const { isSynthetic, blocks, errorKind } = decodeAssistant(fields);
  const [first] = blocks;
  return isSynthetic && errorKind === null && first?.type === 'text' && first.text === 'No response requested.';
}

const endMessage: NativeMessage = {
  type: 'result',
  isError: false,
  text: '',
  terminalReason: null,
  errorStatus: null,
  stopReason: null,
  contextWindow: null,
  costUsd: null,
};

function through(translator: Translator, message: NativeMessage, take: (events: readonly TurnEvent[]) => void): Translator {
  const { state, out } = step(translator, message);
  take(out);
  return state;
}

function addPrompt(items: ItemsById, { messageId, content }: Prompt): void {
  const id = `${messageId}-user`;
  items.set(id, { type: 'userMessage', id, clientId: null, content });
}

/** A transcript has no result: the last thing that was said tells. A turn that just stops was cut off. */
function endOf(entries: readonly Entry[]): Pick<StoredTurn, 'status' | 'error'> {
  const last = entries.findLast(
    (entry) => entry.type === 'assistant' || isInterruptMark(entry) || entry.fields['subtype'] === 'local_command',
  );
  if (last === undefined) {
    const isCompaction = entries.some((entry) => entry.fields['subtype'] === 'compact_boundary');
    return { status: isCompaction ? 'completed' : 'interrupted', error: null };
  }
  if (last.type === 'user') return { status: 'interrupted', error: null };
  if (last.type === 'system') return { status: 'completed', error: null };
  const { errorKind, errorStatus, stopReason, blocks } = decodeAssistant(last.fields);
  if (errorKind !== null) {
    const text = blocks.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('\n');
    return { status: 'failed', error: failureOf({ text, status: errorStatus, kind: errorKind, stopReason, terminalReason: null }) };
  }
  return { status: stopReason === null || stopReason === 'tool_use' ? 'interrupted' : 'completed', error: null };
}

function storedTurn({ entries }: TurnEntries, id: TurnId, items: ThreadItem[], end: Pick<StoredTurn, 'status' | 'error'>): StoredTurn {
  const times = entries.map((entry) => entry.timeMs).filter((time) => time > 0);
  const [first = 0] = times;
  return { id, items, ...end, startedAtMs: first, completedAtMs: times.reduce((latest, time) => Math.max(latest, time), first) };
}
