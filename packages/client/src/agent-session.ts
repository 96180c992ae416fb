// Owns a client's conversation with one agent: typed requests, and everything the agent says in one stream.

import { type Channel, type CloseReason, BoundedQueue, type IncomingRequest, JsonRpcPeer } from '@heddle/rpc';
import type {
  ClientMethod,
  ClientParams,
  ClientResult,
  InitializeResult,
  RequestId,
  ServerNotificationMethod,
  ServerNotificationParams,
  ServerRequestMethod,
  ServerRequestParams,
  ServerRequestResult,
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

/**
 * What an agent says unasked. An agent may send methods that heddle has no type for: they arrive in the same
 * shape, so a `switch` over `method` needs a `default`.
 */
export type AgentEvent = NotificationEvent | RequestEvent;

/** An initialized session. */
export interface AgentSession {
  readonly info: InitializeResult;
  /** @throws RpcError the agent's refusal; HeddleError when the session has ended. */
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

/** Introduces the client on a fresh channel. */
export async function openAgentSession(channel: Channel, options: { clientInfo: ClientInfo; signal?: AbortSignal }): Promise<AgentSession> {
  const early: AgentEvent[] = [];
  const listeners = new Set<BoundedQueue<AgentEvent>>();
  let hasListened = false;
  const emit = (event: AgentEvent) => {
    if (!hasListened && early.length < MAX_EARLY_EVENTS) early.push(event);
    for (const listener of listeners) listener.push(event);
  };
  const peer = new JsonRpcPeer(channel, {
    onNotification: (method, params) => emit({ kind: 'notification', method, params } as AgentEvent),
    onRequest: (request) => emit({ kind: 'request', ...request } as AgentEvent),
  });
  void peer.closed.then(() => {
    for (const listener of listeners) listener.end();
  });

  let info: InitializeResult;
  try {
    const params = { clientInfo: options.clientInfo, capabilities: { experimentalApi: true } };
    info = (await peer.request('initialize', params, options)) as InitializeResult;
    await peer.notify('initialized');
  } catch (error) {
    channel.close();
    throw error;
  }
  return {
    info,
    closed: peer.closed,
    close: () => channel.close(),
    request: (method, params, requestOptions) => peer.request(method, params, requestOptions) as Promise<ClientResult<typeof method>>,
    requestUntyped: (method, params, requestOptions) => peer.request(method, params, requestOptions),
    notify: (method, params) => peer.notify(method, params),
    events() {
      const queue = new BoundedQueue<AgentEvent>({ highWater: Number.POSITIVE_INFINITY });
      if (!hasListened) for (const event of early.splice(0)) queue.push(event);
      hasListened = true;
      listeners.add(queue);
      void peer.closed.then(() => queue.end());
      return queue;
    },
  };
}
