// Owns the state of one flow of claude's messages, the conversation's or a sub-agent's: which message is being written,
// which of its parts are open, which tool calls wait for their result.

import type { ItemId } from '@heddle/wire';
import type { NativeUsage, ToolUse } from '../native-content.ts';
import type { FileChange } from './file-changes.ts';

export interface OpenTool {
  use: ToolUse;
  change: FileChange | undefined;
  /** A person is asked, and has not answered. */
  isWaiting: boolean;
  /** The sub-agent that the call has started. */
  agentThreadId: string | undefined;
}

/** The part of a message that streams in: opened as an item with its first text. */
export interface OpenBlock {
  kind: 'text' | 'thinking';
  itemId: ItemId;
  /** Whether the item was started. */
  isShown: boolean;
  text: string;
}

export interface Flow {
  /** The message that is being written, or was last. */
  messageId: string | undefined;
  /** How many of its blocks are done: also the place of the next one, which makes its item's id. */
  doneBlocks: number;
  open: OpenBlock | undefined;
  /** Agent messages whose text is whole; what follows tells whether they were the answer. */
  undecided: readonly ItemId[];
  /** Tokens, as told when the message began. */
  usage: NativeUsage;
  /** Whether the end of the message was counted. */
  isCounted: boolean;
  tools: ReadonlyMap<string, OpenTool>;
}

export const newFlow: Flow = {
  messageId: undefined,
  doneBlocks: 0,
  open: undefined,
  undecided: [],
  usage: {},
  isCounted: false,
  tools: new Map(),
};

/** The same flow at the begin of a message; a message goes on when it has the same id. */
export function inMessage(flow: Flow, messageId: string, usage: NativeUsage): Flow {
  return flow.messageId === messageId ? flow : { ...flow, messageId, doneBlocks: 0, open: undefined, usage, isCounted: false };
}

export function withTool(flow: Flow, tool: OpenTool): Flow {
  return { ...flow, tools: new Map(flow.tools).set(tool.use.id, tool) };
}

export function withoutTool(flow: Flow, id: string): Flow {
  const tools = new Map(flow.tools);
  tools.delete(id);
  return { ...flow, tools };
}
