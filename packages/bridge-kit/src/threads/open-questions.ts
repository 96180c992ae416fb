// Owns the questions of one thread that wait for a person: asked of every subscribed session under one id, settled by
// the first answer, asked again of whoever joins later. What an answer leads to is the agent's business.

import { randomUUID } from 'node:crypto';
import type { ApprovalDecision, RequestId, ServerRequestMethod, ServerRequestParams, ThreadId } from '@heddle/wire';
import type { Answer, Session } from '../server/session.ts';

export type ApprovalMethod = 'item/commandExecution/requestApproval' | 'item/fileChange/requestApproval';
/** `invalid`: the client answered with an error, or with a decision that was not offered. */
export type Decision = ApprovalDecision | 'invalid';
/** What was answered, by question; `cancelled`: no answer that could be read. */
export type UserAnswers = Readonly<Record<string, readonly string[]>> | 'cancelled';

interface OpenQuestion {
  /** The thread that it is about: this one, or a sub-agent's. */
  threadId: ThreadId;
  asked: Set<Session>;
  put(session: Session): void;
}

export class OpenQuestions {
  readonly #subscribers: ReadonlySet<Session>;
  readonly #open = new Map<RequestId, OpenQuestion>();
  readonly #remembered = new Set<string>();

  constructor(subscribers: ReadonlySet<Session>) {
    this.#subscribers = subscribers;
  }

  /** Whether somebody has accepted the same `subject` for as long as the thread is loaded. */
  isRemembered(subject: string): boolean {
    return this.#remembered.has(subject);
  }

  remember(subject: string): void {
    this.#remembered.add(subject);
  }

  forgetRemembered(): void {
    this.#remembered.clear();
  }

  /**
   * Asks all subscribers and waits for the first answer, however long; nobody there means that it waits for somebody.
   * A question that is withdrawn stays unsettled: the caller has given up.
   * @throws the signal's reason; the question is then withdrawn.
   */
  async ask<M extends ServerRequestMethod>(method: M, params: ServerRequestParams<M>, signal?: AbortSignal): Promise<Answer> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    // A UUID, because clients key open questions by this id alone, across agents and computers.
    const id = randomUUID();
    const onAnswer = (answer: Answer) => {
      if (this.#settle(id)) resolve(answer);
    };
    const asked = new Set<Session>();
    const put = (session: Session) => {
      asked.add(session);
      session.ask(id, method, params, onAnswer);
    };
    const { threadId } = params as { threadId: ThreadId }; // all that can be asked have it
    this.#open.set(id, { threadId, asked, put });
    for (const session of this.#subscribers) put(session);
    const onAbort = () => {
      if (this.#settle(id)) reject(signal?.reason as Error);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Asks a session that has just joined everything that is still open, under the same ids. */
  replayTo(session: Session): void {
    for (const question of this.#open.values()) question.put(session);
  }

  /** The same for who has joined the thread of a sub-agent only. */
  replayOfTo(threadId: ThreadId, session: Session): void {
    for (const question of this.#open.values()) if (question.threadId === threadId) question.put(session);
  }

  /** Takes back every open question. Late answers are ignored. */
  withdrawAll(): void {
    for (const id of this.#open.keys()) this.#settle(id);
  }

  /** Nobody is asked any longer, and everybody is told. @returns false when it was settled before. */
  #settle(id: RequestId): boolean {
    const question = this.#open.get(id);
    if (question === undefined) return false;
    this.#open.delete(id);
    for (const session of new Set([...this.#subscribers, ...question.asked])) {
      session.forget(id);
      session.notify('serverRequest/resolved', { threadId: question.threadId, requestId: id });
    }
    return true;
  }
}

const decisions: readonly unknown[] = ['accept', 'acceptForSession', 'decline', 'cancel'] satisfies ApprovalDecision[];

/** What a client decided about an approval. */
export function decisionOf(answer: Answer): Decision {
  if ('error' in answer || typeof answer.result !== 'object' || answer.result === null || !('decision' in answer.result)) return 'invalid';
  const { decision } = answer.result;
  return decisions.includes(decision) ? (decision as ApprovalDecision) : 'invalid';
}

/** What a client answered to `item/tool/requestUserInput`. */
export function userAnswersOf(answer: Answer): UserAnswers {
  if ('error' in answer) return 'cancelled';
  const { answers } = (answer.result ?? {}) as { answers?: unknown };
  if (typeof answers !== 'object' || answers === null) return 'cancelled';
  const read = Object.entries(answers as Record<string, { answers?: unknown } | null>).map(([id, entry]) => {
    const texts = Array.isArray(entry?.answers) ? entry.answers : [];
    return [id, texts.filter((text): text is string => typeof text === 'string')] as const;
  });
  return read.length === 0 ? 'cancelled' : Object.fromEntries(read);
}
