// Owns what pi's events mean for a turn: a pure step from one state to the next. The same for events that come live and
// for the messages of a session file; so both make the same items under the same ids.

import type { TurnEvent, TurnOutcome } from '@heddle/bridge-kit';
import type { FileUpdateChange, ItemId, ThreadItem, UserInput } from '@heddle/wire';
import type { NativeEvent } from './native.ts';
import type { AssistantMessage, NativeBlock, NativeMessage, ToolCall, ToolResult } from './native-messages.ts';
import { failureOf, isAbort } from './translate/failures.ts';
import { changeOf, isFileTool, pathOfCall, storedChange } from './translate/file-changes.ts';
import { type AnswerEnd, type OpenBlock, type OpenTool, type Translator, withoutTurn } from './translate/state.ts';
import { closingChanges, isShellTool, newOutput, openedItem, outputOf } from './translate/tools.ts';
import { responseUsage } from './translate/usage.ts';

export { newTranslator, type Translator } from './translate/state.ts';

/** What is known from elsewhere than pi's events. */
export type Note =
  | { type: 'turnBegan' }
  /** The model that answers from now on. */
  | { type: 'modelKnown'; contextWindow: number | null }
  /** A file was looked at, before a call that changes it is told and after its end. */
  | { type: 'fileSeen'; path: string; text: string | null };

export interface StepResult {
  state: Translator;
  out: TurnEvent[];
}

export function step(state: Translator, event: NativeEvent | Note): StepResult {
  switch (event.type) {
    case 'turnBegan':
      return { state: withoutTurn(state), out: [] };
    case 'modelKnown':
      return { state: { ...state, contextWindow: event.contextWindow }, out: [] };
    case 'fileSeen':
      return { state: { ...state, files: new Map(state.files).set(event.path, event.text) }, out: [] };
    case 'messageStarted':
      return startMessage(state, event.message);
    case 'blockStarted':
      return closeBlocks(state, event.index);
    case 'blockGrown':
      return growBlock(state, event);
    case 'messageEnded':
      return endMessage(state, event.message);
    case 'toolProgressed':
      return growTool(state, event.toolCallId, event.text);
    case 'toolEnded':
      return endTool(state, event.result);
    case 'retryStarted':
      return { state, out: [{ type: 'retrying', error: failureOf(event.errorMessage) }] };
    case 'compactionEnded':
      return endCompaction(state, event);
    case 'extensionFailed':
      return { state, out: [{ type: 'warning', message: `an extension of pi failed at "${event.event}": ${event.error}` }] };
    case 'runStarted':
    case 'runEnded':
    case 'settled':
    case 'toolStarted':
    case 'retryEnded':
    case 'compactionStarted':
    case 'uiRequested':
    case 'ignored':
    case 'unknown':
      return { state, out: [] };
  }
}

/** Files that a message is about to change: they are looked at before it is told. Absolute. */
export function filesToSee(event: NativeEvent, state: Translator): string[] {
  if (event.type === 'toolEnded') {
    const call = state.tools.get(event.result.toolCallId)?.call;
    return call !== undefined && isFileTool(call) ? [pathOfCall(call.input, state.cwd)] : [];
  }
  if (event.type !== 'messageEnded' || event.message.role !== 'assistant') return [];
  const calls = event.message.blocks.flatMap((block) => (block.type === 'toolCall' && isFileTool(block) ? [block] : []));
  return [...new Set(calls.map(({ input }) => pathOfCall(input, state.cwd)))];
}

/** Where a call is shown, as long as it has no result. */
export function itemOfCall(state: Translator, toolCallId: string): ItemId | undefined {
  return state.tools.get(toolCallId)?.itemId;
}

/** How a turn ended, when pi does nothing more in it. */
export function outcomeOf({ end }: Translator): TurnOutcome {
  if (end?.kind === 'failed') return { status: 'failed', error: end.error };
  return { status: end?.kind === 'aborted' ? 'interrupted' : 'completed' };
}

/** An item's id: when its message began, and its place in it. Both are also in the session file. */
function itemIdOf(timestamp: number, index: number): ItemId {
  return `${timestamp}-${index}`;
}

