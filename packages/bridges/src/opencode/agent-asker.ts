// Owns opencode's open questions in one turn: which are put to people, and when the answers go back. With a refusal
// opencode refuses all other questions that are open in the same session (1.18.33, measured), so it waits until there are
// none, and until no further call has come for a moment: the calls of one answer come one after the other.

import { type RunningTurn, textOf, type TurnEvent } from '@heddle/bridge-kit';
import type { Log } from '@heddle/rpc';
import { asError, type ItemId, type ThreadId, type TurnId } from '@heddle/wire';
import { askPermission, type AskedCall, type QuestionPlace, subjectOf } from './approvals.ts';
import type { NativeEvent, PermissionRequest, QuestionRequest } from './native.ts';
import { answersOf, questionsOf } from './questions.ts';
import { ApiRefusal, type OpencodeApi } from './server/api.ts';
import { changedPaths, fileTools } from './translate/file-changes.ts';
import { DECLINED_BY_USER, findCall, type Note, type Translator } from './translate.ts';

/** How long a session must say nothing before a refusal goes to it. */
const QUIET_MS = 300;
const UNREADABLE = 'Nobody could answer whether this may be done, so it may not.';

export interface AskerOptions {
  turn: RunningTurn;
  api: OpencodeApi;
  /** Absolute. */
  directory: string;
  /** Whether it is granted already. @param files of an edit, absolute */
  isGranted: (files: readonly string[] | undefined) => Promise<boolean>;
  onEditsAccepted: () => void;
  log: Log;
}

interface OpenQuestion {
  sessionId: string;
  withdrawal: AbortController;
}

export class Asker {
  readonly #options: AskerOptions;
  readonly #open = new Map<string, OpenQuestion>();
  /** Refusals that wait for the other questions of their session. */
  #held: { request: PermissionRequest; message: string }[] = [];
  readonly #quietTimers = new Map<string, NodeJS.Timeout>();
  /** Calls that the model is still writing, by their sessions. */
  readonly #beingWritten = new Map<ItemId, string>();
  /** Questions that came before what they are about. */
  #early: PermissionRequest[] = [];
  readonly #asked = new Set<string>();
  /** Calls that somebody has accepted: what opencode asks about them besides is accepted too. */
  readonly #acceptedCalls = new Set<ItemId>();
  readonly #subAgentTurns = new Map<ThreadId, TurnId>();

  constructor(options: AskerOptions) {
    this.#options = options;
  }

  note(event: TurnEvent): void {
    if (event.type === 'subAgentStarted') this.#subAgentTurns.set(event.agentThreadId, event.turnId);
  }

