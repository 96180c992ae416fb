// Owns what one event does to its flow: items open, grow and close in opencode's order. The object lives for one step;
// what it was given is not changed. Whatever is told twice, live and once more after a gap, makes nothing twice.

import type { TurnEvent } from '@heddle/bridge-kit';
import type { AgentMessageItem, ItemId, ThreadItem, TurnError, UserInput } from '@heddle/wire';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NativeMessage, NativePart } from '../native-message.ts';
import { threadIdOf } from '../thread-id.ts';
import { changedPaths, fileTools, type FileChange, proposedChanges, storedChanges, toldChanges, wireChange } from './file-changes.ts';
import { type Flow, type OpenText, type OpenTool, type Translator, withEntry, withoutEntry } from './state.ts';
import {
  childSessionOf,
  closingChanges,
  commandOutput,
  openedItem,
  planOf,
  type ToolContext,
  type ToolEnd,
  toolKind,
  type ToolPart,
} from './tools.ts';
import { responseUsage } from './usage.ts';

type Phase = AgentMessageItem['phase'];
type PartOf<Type extends NativePart['type']> = Extract<NativePart, { type: Type }>;

const phases: Readonly<Record<string, Phase>> = { 'tool-calls': 'commentary', stop: 'final_answer' };

export class FlowStep {
  flow: Flow;
  /** The state but for the flow. */
  after: Translator;
  readonly out: TurnEvent[] = [];

  constructor(state: Translator, flow: Flow) {
    this.after = state;
    this.flow = flow;
  }

  takeMessage(message: NativeMessage): void {
    if (message.role === 'user') this.#takeUserMessage(message.id);
    else this.#takeAnswer(message);
  }

  /** @param isReadAgain it was not told now: of a text that has not ended, words may be missing */
  takePart(part: NativePart, isReadAgain: boolean): void {
    if (this.flow.done.has(part.id)) return;
    if (this.flow.userMessages.has(part.messageId)) return this.#takeUserPart(part);
    if (!this.flow.answers.has(part.messageId)) return; // of a message that is not of this turn
    const isOfSummary = this.flow.summaries.has(part.messageId);
    if (part.type === 'stepFinish') return this.#takeStepFinish(part, isOfSummary);
    if (isOfSummary) return; // the model's notes to itself
    if (part.type === 'text') this.#takeText(part, 'text', isReadAgain);
    else if (part.type === 'reasoning') this.#takeText(part, 'reasoning', isReadAgain);
    else if (part.type === 'tool') this.#takeTool(part);
  }

  growText(partId: string, delta: string): void {
    const open = this.flow.texts.get(partId);
    if (open === undefined || open.isHoled || delta === '') return;
    this.#grow(partId, open, delta);
  }

  /** Events were missed: what streams has a hole. */
  noteGap(): void {
    const texts = [...this.flow.texts].map(([id, open]) => [id, { ...open, isHoled: true }] as const);
    this.flow = { ...this.flow, texts: new Map(texts) };
  }

  /** opencode asks the model again: what streamed was cut off. */
  noteRetry(attempt: number, error: TurnError): void {
    if (this.flow.attempt >= attempt) return;
    this.#endStreaming();
    this.decide(null);
    this.flow = { ...this.flow, attempt };
    this.out.push({ type: 'retrying', error });
  }

  /** opencode shows in its question what it is about to change. */
  noteAsked(itemId: ItemId, tool: OpenTool, changes: readonly FileChange[]): void {
    if (tool.changes.length > 0 && tool.changes.every(({ texts }) => texts !== undefined)) return; // the call has told it itself
    this.#setTool(itemId, { ...tool, changes });
    this.out.push({ type: 'itemChanged', itemId, changes: { changes: changes.map(wireChange) } });
  }

  /** Nothing more will come. */
  settle(phase: Phase): void {
    this.showForeign();
    this.#endStreaming();
    this.decide(phase);
    this.#endCompactions();
  }

  /** The agent messages of before are now known to be the answer, or not. */
  decide(phase: Phase): void {
    for (const itemId of this.flow.undecided) this.out.push({ type: 'itemCompleted', itemId, changes: { phase } });
    if (this.flow.undecided.length > 0) this.flow = { ...this.flow, undecided: [] };
  }

