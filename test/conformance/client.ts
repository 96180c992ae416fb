// Owns the client of the scenarios: one session with typed requests, and waiting for what the server says, always
// with a deadline and with the last messages in the text of a failure. No sleeps, no retries.

import { type Channel, type IncomingRequest, JsonRpcPeer, RpcError } from '@heddle/rpc';
import {
  type ClientMethod,
  type ClientParams,
  type ClientResult,
  type RequestId,
  type ServerNotificationMethod,
  type ServerNotificationParams,
  type ServerRequestMethod,
  type ServerRequestParams,
  type ServerRequestResult,
  type ThreadItem,
  type ThreadSettings,
  type ThreadStartParams,
  type Turn,
} from '@heddle/wire';
import { recordChannel } from './recorder.ts';
import { describeTail, type Recording } from './recording.ts';

/** Much longer than anything takes, also where the computer is busy with other tests. */
const DEADLINE_MS = 30_000;

/** A notification or request of the server, in order of arrival. */
interface Event {
  method: string;
  params: unknown;
}
interface Waiter {
  what: string;
  check(): boolean;
  fail: (error: Error) => void;
}

/** A question of the server that waits for this client's answer. */
export interface Question<M extends ServerRequestMethod> {
  id: RequestId;
  params: ServerRequestParams<M>;
  answer(result: ServerRequestResult<M>): void;
}

export class ConformanceClient {
  readonly name: string;
  readonly channel: Channel;
  readonly #peer: JsonRpcPeer;
  readonly #recording: Recording;
  readonly #events: Event[] = [];
  readonly #open = new Map<RequestId, IncomingRequest>();
  readonly #waiters = new Set<Waiter>();

  /** Records everything from here on, under the client's name. */
  constructor(channel: Channel, recording: Recording, name: string) {
    this.name = name;
    this.channel = recordChannel(channel, recording, name);
    this.#recording = recording;
    this.#peer = new JsonRpcPeer(this.channel, {
      onNotification: (method, params) => this.#onEvent({ method, params }),
      onRequest: (request) => {
        this.#open.set(request.id, request);
        this.#onEvent({ method: request.method, params: { id: request.id, params: request.params } });
      },
    });
    void this.channel.closed.then((reason) => {
      for (const { what, fail } of this.#waiters)
        fail(new Error(`${name}: the session ended (${reason.code}: ${reason.message}) while waiting for ${what}`));
    });
  }

  async initialize(): Promise<ClientResult<'initialize'>> {
    const result = await this.request('initialize', {
      clientInfo: { name: 'heddle-conformance', title: 'heddle conformance kit', version: '0.1.0' },
      capabilities: { experimentalApi: true },
    });
    await this.#peer.notify('initialized');
    return result;
  }

  /** @throws RpcError with the server's refusal. */
  request<M extends ClientMethod>(method: M, params: ClientParams<M>): Promise<ClientResult<M>> {
    return this.rawRequest(method, params) as Promise<ClientResult<M>>;
  }

  /** For methods that the wire does not have. */
  async rawRequest(method: string, params: unknown): Promise<unknown> {
    const timeout = AbortSignal.timeout(DEADLINE_MS);
    try {
      return await this.#peer.request(method, params, { signal: timeout });
    } catch (error) {
      if (error instanceof RpcError || !timeout.aborted) throw error;
      throw new Error(`${this.name}: no answer to ${method} within ${DEADLINE_MS} ms`, { cause: error });
    }
  }

  /** Resolves with the refusal; an answer that grants the request is the failure. */
  async refusal(method: string, params: unknown): Promise<RpcError> {
    let granted: unknown;
    try {
      granted = await this.rawRequest(method, params);
    } catch (error) {
      if (error instanceof RpcError) return error;
      throw error;
    }
    throw new Error(`${this.name}: ${method} should have been refused and was answered ${JSON.stringify(granted).slice(0, 300)}`);
  }

  startThread(params: ThreadStartParams): Promise<ThreadSettings> {
    return this.request('thread/start', params);
  }

  /** Resolves with the turn as the answer to turn/start has it: running, without items. */
  async startTurn(threadId: string, text: string): Promise<Turn> {
    const { turn } = await this.request('turn/start', { threadId, input: [{ type: 'text', text }] });
    return turn;
  }

  /** Starts a turn and waits for its end, which this client must be subscribed to. */
  async runTurn(threadId: string, text: string): Promise<Turn> {
    return this.turnEnd((await this.startTurn(threadId, text)).id);
  }

  async turnEnd(turnId: string): Promise<Turn> {
    return (await this.notification('turn/completed', ({ turn }) => turn.id === turnId)).turn;
  }

  firstDelta(turnId: string): Promise<ServerNotificationParams<'item/agentMessage/delta'>> {
    return this.notification('item/agentMessage/delta', (params) => params.turnId === turnId);
  }

  /** The items of a turn that this client saw complete, in order. */
  completedItems(turnId: string): ThreadItem[] {
    return this.seen('item/completed')
      .filter((params) => params.turnId === turnId)
      .map(({ item }) => item);
  }

  /** Notifications of one kind so far. */
  seen<M extends ServerNotificationMethod>(method: M): ServerNotificationParams<M>[] {
    return this.#events.filter((event) => event.method === method).map(({ params }) => params as ServerNotificationParams<M>);
  }

  /** The first notification, past or to come, that fits. */
  notification<M extends ServerNotificationMethod>(
    method: M,
    fits: (params: ServerNotificationParams<M>) => boolean = () => true,
  ): Promise<ServerNotificationParams<M>> {
    return this.#waitFor(method, () => this.seen(method).find(fits));
  }

  /** The first question, past or to come, of this kind in this turn that fits. */
  async question<M extends ServerRequestMethod>(
    method: M,
    turnId: string,
    fits: (params: ServerRequestParams<M>) => boolean = () => true,
  ): Promise<Question<M>> {
    const asked = ({ params }: Event) => params as { id: RequestId; params: ServerRequestParams<M> & { turnId: string } };
    const isWanted = (event: Event) => event.method === method && asked(event).params.turnId === turnId && fits(asked(event).params);
    const { id, params } = asked(await this.#waitFor(method, () => this.#events.find(isWanted)));
    return { id, params, answer: (result) => this.#open.get(id)?.reply(result) };
  }

  /** The end of the session. */
  close(): void {
    this.channel.close();
  }

  #onEvent(event: Event): void {
    this.#events.push(event);
    for (const waiter of this.#waiters) if (waiter.check()) this.#waiters.delete(waiter);
  }

  #waitFor<T>(what: string, find: () => T | undefined): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const timer = setTimeout(
      () => fail(new Error(`${this.name}: no ${what} within ${DEADLINE_MS} ms\n${describeTail(this.#recording.entries)}`)),
      DEADLINE_MS,
    );
    const waiter: Waiter = {
      what,
      check: () => {
        const found = find();
        if (found === undefined) return false;
        clearTimeout(timer);
        resolve(found);
        return true;
      },
      fail: (error) => fail(error),
    };
    const fail = (error: Error) => {
      clearTimeout(timer);
      this.#waiters.delete(waiter);
      reject(error);
    };
    if (!waiter.check()) this.#waiters.add(waiter);
    return promise;
  }
}
