// Owns the questions of one thread that wait for a person: asked of every subscribed session under one id, settled by
// the first answer, asked again of whoever joins later. What an answer leads to is the agent's business.

import { randomUUID } from 'node:crypto';
import type { ApprovalDecision, RequestId, ServerRequestParams, ThreadId } from '@heddle/wire';
import type { Answer, Session } from '../server/session.ts';

export type ApprovalMethod = 'item/commandExecution/requestApproval' | 'item/fileChange/requestApproval';
/** `invalid`: the client answered with an error, or with a decision that was not offered. */
export type Decision = ApprovalDecision | 'invalid';

const decisions: readonly unknown[] = ['accept', 'acceptForSession', 'decline', 'cancel'] satisfies ApprovalDecision[];

export class Approvals {
  readonly #threadId: ThreadId;
  readonly #subscribers: ReadonlySet<Session>;
  /** Open questions, each with how it is put to a session. */
  readonly #pending = new Map<RequestId, (session: Session) => void>();
  readonly #remembered = new Set<string>();

  constructor(threadId: ThreadId, subscribers: ReadonlySet<Session>) {
    this.#threadId = threadId;
    this.#subscribers = subscribers;
  }

  /** Whether somebody has accepted the same `subject` for as long as the thread is loaded. */
  isRemembered(subject: string): boolean {
    return this.#remembered.has(subject);
  }

  forgetRemembered(): void {
    this.#remembered.clear();
  }

  /**
   * Asks all subscribers and waits for the first answer, however long; nobody there means that it waits for somebody.
   * `acceptForSession` remembers `subject`. A question that is withdrawn stays unsettled: the caller has given up.
   */
  ask<M extends ApprovalMethod>(method: M, params: ServerRequestParams<M>, subject: string): Promise<Decision> {
    const { promise, resolve } = Promise.withResolvers<Decision>();
    // A UUID, because clients key open questions by this id alone, across agents and computers.
    const id = randomUUID();
    const onAnswer = (answer: Answer) => {
      if (!this.#settle(id)) return;
      const decision = decisionOf(answer);
      if (decision === 'acceptForSession') this.#remembered.add(subject);
      resolve(decision);
    };
    const askSession = (session: Session) => session.ask(id, method, params, onAnswer);
    this.#pending.set(id, askSession);
    for (const session of this.#subscribers) askSession(session);
    return promise;
  }

  /** Asks a session that has just joined everything that is still open, under the same ids. */
  replayTo(session: Session): void {
    for (const askSession of this.#pending.values()) askSession(session);
  }

  /** Takes back every open question. Late answers are ignored. */
  withdrawAll(): void {
    for (const id of this.#pending.keys()) this.#settle(id);
  }

  /** Nobody is asked any longer, and everybody is told. @returns false when it was settled before. */
  #settle(id: RequestId): boolean {
    if (!this.#pending.delete(id)) return false;
    for (const session of this.#subscribers) {
      session.forget(id);
      session.notify('serverRequest/resolved', { threadId: this.#threadId, requestId: id });
    }
    return true;
  }
}

function decisionOf(answer: Answer): Decision {
  if ('error' in answer || typeof answer.result !== 'object' || answer.result === null || !('decision' in answer.result)) return 'invalid';
  const { decision } = answer.result;
  return decisions.includes(decision) ? (decision as ApprovalDecision) : 'invalid';
}
