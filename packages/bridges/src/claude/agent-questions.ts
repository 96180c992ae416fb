// Owns which of claude's requests is which question, and where in the conversation it belongs.

import { openedCommand, openedToolCall, type RunningTurn, type TurnEvent } from '@heddle/bridge-kit';
import type { ItemId, ThreadId, ThreadItem, TurnId } from '@heddle/wire';
import {
  askPermission,
  isAboutFiles,
  permissionAnswer,
  type PermissionAnswer,
  type PermissionRequest,
  type QuestionPlace,
} from './approvals.ts';
import { planAnswer, type PlanDecision, planDecision, planQuestion, PLAN_TOOL } from './plan.ts';
import { QUESTION_TOOL, questionAnswer, questionsOf } from './questions.ts';
import type { PermissionMode } from './settings.ts';

/** Where the items of a turn are: in its own thread, or in that of a sub-agent. */
export class ItemPlaces {
  readonly #turn: RunningTurn;
  readonly #items = new Map<ItemId, { threadId: ThreadId; turnId: TurnId }>();
  readonly #subAgents = new Map<ThreadId, TurnId>();

  constructor(turn: RunningTurn) {
    this.#turn = turn;
  }

  note(event: TurnEvent, where = { threadId: this.#turn.threadId, turnId: this.#turn.id }): void {
    if (event.type === 'itemStarted') this.#items.set(event.item.id, where);
    if (event.type === 'itemCompleted') this.#items.delete(event.itemId);
    if (event.type === 'subAgentStarted') this.#subAgents.set(event.agentThreadId, event.turnId);
    if (event.type !== 'subAgentEvent') return;
    const turnId = this.#subAgents.get(event.agentThreadId);
    if (turnId !== undefined) this.note(event.event, { threadId: event.agentThreadId, turnId });
  }

  /** claude may ask before it tells of the tool's use: then the question brings an item of its own. */
  placeOf(request: PermissionRequest): QuestionPlace {
    const itemId = request.toolUseId;
    const known = this.#items.get(itemId);
    if (known !== undefined) return { ...known, itemId };
    return { threadId: this.#turn.threadId, turnId: this.#turn.id, itemId, item: itemOf(request, this.#turn.cwd) };
  }
}

/** What a thread does when somebody accepts more than one step. */
export interface PermissionListener {
  onEditsAccepted(): void;
  /** @returns the mode in which the plan is carried out */
  onPlanAccepted(decision: PlanDecision & { kind: 'implement' }): PermissionMode;
}

export class PermissionAsker {
  readonly #listener: PermissionListener;

  constructor(listener: PermissionListener) {
    this.#listener = listener;
  }

  /**
   * @param signal aborted when claude takes its question back
   * @throws the reason of that, or of the turn's end, when either comes first.
   */
  async ask(turn: RunningTurn, request: PermissionRequest, places: ItemPlaces, signal?: AbortSignal): Promise<PermissionAnswer> {
    const { threadId } = places.placeOf(request);
    if (request.toolName === QUESTION_TOOL) {
      const questions = questionsOf(request.input);
      return questionAnswer(request.input, await turn.askQuestions(request.toolUseId, questions, threadId, askOptions(signal)));
    }
    if (request.toolName === PLAN_TOOL) return this.#askAboutPlan(turn, request, signal);
    const place = places.placeOf(request);
    const decision = await askPermission(turn, request, place, askOptions(signal));
    if (decision === 'acceptForSession' && isAboutFiles(request)) this.#listener.onEditsAccepted();
    const isAccepted = decision === 'accept' || decision === 'acceptForSession';
    // Nobody else will complete an item that only the question brought.
    if (place.item?.type === 'dynamicToolCall' || (place.item !== undefined && isAccepted)) {
      turn.apply({ type: 'itemCompleted', itemId: place.itemId, changes: { status: isAccepted ? 'completed' : 'failed' } });
    }
    return permissionAnswer(request, decision);
  }

  async #askAboutPlan(turn: RunningTurn, request: PermissionRequest, signal: AbortSignal | undefined): Promise<PermissionAnswer> {
    const decision = planDecision(await turn.askQuestions(request.toolUseId, [planQuestion], turn.threadId, askOptions(signal)));
    const modeAfter = decision.kind === 'implement' ? this.#listener.onPlanAccepted(decision) : 'plan';
    return planAnswer(request.input, decision, modeAfter);
  }
}

function askOptions(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function itemOf(request: PermissionRequest, cwd: string): ThreadItem {
  const { toolUseId: id, toolName, input } = request;
  if (toolName === 'Bash' && typeof input['command'] === 'string') return openedCommand(id, input['command'], cwd);
  if (isAboutFiles(request)) return { type: 'fileChange', id, changes: [], status: 'inProgress' };
  return openedToolCall(id, 'claude', toolName, input);
}
