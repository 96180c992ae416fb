// Owns a client's conversation with one agent: typed requests, everything the agent says in one stream, and what must
// be done again when the daemon has lost the session: introduce the client, resume the threads that it follows.

import { BoundedQueue, type Channel, type CloseReason, connectionLost, type IncomingRequest, JsonRpcPeer } from '@heddle/rpc';
import {
  type ClientMethod,
  type ClientParams,
  type ClientResult,
  HeddleError,
  type InitializeResult,
  type RequestId,
  type ServerNotificationMethod,
  type ServerNotificationParams,
  type ServerRequestMethod,
  type ServerRequestParams,
  type ServerRequestResult,
  type ThreadId,
  type ThreadSettings,
} from '@heddle/wire';

export interface ClientInfo {
  name: string;
  title?: string;
  version: string;
}

type NotificationEvent = {
  [M in ServerNotificationMethod]: { kind: 'notification'; method: M; params: ServerNotificationParams<M> };
}[ServerNotificationMethod];
type RequestEvent = {
  [M in ServerRequestMethod]: {
    kind: 'request';
    method: M;
    id: RequestId;
    params: ServerRequestParams<M>;
    /** Answers; of several answers the first counts. */
    reply: (result: ServerRequestResult<M>) => void;
    fail: IncomingRequest['fail'];
  };
}[ServerRequestMethod];
/** The session was begun anew: what happened meanwhile is in the threads, which are these now. */
interface ResetEvent {
  kind: 'reset';
  threads: ThreadSettings[];
}

/**
 * What an agent says unasked. An agent may send methods that heddle has no type for: they arrive in the same
 * shape, so a `switch` over `method` needs a `default`.
 */
export type AgentEvent = NotificationEvent | RequestEvent | ResetEvent;

/** An initialized session. */
export interface AgentSession {
  /** What the agent answered to `initialize`, the last time. */
  readonly info: InitializeResult;
  /** @throws RpcError the agent's refusal; HeddleError when the session has ended, or was reset before the answer came. */
  request<M extends ClientMethod>(method: M, params: ClientParams<M>, options?: { signal?: AbortSignal }): Promise<ClientResult<M>>;
  /** The same without types, for methods that are not in the table. */
  requestUntyped(method: string, params?: unknown, options?: { signal?: AbortSignal }): Promise<unknown>;
  notify(method: string, params?: unknown): Promise<void>;
  /**
   * Everything the agent says from this call on, in order; what came before the first call, since `initialize`, is
   * included in it (a thousand of them at most). Ends with the session. Events wait in memory until they are taken.
   */
  events(): AsyncIterable<AgentEvent>;
  close(): void;
  readonly closed: Promise<CloseReason>;
}

/** Events kept for a first call of `events()`; nobody who listens at all needs that many. */
const MAX_EARLY_EVENTS = 1_000;
const REOPEN_PAUSE_MS = 500;
/** The daemon does not have the session any more, or is being started anew. */
const beganAnew: ReadonlySet<string> = new Set(['session_reset', 'shutting_down']);

/**
 * Introduces the client on a fresh channel.
 * @param open opens a channel; called again when the session was reset.
 */
export async function openAgentSession(
  open: () => Promise<Channel>,
  options: { clientInfo: ClientInfo; signal?: AbortSignal },
): Promise<AgentSession> {
  const session = new Session(open, options.clientInfo);
  await session.begin(options.signal);
  return session;
}

class Session implements AgentSession {
  readonly closed: Promise<CloseReason>;
  readonly #open: () => Promise<Channel>;
  readonly #clientInfo: ClientInfo;
  readonly #settleClosed: (reason: CloseReason) => void;
  readonly #followed = new Set<ThreadId>();
  readonly #early: AgentEvent[] = [];
  readonly #listeners = new Set<BoundedQueue<AgentEvent>>();
  #info: InitializeResult | undefined;
  #hasListened = false;
  #isClosed = false;
  /** The present conversation; while one is begun anew, the next one. */
  #peer: Promise<JsonRpcPeer>;
  #channel: Channel | undefined;

  constructor(open: () => Promise<Channel>, clientInfo: ClientInfo) {
    this.#open = open;
    this.#clientInfo = clientInfo;
    const { promise, resolve } = Promise.withResolvers<CloseReason>();
    this.closed = promise;
    this.#settleClosed = resolve;
    this.#peer = Promise.reject(new Error('not begun'));
    this.#peer.catch(() => {});
  }

