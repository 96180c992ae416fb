// Owns the translator's state: a value that is never changed, only followed by the next.

import type { ItemId, TurnError } from '@heddle/wire';
import type { ToolCall } from '../native-messages.ts';

/** A block of the message that streams. */
export interface OpenBlock {
  kind: 'text' | 'thinking';
  itemId: ItemId;
  text: string;
  /** Something else has begun since: it will not grow. */
  isClosed: boolean;
}

/** A call that has no result yet. */
export interface OpenTool {
  itemId: ItemId;
  call: ToolCall;
  /** What its item was told to have said so far. */
  said: string;
  /** Of a file: its text when the call was made. `null`: it was not there; `undefined`: it was not looked at. */
  before: string | null | undefined;
}

export interface Translator {
  /** Absolute. */
  readonly cwd: string;
  /** Of a stored conversation: files are as they are today, and are not looked at. */
  readonly isReplay: boolean;
  /** In tokens. */
  readonly contextWindow: number | null;
  /** When the message that streams began; `undefined`: none does. */
  readonly streamingAt: number | undefined;
  /** Blocks of that message, by their place in it. */
  readonly blocks: ReadonlyMap<number, OpenBlock>;
  /** By pi's id of the call. */
  readonly tools: ReadonlyMap<string, OpenTool>;
  /** Files as they were seen last; `null`: not there. */
  readonly files: ReadonlyMap<string, string | null>;
  /** Files as the calls of this answer have left them. */
  readonly changed: ReadonlyMap<string, string | null>;
  /** How the last answer ended; `undefined`: there was none in this turn. */
  readonly end: AnswerEnd | undefined;
}

export type AnswerEnd = { kind: 'done' } | { kind: 'calling' } | { kind: 'aborted' } | { kind: 'failed'; error: TurnError };

export function newTranslator(options: { cwd: string; contextWindow?: number | null; isReplay?: boolean }): Translator {
  const { cwd, contextWindow = null, isReplay = false } = options;
  return { cwd, isReplay, contextWindow, ...nothingOpen, files: new Map() };
}

const nothingOpen = { streamingAt: undefined, blocks: new Map(), tools: new Map(), changed: new Map(), end: undefined } as const;

/** What is left of an earlier turn is none of the next one's business. */
export function withoutTurn(state: Translator): Translator {
  return { ...state, ...nothingOpen };
}
