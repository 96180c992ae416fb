// Owns what one message does to its flow: items open, grow and close in claude's order. The object lives for one step;
// what it was given is not changed.

import { fieldsOf, type TurnEvent, type TurnOutcome } from '@heddle/bridge-kit';
import type { AgentMessageItem, ItemId, ThreadItem } from '@heddle/wire';
import type { AssistantMessage, UserMessage } from '../native.ts';
import { type NativeBlock, type NativeUsage, type ToolResult, type ToolUse, usageOf } from '../native-content.ts';
import { changedPath, fileTools, proposedChange } from './file-changes.ts';
import { type Flow, inMessage, type OpenBlock, type OpenTool, withoutTool, withTool } from './flow.ts';
import type { Translator } from './state.ts';
import { planOf, tasksAfter } from './tasks.ts';
import { openedItem } from './tool-items.ts';
import { toolKind } from './tool-kinds.ts';
import { changeDone, closingChanges, type CallEnd, isCutOff, resultText } from './tool-results.ts';
import { responseUsage } from './usage.ts';

type Phase = AgentMessageItem['phase'];

export class FlowStep {
  flow: Flow;
  /** The state but for the flow. */
  after: Translator;
  readonly out: TurnEvent[] = [];
  /** Calls of sub-agents that have got their result. */
  readonly finishedCalls: { toolUseId: string; outcome: TurnOutcome; usage: NativeUsage | undefined }[] = [];
  readonly #threadId: string;

  constructor(state: Translator, flow: Flow, threadId: string) {
    this.after = state;
    this.flow = flow;
    this.#threadId = threadId;
  }

  startMessage(messageId: string, usage: NativeUsage): void {
    if (messageId === this.flow.messageId) return;
    this.endAnswer();
    if (this.flow.open?.isShown === true)
      this.out.push({ type: 'warning', message: 'The connection to the model broke off in the middle; claude asks again.' });
    this.settle(null);
    this.flow = inMessage(this.flow, messageId, usage);
  }

