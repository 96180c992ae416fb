// Owns what `probe` answers when an agent needs a person: as the user says at the terminal, or as decided before.

import { jsonRpcCodes, type RequestId, type UserInputRequestParams, type UserInputResult } from '@heddle/wire';
import type { AgentEvent } from '@heddle/client/node';
import type { SaidEvent } from './run-turn.ts';
import { printable } from '../printable.ts';
import type { Ask } from './ask-on-terminal.ts';

export const approvalModes = ['ask', 'accept', 'decline'] as const;
export type ApprovalMode = (typeof approvalModes)[number];
export type RequestEvent = Extract<AgentEvent, { kind: 'request' }>;

export interface AnswerOptions {
  mode: ApprovalMode;
  /** Used with `ask` only. */
  ask: Ask;
  /** Told what was answered, in words. */
  onAnswered: (text: string) => void;
}

/** Answers each request once; one question at a time is asked. */
export class RequestAnswerer {
  readonly #options: AnswerOptions;
  readonly #open = new Map<RequestId, AbortController>();
  #lastQuestion: Promise<void> = Promise.resolve();

  constructor(options: AnswerOptions) {
    this.#options = options;
  }

  /** Whether the event is a request, or the end of one, and is dealt with here. */
  takes(event: SaidEvent): event is RequestEvent {
    if (event.kind === 'request') {
      this.answer(event);
      return true;
    }
    if (event.method === 'serverRequest/resolved') this.withdraw(event.params.requestId);
    return false;
  }

  /** Starts to answer and does not wait for the person: events go on meanwhile. */
  answer(request: RequestEvent): void {
    const controller = new AbortController();
    this.#open.set(request.id, controller);
    this.#lastQuestion = this.#lastQuestion
      .then(() => this.#answerOne(request, controller.signal))
      .finally(() => this.#open.delete(request.id));
  }

  /** Another device was quicker, or the turn has ended. */
  withdraw(id: RequestId): void {
    const controller = this.#open.get(id);
    if (controller === undefined) return;
    this.#options.onAnswered('answered elsewhere');
    controller.abort();
  }

  /** No question is asked any more. */
  close(): void {
    for (const controller of this.#open.values()) controller.abort();
  }

  async #answerOne(request: RequestEvent, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    switch (request.method) {
      case 'item/commandExecution/requestApproval':
      case 'item/fileChange/requestApproval': {
        const isAccepted = await this.#isAccepted(request, signal);
        if (signal.aborted) return;
        request.reply({ decision: isAccepted ? 'accept' : 'decline' });
        this.#options.onAnswered(isAccepted ? 'accepted' : 'declined');
        return;
      }
      case 'item/tool/requestUserInput': {
        const result = this.#options.mode === 'ask' ? await this.#askQuestions(request.params, signal) : undefined;
        if (signal.aborted) return;
        if (result === undefined) request.fail({ code: jsonRpcCodes.invalidRequest, message: 'there is nobody to answer the question' });
        else request.reply(result);
        return;
      }
      default: {
        const { method, fail } = request as RequestEvent;
        fail({ code: jsonRpcCodes.methodNotFound, message: `heddle probe has no answer to ${method}` });
        this.#options.onAnswered(`the request ${method} was refused: probe can't answer it`);
      }
    }
  }

  async #isAccepted(request: Extract<RequestEvent, { method: `item/${string}/requestApproval` }>, signal: AbortSignal): Promise<boolean> {
    const { mode, ask } = this.#options;
    if (mode !== 'ask') return mode === 'accept';
    const { reason } = request.params;
    const what = request.method === 'item/fileChange/requestApproval' ? 'change these files' : 'run this command';
    const where =
      request.method === 'item/commandExecution/requestApproval' && request.params.cwd ? ` in ${printable(request.params.cwd)}` : '';
    const why = reason ? ` (${printable(reason)})` : '';
    for (;;) {
      const answer = await ask(`The agent wants to ${what}${where}${why}. Allow it? [y/n] `, signal);
      if (answer === undefined || /^n(o)?$/i.test(answer.trim())) return false;
      if (/^y(es)?$/i.test(answer.trim())) return true;
    }
  }

  async #askQuestions({ questions }: UserInputRequestParams, signal: AbortSignal): Promise<UserInputResult | undefined> {
    const answers: UserInputResult['answers'] = {};
    for (const { id, question, options } of questions) {
      const choices = (options ?? []).map(({ label, description }, at) => `\n  ${at + 1}) ${printable(label)}  ${printable(description)}`);
      const answer = await this.#options.ask(`${printable(question)}${choices.join('')}\n> `, signal);
      if (answer === undefined) return undefined;
      const chosen = options?.[Number(answer.trim()) - 1]?.label ?? answer;
      answers[id] = { answers: [chosen] };
    }
    return { answers };
  }
}