  /** What was said elsewhere is whole when opencode begins to answer. */
  showForeign(): void {
    const { foreign } = this.flow;
    if (foreign === undefined) return;
    this.flow = { ...this.flow, foreign: undefined };
    if (foreign.isHidden || foreign.content.length === 0) return;
    const id = `${foreign.id}-user`;
    const item: ThreadItem = { type: 'userMessage', id, clientId: null, content: foreign.content };
    this.out.push({ type: 'itemStarted', item }, { type: 'itemCompleted', itemId: id });
  }

  #takeUserMessage(id: string): void {
    if (this.flow.userMessages.has(id)) return;
    this.showForeign();
    this.flow = { ...this.flow, userMessages: new Set(this.flow.userMessages).add(id) };
    const isSaidHere = this.after.said.has(id);
    // Until it is taken, the session may still say that it has done with what came before.
    if (isSaidHere) this.after = { ...this.after, said: withEntry(this.after.said, id, true), rest: 'none' };
    else this.flow = { ...this.flow, foreign: { id, content: [], isHidden: this.flow.isRepeating } };
  }

  #takeUserPart(part: NativePart): void {
    const { foreign } = this.flow;
    if (part.type === 'compaction') {
      this.#setDone(part.id);
      if (foreign?.id === part.messageId) this.flow = { ...this.flow, foreign: { ...foreign, isHidden: true } };
      this.flow = { ...this.flow, compactions: [...this.flow.compactions, part.id], isRepeating: part.isAutomatic };
      this.out.push({ type: 'itemStarted', item: { type: 'contextCompaction', id: part.id } });
      return;
    }
    if (foreign?.id !== part.messageId) return;
    const content = contentOf(part);
    if (content === undefined) return;
    this.#setDone(part.id);
    this.flow = { ...this.flow, foreign: { ...foreign, content: [...foreign.content, content] } };
  }

  #takeAnswer(message: Extract<NativeMessage, { role: 'assistant' }>): void {
    const known = this.flow.answers.get(message.id);
    const isOpen = message.completedAtMs === undefined;
    if (known === false) return; // it has ended already
    if (known === undefined) {
      this.showForeign();
      this.#endStreaming();
      this.decide(null);
      // What went wrong before does not matter any more.
      this.flow = { ...this.flow, error: undefined, attempt: 0 };
      if (message.isSummary) this.flow = { ...this.flow, summaries: new Set(this.flow.summaries).add(message.id) };
      else if (this.flow.userMessages.has(message.parentId)) this.flow = { ...this.flow, isRepeating: false };
      this.after = { ...this.after, model: message.model };
    }
    this.flow = { ...this.flow, answers: withEntry(this.flow.answers, message.id, isOpen) };
    if (message.error !== undefined) this.flow = { ...this.flow, error: message.error };
    if (isOpen) return;
    this.#endStreaming();
    this.decide(message.error === undefined ? (phases[message.finish ?? ''] ?? null) : null);
    if (message.isSummary) this.#endCompactions();
  }

  /** What still streams when its message has ended was cut off. */
  #endStreaming(): void {
    for (const [itemId, open] of this.flow.texts) {
      if (!open.isShown) continue;
      if (open.kind === 'text') this.flow = { ...this.flow, undecided: [...this.flow.undecided, itemId] };
      else this.out.push({ type: 'itemCompleted', itemId });
      this.#setDone(itemId);
    }
    this.flow = { ...this.flow, texts: new Map() };
  }

  #endCompactions(): void {
    for (const itemId of this.flow.compactions) this.out.push({ type: 'itemCompleted', itemId });
    if (this.flow.compactions.length > 0) this.flow = { ...this.flow, compactions: [] };
  }

  #takeText(part: PartOf<'text'> | PartOf<'reasoning'>, kind: OpenText['kind'], isReadAgain: boolean): void {
    if (part.type === 'text' && part.isSynthetic) return;
    const known = this.flow.texts.get(part.id);
    const open = known ?? { kind, text: '', isShown: false, isHoled: isReadAgain && !part.isWhole };
    if (known === undefined) this.decide(null);
    this.#setText(part.id, open);
    if (part.text.length > open.text.length && part.text.startsWith(open.text))
      this.#grow(part.id, open, part.text.slice(open.text.length));
    if (!part.isWhole) return;
    const shown = this.flow.texts.get(part.id);
    this.flow = { ...this.flow, texts: withoutEntry(this.flow.texts, part.id) };
    this.#setDone(part.id);
    if (shown === undefined || !shown.isShown) return;
    const isSame = shown.text === part.text;
    if (kind === 'text') {
      if (!isSame) this.out.push({ type: 'itemChanged', itemId: part.id, changes: { text: part.text } });
      this.flow = { ...this.flow, undecided: [...this.flow.undecided, part.id] };
    } else this.out.push({ type: 'itemCompleted', itemId: part.id, ...(isSame ? {} : { changes: { summary: [part.text] } }) });
  }

  #grow(itemId: ItemId, open: OpenText, delta: string): void {
    if (!open.isShown) this.out.push({ type: 'itemStarted', item: emptyItem(open.kind, itemId) });
    if (!open.isShown && open.kind === 'reasoning') this.out.push({ type: 'reasoningPart', itemId });
    this.out.push(open.kind === 'text' ? { type: 'textDelta', itemId, delta } : { type: 'reasoningDelta', itemId, delta });
    this.#setText(itemId, { ...open, text: open.text + delta, isShown: true });
  }

  #takeTool(part: ToolPart): void {
    const { state } = part;
    if (state.status === 'pending') return;
    this.decide('commentary');
    if (!this.flow.tools.has(part.id)) this.#openTool(part, state.input, state.metadata);
    const tool = this.flow.tools.get(part.id);
    if (tool === undefined) return;
    if (state.status === 'running') this.#growTool(part, tool, state.metadata);
    else this.#endTool(part, tool, state);
  }

  #openTool(part: ToolPart, input: ToolEnd['input'], metadata: ToolEnd['metadata']): void {
    const { cwd } = this.after.context;
    const isFileTool = fileTools.has(part.tool);
    const changes = isFileTool ? this.#changesOf(part.tool, input, metadata, cwd) : [];
    this.#setTool(part.id, { part, changes, output: '', childSession: undefined });
    const item = openedItem(part, input, this.#context, changes);
    if (item !== undefined) this.out.push({ type: 'itemStarted', item });
  }

  #changesOf(tool: string, input: ToolEnd['input'], metadata: ToolEnd['metadata'], cwd: string): FileChange[] {
    if (this.after.isReplay) return storedChanges(tool, input, metadata, cwd);
    return proposedChanges(tool, input, cwd, this.after.files);
  }

  #growTool(part: ToolPart, tool: OpenTool, metadata: ToolEnd['metadata']): void {
    const output = commandOutput(metadata);
    let next: OpenTool = { ...tool, part };
    if (output.length > tool.output.length && output.startsWith(tool.output)) {
      this.out.push({ type: 'outputDelta', itemId: part.id, delta: output.slice(tool.output.length) });
      next = { ...next, output };
    }
    const childSession = childSessionOf(metadata);
    if (childSession !== undefined && tool.childSession === undefined) {
      next = { ...next, childSession };
      this.#showChild(part.id, childSession);
    }
    this.#setTool(part.id, next);
  }

  #showChild(itemId: ItemId, childSession: string): void {
    const id = threadIdOf(childSession);
    const agentsStates = { [id]: { status: 'running' as const, message: null } };
    this.out.push({ type: 'itemChanged', itemId, changes: { receiverThreadIds: [id], agentsStates } });
  }

  #endTool(part: ToolPart, tool: OpenTool, end: ToolEnd): void {
    this.flow = { ...this.flow, tools: withoutEntry(this.flow.tools, part.id) };
    this.#setDone(part.id);
    const kind = toolKind(part.tool, end.input, this.#context);
    if (kind === 'plan') return this.#updatePlan(end);
    if (kind === 'question') return;
    const closing = closingChanges(part, end, this.#context);
    if (kind !== 'fileChange') return void this.out.push({ type: 'itemCompleted', itemId: part.id, changes: closing });
    const changes = this.#doneChanges(tool, end);
    const isChanged = changes !== tool.changes;
    this.out.push({
      type: 'itemCompleted',
      itemId: part.id,
      changes: { ...closing, ...(isChanged ? { changes: changes.map(wireChange) } : {}) },
    });
    if (end.status === 'completed') this.#tellFiles(changes);
  }

  /** What was proposed is what was done, unless more is told of it now. */
  #doneChanges(tool: OpenTool, end: ToolEnd): readonly FileChange[] {
    const isKnown = tool.changes.length > 0 && tool.changes.every(({ texts }) => texts !== undefined);
    if (isKnown || end.status === 'error') return tool.changes;
    return toldChanges(end.metadata, new Map(), this.after.context.cwd) ?? tool.changes;
  }

  /** What lies on the disk now counts: opencode may have formatted it. */
  #tellFiles(changes: readonly FileChange[]): void {
    for (const { path, texts } of changes) {
      if (texts === undefined) continue;
      const after = this.after.files.get(path);
      this.out.push({ type: 'fileChanged', path, before: texts.before, after: after === undefined ? texts.after : after });
    }
  }

  #updatePlan({ input, status }: ToolEnd): void {
    const plan = planOf(input);
    if (status === 'error' || !('todos' in input) || JSON.stringify(plan) === JSON.stringify(this.after.plan)) return;
    this.after = { ...this.after, plan };
    this.out.push({ type: 'planUpdated', explanation: null, plan });
  }

  #takeStepFinish(part: PartOf<'stepFinish'>, isOfSummary: boolean): void {
    this.#setDone(part.id);
    if (!isOfSummary) {
      this.decide(phases[part.reason] ?? null);
      if (part.reason === 'length') this.out.push({ type: 'warning', message: 'The answer reached the limit of its length and was cut.' });
    }
    const contextWindow = this.after.contextWindows.get(this.after.model) ?? null;
    this.out.push({ type: 'responseEnded', usage: responseUsage(part.usage), contextWindow });
  }

  get #context(): ToolContext {
    return { ...this.after.context, threadId: this.flow.threadId };
  }

  #setText(itemId: ItemId, open: OpenText): void {
    this.flow = { ...this.flow, texts: withEntry(this.flow.texts, itemId, open) };
  }

  #setTool(itemId: ItemId, tool: OpenTool): void {
    this.flow = { ...this.flow, tools: withEntry(this.flow.tools, itemId, tool) };
  }

  #setDone(partId: string): void {
    this.flow = { ...this.flow, done: new Set(this.flow.done).add(partId) };
  }
}