  startBlock(block: NativeBlock): void {
    this.#closeOpenBlock();
    if (block.type === 'toolUse') this.decide('commentary');
    if (block.type !== 'text' && block.type !== 'thinking') return;
    const open: OpenBlock = { kind: block.type, itemId: this.#nextItemId(), isShown: false, text: '' };
    this.flow = { ...this.flow, open };
    this.growBlock(block.text);
  }

  /** An item is opened by its first text: some blocks never get any. */
  growBlock(delta: string): void {
    const { open } = this.flow;
    if (open === undefined || delta === '') return;
    const { kind, itemId } = open;
    if (!open.isShown) this.out.push({ type: 'itemStarted', item: emptyItem(kind, itemId) });
    if (!open.isShown && kind === 'thinking') this.out.push({ type: 'reasoningPart', itemId });
    this.out.push(kind === 'text' ? { type: 'textDelta', itemId, delta } : { type: 'reasoningDelta', itemId, delta });
    this.flow = { ...this.flow, open: { ...open, isShown: true, text: open.text + delta } };
  }

  endMessage(stopReason: string | null, usage: NativeUsage): void {
    this.decide(phaseAfter(stopReason));
    if (stopReason === 'max_tokens') this.out.push({ type: 'warning', message: 'The answer reached the limit of its length and was cut.' });
    this.#count({ ...this.flow.usage, ...usage });
  }

  /**
   * The model has answered, and claude will not say so: of a sub-agent's answers it tells neither the end nor what came
   * out, only the tokens at the begin. @param usage of the last answer, where it is known after all
   */
  endAnswer(usage?: NativeUsage): void {
    const isSubAgents = this.#threadId !== this.after.threadId;
    const hasAnswered = this.flow.messageId !== undefined || usage !== undefined;
    if (isSubAgents && hasAnswered) this.#count(usage ?? this.flow.usage);
  }

  takeAssistant(message: AssistantMessage): void {
    if (message.isSynthetic) return this.#sayAll(message);
    this.startMessage(message.messageId, message.usage);
    for (const block of message.blocks) {
      this.#takeBlock(block);
      this.flow = { ...this.flow, open: undefined, doneBlocks: this.flow.doneBlocks + 1 };
    }
    const phase = phaseAfter(message.stopReason);
    if (phase !== null) this.decide(phase);
    if (message.stopReason !== null) this.#count(message.usage);
  }

  /** Comes in between when tools run side by side, or a message is told back: what streams, goes on. */
  takeUser(message: UserMessage): void {
    for (const block of message.blocks) if (block.type === 'toolResult') this.#endTool(block, message.toolResult);
  }

  /** The output of a local command. @param uuid the same on stdout and in the transcript. */
  say(uuid: string, text: string): void {
    if (text === '') return;
    const id = `${uuid}:0`;
    this.showWhole({ type: 'agentMessage', id, text, phase: 'final_answer' });
  }

  showWhole(item: ThreadItem): void {
    this.out.push({ type: 'itemStarted', item }, { type: 'itemCompleted', itemId: item.id });
  }

  /** Nothing more will come. */
  settle(phase: Phase): void {
    this.#closeOpenBlock();
    this.decide(phase);
  }

  /** The agent messages of before are now known to be the answer, or not. */
  decide(phase: Phase): void {
    for (const itemId of this.flow.undecided) this.out.push({ type: 'itemCompleted', itemId, changes: { phase } });
    if (this.flow.undecided.length > 0) this.flow = { ...this.flow, undecided: [] };
  }

  /** A person is asked about a call. The question may come before the call itself. */
  ask(use: ToolUse): void {
    this.#openTool(use);
    this.setWaiting(use.id, true);
  }

  setWaiting(toolUseId: string, isWaiting: boolean): void {
    const tool = this.flow.tools.get(toolUseId);
    if (tool !== undefined) this.flow = withTool(this.flow, { ...tool, isWaiting });
  }

  showAgent(toolUseId: string, agentThreadId: string): void {
    const tool = this.flow.tools.get(toolUseId);
    if (tool === undefined || toolKind(tool.use) !== 'subAgent') return; // a message to one may send it on
    this.flow = withTool(this.flow, { ...tool, agentThreadId });
    const agentsStates = { [agentThreadId]: { status: 'running' as const, message: null } };
    this.out.push({ type: 'itemChanged', itemId: toolUseId, changes: { receiverThreadIds: [agentThreadId], agentsStates } });
  }

  #takeBlock(block: NativeBlock): void {
    switch (block.type) {
      case 'text':
        return this.#takeText(block.text);
      case 'thinking':
        return this.#takeThinking(block.text);
      case 'toolUse':
        this.decide('commentary');
        return this.#openTool(block);
      case 'toolResult':
      case 'image':
      case 'other':
        return;
    }
  }

