// Owns one claude process: JSON lines in and out, its control requests and ours with an owner for each answer, and its
// end. It knows the form of messages and none of their meanings.

import { type ChildProcess, type Exit, explainExit, type Poolable, startChildProcess } from '@heddle/bridge-kit';
import { type Log, splitLines } from '@heddle/rpc';
import { asError, HeddleError } from '@heddle/wire';

/** A tool result may hold a whole file, or an image. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
const CONTROL_TIMEOUT_MS = 15_000;
/** How long after the exit what it had written is still read: whoever it has started may hold the pipe. */
const DRAIN_MS = 500;

/** One line of claude's, or to it. */
export type ClaudeMessage = { type: string } & Record<string, unknown>;

/** Who hears what a claude says. Called in the order of its lines. */
export interface ClaudeListener {
  onMessage(message: ClaudeMessage): void;
  /** claude asks; to be answered with `answer` or `refuse` under that id. */
  onControlRequest(id: string, request: Record<string, unknown>): void;
  /** claude does not want to know any more. */
  onControlCancel(id: string): void;
}

export interface ClaudeProcessOptions {
  command: string;
  args: readonly string[];
  /** Absolute; must be there. */
  cwd: string;
  env: NodeJS.ProcessEnv;
  log: Log;
  runtimeDir: string;
}

interface PendingControl {
  resolve(response: Record<string, unknown>): void;
  reject(error: Error): void;
}

export class ClaudeProcess implements Poolable {
  readonly exited: Promise<Exit>;
  /** Why it is gone, with the tail of stderr; resolves when all that it had written was handed on. Never rejects. */
  readonly ended: Promise<HeddleError>;
  readonly #child: ChildProcess;
  readonly #log: Log;
  readonly #listener: ClaudeListener;
  #pending = new Map<string, PendingControl>();
  #lastControlId = 0;
  #isGone = false;
  #hasToldGarbage = false;

  /** @throws HeddleError `agent_unavailable` when it can't be started at all. */
  static async start(options: ClaudeProcessOptions, listener: ClaudeListener): Promise<ClaudeProcess> {
    return new ClaudeProcess(await startChildProcess(options), options.log, listener);
  }

  constructor(child: ChildProcess, log: Log, listener: ClaudeListener) {
    this.#child = child;
    this.#log = log;
    this.#listener = listener;
    this.exited = child.exited;
    const drained = this.#read();
    this.ended = child.exited.then(async (exit) => {
      await Promise.race([drained, delay(DRAIN_MS)]);
      const error = explainExit('claude', exit);
      this.#reject(error);
      return error;
    });
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Writes one message. To a process that is gone it goes nowhere: `ended` tells. */
  send(message: ClaudeMessage): void {
    if (this.#isGone || !this.#child.stdin.writable) return;
    this.#child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  /**
   * Makes a control request.
   * @param options.timeoutMs default 15 s
   * @throws HeddleError `timeout`; `agent_exited` when the process ends first; `internal` with claude's own words when
   * it refuses.
   */
  async request(
    request: { subtype: string } & Record<string, unknown>,
    options: { timeoutMs?: number } = {},
  ): Promise<Record<string, unknown>> {
    const id = `heddle-${++this.#lastControlId}`;
    const timeoutMs = options.timeoutMs ?? CONTROL_TIMEOUT_MS;
    if (this.#isGone) throw await this.ended;
    const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>();
    this.#pending.set(id, { resolve, reject });
    const timer = setTimeout(
      () => reject(new HeddleError('timeout', `claude did not answer "${request.subtype}" within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    this.send({ type: 'control_request', request_id: id, request });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#pending.delete(id);
    }
  }

  /** Answers a control request of claude's. */
  answer(id: string, response: object): void {
    this.send({ type: 'control_response', response: { subtype: 'success', request_id: id, response } });
  }

  refuse(id: string, error: string): void {
    this.send({ type: 'control_response', response: { subtype: 'error', request_id: id, error } });
  }

  /** Ends it with all that it has started. Resolves when nothing of it is left. */
  async stop(): Promise<void> {
    await this.#child.stop();
  }

  async #read(): Promise<void> {
    void this.#child.exited.then(() => {
      this.#isGone = true;
    });
    const decoder = new TextDecoder();
    try {
      for await (const line of splitLines(this.#child.stdout, MAX_LINE_BYTES)) this.#onLine(decoder.decode(line));
    } catch (error) {
      this.#log.warn('what claude says can not be read any further; it is ended', { error: asError(error) });
      await this.stop();
    }
  }

  #onLine(line: string): void {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      message = undefined;
    }
    if (typeof message !== 'object' || message === null || typeof (message as { type?: unknown }).type !== 'string') {
      // A hook or a plugin of the user's may print; once is enough to know.
      if (!this.#hasToldGarbage)
        this.#log.warn('claude printed something that is no message; such lines are left out', { bytes: line.length });
      this.#hasToldGarbage = true;
      return;
    }
    try {
      this.#dispatch(message as ClaudeMessage);
    } catch (error) {
      this.#log.error('a message of claude could not be handled', { error: asError(error) });
    }
  }

  #dispatch(message: ClaudeMessage): void {
    switch (message.type) {
      case 'control_response':
        return this.#settle(message['response'] as Record<string, unknown>);
      case 'control_request':
        return this.#listener.onControlRequest(String(message['request_id']), (message['request'] ?? {}) as Record<string, unknown>);
      case 'control_cancel_request':
        return this.#listener.onControlCancel(String(message['request_id']));
      default:
        return this.#listener.onMessage(message);
    }
  }

  #settle(response: Record<string, unknown> | undefined): void {
    const pending = this.#pending.get(String(response?.['request_id']));
    if (response?.['subtype'] === 'error') pending?.reject(new HeddleError('internal', `claude refused: ${String(response['error'])}`));
    else pending?.resolve((response?.['response'] ?? {}) as Record<string, unknown>);
  }

  #reject(error: Error): void {
    const pending = this.#pending;
    this.#pending = new Map();
    for (const each of pending.values()) each.reject(error);
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