/** The files that an event is about, absolute: to be looked at before it is handled. */
export function filesOf(part: NativePart, cwd: string): string[] {
  if (part.type !== 'tool' || part.state.status === 'pending' || !fileTools.has(part.tool)) return [];
  return changedPaths(part.tool, part.state.input, cwd);
}

function emptyItem(kind: OpenText['kind'], id: ItemId): ThreadItem {
  return kind === 'text' ? { type: 'agentMessage', id, text: '', phase: null } : { type: 'reasoning', id, summary: [], content: [] };
}

/** A part of a user's message as it is shown; `undefined`: opencode's own words. */
function contentOf(part: NativePart): UserInput | undefined {
  if (part.type === 'text') return part.isSynthetic || part.text === '' ? undefined : { type: 'text', text: part.text };
  if (part.type !== 'file') return undefined;
  if (part.mime.startsWith('image/')) return { type: 'image', url: part.url };
  const path = part.url.startsWith('file://') ? pathOfUrl(part.url) : (part.filename ?? part.url);
  return { type: 'mention', name: part.filename ?? basename(path), path };
}

function pathOfUrl(url: string): string {
  try {
    const parsed = new URL(url);
    parsed.search = ''; // the lines that are meant
    return fileURLToPath(parsed);
  } catch {
    return url;
  }
}