  #takeText(text: string): void {
    const open = this.#openOf('text');
    const itemId = open?.itemId ?? this.#nextItemId();
    if (open === undefined) {
      if (text === '') return;
      this.out.push({ type: 'itemStarted', item: { type: 'agentMessage', id: itemId, text, phase: null } });
    } else if (open.text !== text) this.out.push({ type: 'itemChanged', itemId, changes: { text } });
    this.flow = { ...this.flow, undecided: [...this.flow.undecided, itemId] };
  }

  #takeThinking(text: string): void {
    const open = this.#openOf('thinking');
    if (open !== undefined) {
      const changes = open.text === text ? {} : { changes: { summary: [text] } };
      this.out.push({ type: 'itemCompleted', itemId: open.itemId, ...changes });
    } else if (text !== '') this.showWhole({ type: 'reasoning', id: this.#nextItemId(), summary: [text], content: [] });
  }

  #openTool(use: ToolUse): void {
    if (this.flow.tools.has(use.id)) return;
    const isFileTool = fileTools.has(use.name);
    const { cwd, files } = this.after;
    const path = isFileTool ? changedPath(use.input, cwd) : undefined;
    const change = path === undefined ? undefined : proposedChange(use.name, use.input, cwd, files.get(path));
    if (path !== undefined && files.has(path)) {
      const left = new Map(files);
      left.delete(path);
      this.after = { ...this.after, files: left };
    }
    this.flow = withTool(this.flow, { use, change, isWaiting: false, agentThreadId: undefined });
    const item = openedItem(use, { threadId: this.#threadId, cwd, change });
    if (item !== undefined) this.out.push({ type: 'itemStarted', item });
    const startedAgent = this.after.agents.get(use.id); // a sub-agent's own is told before its call
    if (startedAgent !== undefined) this.showAgent(use.id, startedAgent.threadId);
    if (item?.type === 'plan' && this.#isPlanShownWhole) this.out.push({ type: 'itemCompleted', itemId: use.id });
  }

  #endTool(result: ToolResult, data: unknown): void {
    const tool = this.flow.tools.get(result.toolUseId);
    if (tool === undefined) return;
    this.flow = withoutTool(this.flow, result.toolUseId);
    const end = this.#callEnd(tool, result, data);
    const kind = toolKind(tool.use);
    if (kind === 'tasks') return this.#updatePlan(end);
    if (kind === 'question' || (kind === 'plan' && this.#isPlanShownWhole)) return;
    if (kind === 'subAgent') this.#finishCall(end);
    this.out.push({ type: 'itemCompleted', itemId: tool.use.id, changes: closingChanges(end) });
    const texts = kind === 'fileChange' ? changeDone(end) : undefined;
    if (texts?.texts !== undefined) this.out.push({ type: 'fileChanged', path: texts.path, ...texts.texts });
  }

  /**
   * Clients show a plan when it is complete, and the user has to see it before the question whether to implement it. A
   * stored one has its last word in the result.
   */
  get #isPlanShownWhole(): boolean {
    return !this.after.isReplay;
  }

  #callEnd(tool: OpenTool, result: ToolResult, data: unknown): CallEnd {
    const wasWaiting = this.after.isReplay ? undefined : tool.isWaiting;
    return { tool: tool.use, result, data, change: tool.change, wasWaiting, agentThreadId: tool.agentThreadId };
  }

  /** A sub-agent that was sent to the background goes on after the result of its call. */
  #finishCall({ tool, result, data }: CallEnd): void {
    if (fieldsOf(data)['status'] === 'async_launched') return;
    const usage = fieldsOf(data)['usage'];
    this.finishedCalls.push({
      toolUseId: tool.id,
      outcome: outcomeOfCall(result),
      usage: usage === undefined ? undefined : usageOf(usage),
    });
  }

  #updatePlan({ tool, result, data }: CallEnd): void {
    const tasks = tasksAfter(this.after.tasks, tool, result, data);
    if (tasks === this.after.tasks) return;
    const [before, plan] = [planOf(this.after.tasks), planOf(tasks)];
    this.after = { ...this.after, tasks };
    if (JSON.stringify(before) !== JSON.stringify(plan)) this.out.push({ type: 'planUpdated', explanation: null, plan });
  }

  /** claude's own words: not a model's, so nothing is counted and no message goes on. */
  #sayAll(message: AssistantMessage): void {
    const text = message.blocks.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('\n');
    this.say(message.uuid, text);
  }

  /** A block whose end never came: the stream broke off. */
  #closeOpenBlock(): void {
    const { open } = this.flow;
    if (open?.isShown === true) this.out.push({ type: 'itemCompleted', itemId: open.itemId });
    if (open !== undefined) this.flow = { ...this.flow, open: undefined, doneBlocks: this.flow.doneBlocks + (open.isShown ? 1 : 0) };
  }

  #count(usage: NativeUsage): void {
    if (this.flow.isCounted) return;
    this.flow = { ...this.flow, isCounted: true };
    this.out.push({ type: 'responseEnded', usage: responseUsage(usage), contextWindow: this.after.contextWindow });
  }

  #openOf(kind: OpenBlock['kind']): OpenBlock | undefined {
    const { open } = this.flow;
    return open?.kind === kind && open.isShown ? open : undefined;
  }

  #nextItemId(): ItemId {
    return `${this.flow.messageId ?? ''}:${this.flow.doneBlocks}`;
  }
}

function emptyItem(kind: OpenBlock['kind'], id: ItemId): ThreadItem {
  return kind === 'text' ? { type: 'agentMessage', id, text: '', phase: null } : { type: 'reasoning', id, summary: [], content: [] };
}

function outcomeOfCall(result: ToolResult): TurnOutcome {
  if (!result.isError) return { status: 'completed' };
  if (isCutOff(result)) return { status: 'interrupted' };
  return { status: 'failed', error: { message: resultText(result), codexErrorInfo: 'other', additionalDetails: null } };
}

function phaseAfter(stopReason: string | null): Phase {
  if (stopReason === 'tool_use') return 'commentary';
  return stopReason === 'end_turn' || stopReason === 'stop_sequence' ? 'final_answer' : null;
}
