// Owns JSON-RPC over a channel: ids, pending requests and who answers what. It knows no method's name.

import { HeddleError, type JsonRpcErrorBody, jsonRpcCodes, type RequestId } from '@heddle/wire';
import type { Channel, CloseReason } from './channel.ts';

/** A refusal as JSON-RPC carries it. Thrown by `request`, and thrown by handlers to answer with it. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: number;
  readonly data: unknown;
  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

export interface IncomingRequest {
  readonly id: RequestId;
  readonly method: string;
  readonly params: unknown;
  /** Answers at once: what is sent after this call arrives after the answer. Only the first answer counts. */
  readonly reply: (result: unknown) => void;
  readonly fail: (error: JsonRpcErrorBody) => void;
}

export interface JsonRpcPeerOptions {
  /** Called for each request of the far side. A rejection answers with its RpcError, or `internalError`. */
  onRequest?: (request: IncomingRequest) => void | Promise<void>;
  onNotification?: (method: string, params: unknown, raw: Record<string, unknown>) => void;
  /** Something that is no JSON-RPC message, or an answer to nothing. Told, then dropped. */
  onInvalid?: (why: string) => void;
}

interface Pending {
  method: string;
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

const encoder = new TextEncoder();

/** One side of a JSON-RPC conversation. Reads the channel from construction on. */
export class JsonRpcPeer {
  /** Resolves when the channel has ended and everything that had arrived on it was handed on. */
  readonly closed: Promise<CloseReason>;
  readonly #channel: Channel;
  readonly #options: JsonRpcPeerOptions;
  #pending = new Map<RequestId, Pending>();
  #nextId = 1;

  constructor(channel: Channel, options: JsonRpcPeerOptions = {}) {
    this.#channel = channel;
    this.#options = options;
    this.closed = this.#readToTheEnd();
  }

  /**
   * Sends a request and waits for its answer. An aborted signal stops the waiting; the far side is not told.
   * @throws RpcError the far side's refusal; HeddleError with the close reason when the channel ends first.
   */
  async request(method: string, params?: unknown, options: { signal?: AbortSignal } = {}): Promise<unknown> {
    options.signal?.throwIfAborted();
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending.set(id, { method, resolve, reject });
    const onAbort = () =>
      reject(options.signal?.reason instanceof Error ? options.signal.reason : new HeddleError('timeout', `${method} was abandoned`));
    options.signal?.addEventListener('abort', onAbort, { once: true });
    this.#send({ method, id, ...(params === undefined ? {} : { params }) }).catch(reject);
    try {
      return await promise;
    } finally {
      this.#pending.delete(id);
      options.signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Sends a notification. Resolves when there is room for more; rejects when the channel has ended. */
  notify(method: string, params?: unknown, extra: Record<string, unknown> = {}): Promise<void> {
    return this.#send({ method, ...(params === undefined ? {} : { params }), ...extra });
  }

  /** Sends a request under an id of the caller's and does not wait: answers go to whoever owns that id. */
  sendRequest(
    id: RequestId,
    method: string,
    params: unknown,
    onAnswer: (answer: { result: unknown } | { error: JsonRpcErrorBody }) => void,
  ): void {
    this.#pending.set(id, {
      method,
      resolve: (result) => onAnswer({ result }),
      reject: (error) => onAnswer({ error: toErrorBody(error) }),
    });
    this.#send({ method, id, params }).catch(() => this.#pending.delete(id));
  }

  /** Forgets a request sent with `sendRequest`: a late answer to it is dropped without a word. */
  forget(id: RequestId): void {
    this.#pending.delete(id);
  }

  close(reason?: CloseReason): void {
    this.#channel.close(reason);
  }

  #send(message: Record<string, unknown>): Promise<void> {
    return this.#channel.send(encoder.encode(JSON.stringify(message)));
  }

  #rejectPending(reason: CloseReason): void {
    const pending = this.#pending;
    this.#pending = new Map();
    for (const { reject } of pending.values()) reject(new HeddleError(reason.code, reason.message, { hint: reason.hint }));
  }

  /** An answer may have arrived just before the end: it is read before the requests that are still open are rejected. */
  async #readToTheEnd(): Promise<CloseReason> {
    await this.#read();
    const reason = await this.#channel.closed;
    this.#rejectPending(reason);
    return reason;
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    for await (const bytes of this.#channel.incoming) {
      let message: unknown;
      try {
        message = JSON.parse(decoder.decode(bytes));
      } catch {
        this.#options.onInvalid?.('a message that is not JSON');
        continue;
      }
      if (typeof message !== 'object' || message === null || Array.isArray(message)) {
        this.#options.onInvalid?.('a JSON value that is no JSON-RPC message');
        continue;
      }
      this.#dispatch(message as Record<string, unknown>);
    }
  }

  #dispatch(message: Record<string, unknown>): void {
    const { id, method } = message;
    const hasId = typeof id === 'string' || (typeof id === 'number' && Number.isInteger(id));
    if (typeof method === 'string') {
      if (hasId) this.#onRequest(id, method, message['params']);
      else this.#options.onNotification?.(method, message['params'], message);
      return;
    }
    if (!hasId) {
      this.#options.onInvalid?.('a message with neither a method nor an id');
      return;
    }
    const pending = this.#pending.get(id);
    if (pending === undefined) {
      this.#options.onInvalid?.(`an answer to a request that is not open`);
      return;
    }
    this.#pending.delete(id);
    if ('error' in message) {
      const error = message['error'] as Partial<JsonRpcErrorBody> | null;
      pending.reject(
        new RpcError(
          error?.code ?? jsonRpcCodes.internalError,
          error?.message ?? `${pending.method} failed without a message`,
          error?.data,
        ),
      );
    } else pending.resolve(message['result']);
  }

  #onRequest(id: RequestId, method: string, params: unknown): void {
    let isAnswered = false;
    const answer = (body: Record<string, unknown>) => {
      if (isAnswered) return;
      isAnswered = true;
      this.#send({ id, ...body }).catch(() => {}); // the channel has ended: there is nobody left to tell
    };
    const request: IncomingRequest = {
      id,
      method,
      params,
      reply: (result) => answer({ result: result ?? {} }),
      fail: (error) => answer({ error }),
    };
    const { onRequest } = this.#options;
    if (onRequest === undefined) {
      request.fail({ code: jsonRpcCodes.methodNotFound, message: `method not found: ${method}` });
      return;
    }
    // A handler that throws, now or later, answers with its error: no request stays open.
    const run = async () => onRequest(request);
    run().catch((error: unknown) => request.fail(toErrorBody(error)));
  }
}

/** Any failure as the body of a JSON-RPC error. */
export function toErrorBody(error: unknown): JsonRpcErrorBody {
  if (error instanceof RpcError)
    return { code: error.code, message: error.message, ...(error.data === undefined ? {} : { data: error.data }) };
  return { code: jsonRpcCodes.internalError, message: error instanceof Error ? error.message : String(error) };
}