  get info(): InitializeResult {
    return this.#info as InitializeResult;
  }

  async begin(signal?: AbortSignal): Promise<void> {
    this.#peer = this.#introduce(signal);
    await this.#peer;
  }

  async request<M extends ClientMethod>(method: M, params: ClientParams<M>, options?: { signal?: AbortSignal }): Promise<ClientResult<M>> {
    const result = (await this.requestUntyped(method, params, options)) as ClientResult<M>;
    this.#follow(method, params, result);
    return result;
  }

  async requestUntyped(method: string, params?: unknown, options?: { signal?: AbortSignal }): Promise<unknown> {
    return (await this.#peer).request(method, params, options);
  }

  async notify(method: string, params?: unknown): Promise<void> {
    return (await this.#peer).notify(method, params);
  }

  events(): AsyncIterable<AgentEvent> {
    const queue = new BoundedQueue<AgentEvent>({ highWater: Number.POSITIVE_INFINITY });
    if (!this.#hasListened) for (const event of this.#early.splice(0)) queue.push(event);
    this.#hasListened = true;
    this.#listeners.add(queue);
    void this.closed.then(() => queue.end());
    return queue;
  }

  close(): void {
    this.#isClosed = true;
    this.#channel?.close();
  }

  async #introduce(signal?: AbortSignal): Promise<JsonRpcPeer> {
    const channel = await this.#open();
    this.#channel = channel;
    const peer = new JsonRpcPeer(channel, {
      onNotification: (method, params) => this.#emit({ kind: 'notification', method, params } as AgentEvent),
      onRequest: (request) => this.#emit({ kind: 'request', ...request } as AgentEvent),
    });
    try {
      const params = { clientInfo: this.#clientInfo, capabilities: { experimentalApi: true } };
      this.#info = (await peer.request('initialize', params, signal === undefined ? {} : { signal })) as InitializeResult;
      await peer.notify('initialized');
    } catch (error) {
      channel.close();
      throw error;
    }
    void peer.closed.then((reason) => this.#onClosed(reason));
    return peer;
  }

  #onClosed(reason: CloseReason): void {
    if (beganAnew.has(reason.code) && !this.#isClosed) {
      this.#peer = this.#beginAnew();
      this.#peer.catch(() => {}); // told by `closed`
      return;
    }
    this.#isClosed = true;
    this.#settleClosed(reason);
  }

  async #beginAnew(): Promise<JsonRpcPeer> {
    for (;;) {
      try {
        const peer = await this.#introduce();
        const resuming = [...this.#followed].map((threadId) => peer.request('thread/resume', { threadId }) as Promise<ThreadSettings>);
        const threads = (await Promise.allSettled(resuming)).flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
        this.#emit({ kind: 'reset', threads });
        return peer;
      } catch (caught) {
        const isPassing =
          caught instanceof HeddleError &&
          ['connection_lost', 'timeout', 'session_reset', 'shutting_down', 'too_many_requests', 'internal'].includes(caught.code);
        if (!isPassing || this.#isClosed) {
          this.#isClosed = true;
          const hint = caught instanceof HeddleError ? caught.hint : undefined;
          this.#settleClosed({ ...connectionLost, message: caught instanceof Error ? caught.message : connectionLost.message, hint });
          throw caught;
        }
        await new Promise((resolve) => setTimeout(resolve, REOPEN_PAUSE_MS));
      }
    }
  }

  /** Which threads this client is subscribed to, as codex counts it: start, resume and fork subscribe. */
  #follow(method: ClientMethod, params: unknown, result: unknown): void {
    if (method === 'thread/start' || method === 'thread/resume' || method === 'thread/fork')
      this.#followed.add((result as ThreadSettings).thread.id);
    if (method === 'thread/unsubscribe' || method === 'thread/archive' || method === 'thread/delete')
      this.#followed.delete((params as { threadId: ThreadId }).threadId);
  }

  #emit(event: AgentEvent): void {
    if (!this.#hasListened && this.#early.length < MAX_EARLY_EVENTS) this.#early.push(event);
    for (const listener of this.#listeners) {
      if (listener.isEnded)
        this.#listeners.delete(listener); // its reader has left
      else listener.push(event);
    }
  }
}