function startMessage(state: Translator, message: NativeMessage): StepResult {
  if (message.role !== 'assistant') return { state, out: [] };
  return { state: { ...state, streamingAt: message.timestamp, blocks: new Map() }, out: [] };
}

/** Blocks come one after the other; pi tells the end of thoughts only after the first words of the answer. */
function closeBlocks(state: Translator, beforeIndex: number): StepResult {
  const blocks = new Map(state.blocks);
  const out: TurnEvent[] = [];
  for (const [index, block] of blocks) {
    if (block.kind !== 'thinking' || block.isClosed || index >= beforeIndex) continue;
    blocks.set(index, { ...block, isClosed: true });
    out.push({ type: 'itemCompleted', itemId: block.itemId });
  }
  return { state: { ...state, blocks }, out };
}

/** An item is opened by its first words: some blocks never get any. */
function growBlock(state: Translator, { kind, index, delta }: Extract<NativeEvent, { type: 'blockGrown' }>): StepResult {
  const known = state.blocks.get(index);
  if (state.streamingAt === undefined || delta === '' || known?.isClosed === true) return { state, out: [] };
  const itemId = itemIdOf(state.streamingAt, index);
  const block: OpenBlock = { kind, itemId, text: (known?.text ?? '') + delta, isClosed: false };
  const opening = known === undefined ? opened(kind, itemId) : [];
  const grown: TurnEvent = kind === 'text' ? { type: 'textDelta', itemId, delta } : { type: 'reasoningDelta', itemId, delta };
  return { state: { ...state, blocks: new Map(state.blocks).set(index, block) }, out: [...opening, grown] };
}

function opened(kind: OpenBlock['kind'], id: ItemId): TurnEvent[] {
  if (kind === 'text') return [{ type: 'itemStarted', item: { type: 'agentMessage', id, text: '', phase: null } }];
  return [
    { type: 'itemStarted', item: { type: 'reasoning', id, summary: [], content: [] } },
    { type: 'reasoningPart', itemId: id },
  ];
}

function endMessage(state: Translator, message: NativeMessage): StepResult {
  switch (message.role) {
    case 'assistant':
      return endAnswer(state, message);
    case 'user':
    case 'toolResult': // told before, by the end of the tool
    case 'other':
      return { state, out: [] };
  }
}

/** The message as it is now is what counts, and what is stored. */
function endAnswer(state: Translator, message: AssistantMessage): StepResult {
  const out: TurnEvent[] = [];
  const tools = new Map(state.tools);
  const end = endOf(message);
  const phase = end.kind === 'done' ? 'final_answer' : end.kind === 'calling' ? 'commentary' : null;
  for (const [index, block] of message.blocks.entries()) {
    const itemId = itemIdOf(message.timestamp, index);
    if (block.type === 'text') out.push(...closeText(state.blocks.get(index), itemId, block.text, phase));
    if (block.type === 'thinking') out.push(...closeThinking(state.blocks.get(index), itemId, block.text));
    if (block.type !== 'toolCall' || end.kind !== 'calling') continue;
    const tool: OpenTool = { itemId, call: block, said: '', before: beforeOf(state, block) };
    tools.set(block.id, tool);
    out.push({ type: 'itemStarted', item: openedItem(itemId, block, state.cwd, tool.before) });
  }
  if (message.stopReason === 'length') out.push({ type: 'warning', message: 'The answer reached the limit of its length and was cut.' });
  const usage = responseUsage(message.usage);
  const isWhole = end.kind === 'done' || end.kind === 'calling';
  if (isWhole || usage.inputTokens + usage.outputTokens > 0) out.push({ type: 'responseEnded', usage, contextWindow: state.contextWindow });
  return { state: { ...state, streamingAt: undefined, blocks: new Map(), changed: new Map(), tools, end }, out };
}

function endOf({ stopReason, errorMessage, blocks }: AssistantMessage): AnswerEnd {
  if (stopReason === 'aborted' || (stopReason === 'error' && isAbort(errorMessage))) return { kind: 'aborted' };
  if (stopReason === 'error') return { kind: 'failed', error: failureOf(errorMessage ?? '') };
  return blocks.some((block) => block.type === 'toolCall') ? { kind: 'calling' } : { kind: 'done' };
}