  /** Something is told of a session. */
  noteActivity(event: NativeEvent | Note): void {
    if (event.type === 'part' && event.part.type === 'tool') {
      if (event.part.state.status === 'pending') this.#beingWritten.set(event.part.id, event.sessionId);
      else this.#beingWritten.delete(event.part.id);
    }
    const sessionId = 'sessionId' in event ? event.sessionId : undefined;
    if (sessionId !== undefined && this.#quietTimers.has(sessionId)) this.#sendHeldSoon(sessionId);
  }

  /** opencode asks; asked again of the same question, nothing happens. */
  permission(request: PermissionRequest, state: Translator): void {
    if (this.#asked.has(request.id)) return;
    const found = request.call === undefined ? undefined : findCall(state, request.sessionId, request.call.callId);
    if (request.call !== undefined && found === undefined) {
      this.#early = [...this.#early.filter(({ id }) => id !== request.id), request];
      return;
    }
    this.#asked.add(request.id);
    void this.#settle(request, state, found);
  }

  /** What came too early may have its place now. */
  tryEarly(state: Translator): void {
    if (this.#early.length === 0) return;
    const waiting = this.#early;
    this.#early = [];
    for (const request of waiting) this.permission(request, state);
  }

  question(request: QuestionRequest, state: Translator): void {
    if (this.#asked.has(request.id)) return;
    this.#asked.add(request.id);
    void this.#ask(request, state);
  }

  /** It was answered elsewhere, or opencode does not want to know any more. */
  withdraw(requestId: string): void {
    this.#early = this.#early.filter(({ id }) => id !== requestId);
    this.#open.get(requestId)?.withdrawal.abort(new Error('opencode has its answer already'));
  }

  withdrawAll(): void {
    this.#early = [];
    this.#held = [];
    for (const timer of this.#quietTimers.values()) clearTimeout(timer);
    this.#quietTimers.clear();
    for (const id of this.#open.keys()) this.withdraw(id);
  }

  async #settle(request: PermissionRequest, state: Translator, found: ReturnType<typeof findCall>): Promise<void> {
    const { turn, isGranted, directory, onEditsAccepted } = this.#options;
    if (turn.signal.aborted) return; // opencode is being stopped, and may go on for a moment
    const call = callOf(found);
    const files = call.isEdit && request.permission === 'edit' ? changedPaths(call.tool, call.input, directory) : undefined;
    const isRemembered = turn.isRemembered(subjectOf(request, call));
    if (isRemembered && found !== undefined) this.#acceptedCalls.add(found.itemId);
    const isAccepted = found !== undefined && this.#acceptedCalls.has(found.itemId) && request.permission !== 'doom_loop';
    if (isAccepted || isRemembered || (await isGranted(files))) return this.#reply(request, { reply: 'once' });
    const withdrawal = this.#opened(request);
    try {
      const decision = await askPermission(turn, request, call, this.#placeOf(request, state, found), withdrawal.signal);
      this.#open.delete(request.id);
      switch (decision) {
        case 'accept':
        case 'acceptForSession':
          if (found !== undefined) this.#acceptedCalls.add(found.itemId);
          if (found === undefined)
            turn.apply({ type: 'itemCompleted', itemId: request.id, changes: { status: 'completed', success: true } });
          if (decision === 'acceptForSession' && call.isEdit) onEditsAccepted();
          await this.#reply(request, { reply: 'once' });
          break;
        case 'decline':
        case 'invalid':
          if (found === undefined) turn.apply({ type: 'itemCompleted', itemId: request.id, changes: { status: 'failed', success: false } });
          this.#held.push({ request, message: decision === 'decline' ? DECLINED_BY_USER : UNREADABLE });
          break;
        case 'cancel':
          turn.cut({ status: 'interrupted' });
          break;
      }
    } catch {
      // The question was taken back, or the turn was cut short, which stops opencode.
    } finally {
      this.#open.delete(request.id);
      this.#sendHeldSoon(request.sessionId);
    }
  }

  async #ask(request: QuestionRequest, state: Translator): Promise<void> {
    const { turn, api, directory } = this.#options;
    const { threadId, itemId } = this.#placeOf(request, state, request.call && findCall(state, request.sessionId, request.call.callId));
    const withdrawal = this.#opened(request);
    try {
      const given = await turn.askQuestions(itemId, questionsOf(request.questions), threadId, { signal: withdrawal.signal });
      this.#open.delete(request.id);
      const answers = answersOf(request.questions, given);
      const path = `/question/${request.id}`;
      await (answers === undefined
        ? api.post(`${path}/reject`, { directory })
        : api.post(`${path}/reply`, { directory, body: { answers } }));
    } catch (error) {
      if (!withdrawal.signal.aborted && !turn.signal.aborted) this.#tellUnanswered(error);
    } finally {
      this.#open.delete(request.id);
      this.#sendHeldSoon(request.sessionId);
    }
  }

  #sendHeldSoon(sessionId: string): void {
    clearTimeout(this.#quietTimers.get(sessionId));
    this.#quietTimers.delete(sessionId);
    if (!this.#held.some(({ request }) => request.sessionId === sessionId)) return;
    this.#quietTimers.set(
      sessionId,
      setTimeout(() => void this.#sendHeld(sessionId), QUIET_MS),
    );
  }

  /** The refusals of a session, once nothing else is open in it; else whatever is open brings this back. */
  async #sendHeld(sessionId: string): Promise<void> {
    this.#quietTimers.delete(sessionId);
    const isOpen = [...this.#open.values()].some((open) => open.sessionId === sessionId);
    const isWriting = [...this.#beingWritten.values()].includes(sessionId);
    const isEarly = this.#early.some((request) => request.sessionId === sessionId);
    if (this.#options.turn.signal.aborted) return;
    if (isWriting || isEarly) return this.#sendHeldSoon(sessionId);
    if (isOpen) return;
    const held = this.#held.filter(({ request }) => request.sessionId === sessionId);
    this.#held = this.#held.filter(({ request }) => request.sessionId !== sessionId);
    for (const { request, message } of held) await this.#reply(request, { reply: 'reject', message });
  }

  async #reply({ id }: PermissionRequest, body: { reply: 'once' } | { reply: 'reject'; message: string }): Promise<void> {
    const { api, directory } = this.#options;
    try {
      await api.post(`/permission/${id}/reply`, { directory, body });
    } catch (error) {
      // One that is not there was answered elsewhere, or together with another refusal.
      if (!(error instanceof ApiRefusal) || error.status !== 404) this.#tellUnanswered(error);
    }
  }

  #tellUnanswered(error: unknown): void {
    this.#options.log.warn('opencode did not take the answer to a question', {
      threadId: this.#options.turn.threadId,
      error: asError(error),
    });
  }

  #opened({ id, sessionId }: { id: string; sessionId: string }): AbortController {
    const withdrawal = new AbortController();
    this.#open.set(id, { sessionId, withdrawal });
    return withdrawal;
  }

  #placeOf(request: PermissionRequest | QuestionRequest, state: Translator, found: ReturnType<typeof findCall>): QuestionPlace {
    const { turn } = this.#options;
    const threadId = state.flows.get(request.sessionId)?.threadId ?? turn.threadId;
    const turnId = this.#subAgentTurns.get(threadId) ?? turn.id;
    if (found !== undefined || !('permission' in request)) return { threadId, turnId, itemId: found?.itemId ?? request.id };
    return { threadId, turnId, itemId: request.id, item: itemOf(request) };
  }
}

function callOf(found: ReturnType<typeof findCall>): AskedCall {
  if (found === undefined) return { tool: '', input: {}, isEdit: false };
  const { tool, state } = found.tool.part;
  return { tool, input: state.status === 'pending' ? {} : state.input, isEdit: fileTools.has(tool) };
}

/** What is asked about without a call. */
function itemOf({ id, permission, metadata }: PermissionRequest): NonNullable<QuestionPlace['item']> {
  return {
    type: 'dynamicToolCall',
    id,
    namespace: 'opencode',
    tool: textOf(metadata['tool']) ?? permission,
    arguments: metadata,
    status: 'inProgress',
    contentItems: null,
    success: null,
    durationMs: null,
  };
}
