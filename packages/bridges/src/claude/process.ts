// Owns one claude process: what its lines are, its control requests and ours with an owner for each answer. It knows the
// form of messages and none of their meanings.

import { type ChildProcessOptions, type Exit, type LineMessage, LineProcess, PendingAnswers, type Poolable } from '@heddle/bridge-kit';
import { HeddleError } from '@heddle/wire';

/** A tool result may hold a whole file, or an image. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
const CONTROL_TIMEOUT_MS = 15_000;

/** One line of claude's, or to it. */
export type ClaudeMessage = LineMessage;

/** Who hears what a claude says. Called in the order of its lines. */
export interface ClaudeListener {
  onMessage(message: ClaudeMessage): void;
  /** claude asks; to be answered with `answer` or `refuse` under that id. */
  onControlRequest(id: string, request: Record<string, unknown>): void;
  /** claude does not want to know any more. */
  onControlCancel(id: string): void;
}

export class ClaudeProcess implements Poolable {
  readonly exited: Promise<Exit>;
  /** Why it is gone, with the tail of stderr; resolves when all that it had written was handed on. Never rejects. */
  readonly ended: Promise<HeddleError>;
  readonly #lines: LineProcess;
  readonly #asked = new PendingAnswers<Record<string, unknown>>('claude');

  /** @throws HeddleError `agent_unavailable` when it can't be started at all. */
  static async start(options: ChildProcessOptions, listener: ClaudeListener): Promise<ClaudeProcess> {
    return new ClaudeProcess(await LineProcess.start({ ...options, agent: 'claude', maxLineBytes: MAX_LINE_BYTES }), listener);
  }

  constructor(lines: LineProcess, listener: ClaudeListener) {
    this.#lines = lines;
    this.exited = lines.exited;
    this.ended = lines.ended.then((error) => {
      this.#asked.rejectAll(error);
      return error;
    });
    lines.listen((message) => this.#dispatch(message, listener));
  }

  get isGone(): boolean {
    return this.#lines.isGone;
  }

  /** Writes one message. To a process that is gone it goes nowhere: `ended` tells. */
  send(message: ClaudeMessage): void {
    this.#lines.send(message);
  }

  /**
   * Makes a control request.
   * @param options.timeoutMs default 15 s
   * @throws HeddleError `timeout`; `agent_exited` when the process ends first; `internal` with claude's own words when
   * it refuses.
   */
  async request(
    request: { subtype: string } & Record<string, unknown>,
    { timeoutMs = CONTROL_TIMEOUT_MS }: { timeoutMs?: number } = {},
  ): Promise<Record<string, unknown>> {
    if (this.isGone) throw await this.ended;
    const send = (id: string) => this.send({ type: 'control_request', request_id: id, request });
    return this.#asked.ask(request.subtype, send, timeoutMs);
  }

  /** Answers a control request of claude's. */
  answer(id: string, response: object): void {
    this.send({ type: 'control_response', response: { subtype: 'success', request_id: id, response } });
  }

  refuse(id: string, error: string): void {
    this.send({ type: 'control_response', response: { subtype: 'error', request_id: id, error } });
  }

  /** Ends it with all that it has started. Resolves when nothing of it is left. */
  stop(): Promise<void> {
    return this.#lines.stop();
  }

  #dispatch(message: ClaudeMessage, listener: ClaudeListener): void {
    switch (message.type) {
      case 'control_response':
        return this.#settle(message['response'] as Record<string, unknown>);
      case 'control_request':
        return listener.onControlRequest(String(message['request_id']), (message['request'] ?? {}) as Record<string, unknown>);
      case 'control_cancel_request':
        return listener.onControlCancel(String(message['request_id']));
      default:
        return listener.onMessage(message);
    }
  }

  #settle(response: Record<string, unknown> | undefined): void {
    const id = String(response?.['request_id']);
    if (response?.['subtype'] === 'error')
      this.#asked.refuse(id, new HeddleError('internal', `claude refused: ${String(response['error'])}`));
    else this.#asked.answer(id, (response?.['response'] ?? {}) as Record<string, unknown>);
  }
}