function closeText(open: OpenBlock | undefined, itemId: ItemId, text: string, phase: 'commentary' | 'final_answer' | null): TurnEvent[] {
  if (text === '' && open === undefined) return [];
  const opening = open === undefined ? opened('text', itemId) : [];
  return [...opening, { type: 'itemCompleted', itemId, changes: open?.text === text ? { phase } : { phase, text } }];
}

function closeThinking(open: OpenBlock | undefined, itemId: ItemId, text: string): TurnEvent[] {
  if (open !== undefined) return open.isClosed ? [] : [{ type: 'itemCompleted', itemId }];
  if (text === '') return [];
  const item: ThreadItem = { type: 'reasoning', id: itemId, summary: [text], content: [] };
  return [
    { type: 'itemStarted', item },
    { type: 'itemCompleted', itemId },
  ];
}

function beforeOf({ isReplay, files, cwd }: Translator, call: ToolCall): string | null | undefined {
  return isReplay || !isFileTool(call) ? undefined : files.get(pathOfCall(call.input, cwd));
}

function growTool(state: Translator, toolCallId: string, text: string): StepResult {
  const tool = state.tools.get(toolCallId);
  if (tool === undefined || !isShellTool(tool.call)) return { state, out: [] };
  const said = outputOf(text);
  const delta = newOutput(tool.said, said);
  const tools = new Map(state.tools).set(toolCallId, { ...tool, said });
  return { state: { ...state, tools }, out: delta === '' ? [] : [{ type: 'outputDelta', itemId: tool.itemId, delta }] };
}

function endTool(state: Translator, result: ToolResult): StepResult {
  const tool = state.tools.get(result.toolCallId);
  if (tool === undefined) return { state, out: [] };
  const { itemId, call } = tool;
  const tools = new Map(state.tools);
  tools.delete(result.toolCallId);
  const closing = closingChanges(call, result);
  const next = { ...state, tools };
  const end = (change?: FileUpdateChange): TurnEvent => {
    return { type: 'itemCompleted', itemId, changes: change === undefined ? closing : { ...closing, changes: [change] } };
  };
  if (!isFileTool(call) || result.isError) return { state: next, out: [end()] };
  return state.isReplay ? { state: next, out: [end(storedChange(call, state.cwd, result))] } : endFileTool(next, tool, end);
}

/** The file tells what was done. Calls side by side may change one file: each begins where the other has left it. */
function endFileTool(state: Translator, { call, before: atFirst }: OpenTool, end: (change?: FileUpdateChange) => TurnEvent): StepResult {
  const path = pathOfCall(call.input, state.cwd);
  const before = state.changed.has(path) ? state.changed.get(path) : atFirst;
  const after = state.files.get(path);
  if (before === undefined || after === undefined || after === null) return { state, out: [end()] };
  const changed = new Map(state.changed).set(path, after);
  return { state: { ...state, changed }, out: [{ type: 'fileChanged', path, before, after }, end(changeOf(path, before, after))] };
}

function endCompaction(
  state: Translator,
  { done, errorMessage, willRetry, isManual }: Extract<NativeEvent, { type: 'compactionEnded' }>,
): StepResult {
  if (done !== undefined) return { state, out: showWhole({ type: 'contextCompaction', id: compactionId(done) }) };
  if (errorMessage === null || willRetry || isManual) return { state, out: [] };
  return { state, out: [{ type: 'warning', message: errorMessage }] };
}

/** The same from the event and from the session's entry, which has an id of its own that the event does not tell. */
export function compactionId({ firstKeptEntryId, tokensBefore }: { firstKeptEntryId: string; tokensBefore: number }): ItemId {
  return `compaction-${firstKeptEntryId}-${tokensBefore}`;
}

export function showWhole(item: ThreadItem): TurnEvent[] {
  return [
    { type: 'itemStarted', item },
    { type: 'itemCompleted', itemId: item.id },
  ];
}

/** The words of a message of the user's as the wire has them. */
export function userInputOf(blocks: readonly NativeBlock[]): UserInput[] {
  return blocks.flatMap((block): UserInput[] => {
    if (block.type === 'text') return [{ type: 'text', text: block.text }];
    return block.type === 'image' ? [{ type: 'image', url: `data:${block.mimeType};base64,${block.data}` }] : [];
  });
}
