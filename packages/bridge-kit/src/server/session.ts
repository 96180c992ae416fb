// Owns one client's connection: who it is, what it does not want to hear, and the requests that it was asked.
// It knows no thread; who is told what is decided by those who hold sessions.

import { type Channel, type CloseReason, type IncomingRequest, JsonRpcPeer, type Log } from '@heddle/rpc';
import type {
  JsonRpcErrorBody,
  RequestId,
  ServerNotificationMethod,
  ServerNotificationParams,
  ServerRequestMethod,
  ServerRequestParams,
} from '@heddle/wire';
import { RepeatedRequests } from './repeated-requests.ts';

/** What `initialize` told about the client. */
export interface ClientIdentity {
  name: string;
  version: string;
  isExperimental: boolean;
  optedOut: ReadonlySet<string>;
}

/** What codex tells only clients with the capability `experimentalApi`. */
const experimentalNotices: ReadonlySet<string> = new Set<ServerNotificationMethod>(['thread/settings/updated']);

export type Answer = { result: unknown } | { error: JsonRpcErrorBody };

export class Session {
  readonly closed: Promise<CloseReason>;
  readonly repeated = new RepeatedRequests();
  readonly #peer: JsonRpcPeer;
  #client: ClientIdentity | undefined;
  #isOpen = true;

  constructor(channel: Channel, log: Log, onRequest: (session: Session, request: IncomingRequest) => void | Promise<void>) {
    this.closed = channel.closed;
    // Set before the peer's own listener runs: that one settles open requests with the close reason, and a client
    // that went away has not answered.
    void channel.closed.then(() => {
      this.#isOpen = false;
    });
    this.#peer = new JsonRpcPeer(channel, {
      onRequest: (request) => onRequest(this, request),
      onInvalid: (why) => log.debug('a client sent what is no message here', { why }),
    });
  }

  /** Absent until the client has initialized. */
  get client(): ClientIdentity | undefined {
    return this.#client;
  }

  initialize(client: ClientIdentity): void {
    this.#client = client;
  }

  /** Tells the client, if it is there and wants to hear this. Never waits: the channel bounds what is queued. */
  notify<M extends ServerNotificationMethod>(method: M, params: ServerNotificationParams<M>): void {
    if (!this.#isOpen || this.#client === undefined || this.#client.optedOut.has(method)) return;
    if (!this.#client.isExperimental && experimentalNotices.has(method)) return;
    this.#peer.notify(method, params, { emittedAtMs: Date.now() }).catch(() => {}); // it closed meanwhile: nobody to tell
  }

  /** Asks the client under an id that other sessions share. Its end is no answer. */
  ask<M extends ServerRequestMethod>(id: RequestId, method: M, params: ServerRequestParams<M>, onAnswer: (answer: Answer) => void): void {
    if (!this.#isOpen) return;
    this.#peer.sendRequest(id, method, params, (answer) => {
      if (this.#isOpen) onAnswer(answer);
    });
  }

  /** A late answer to this request is dropped. */
  forget(id: RequestId): void {
    this.#peer.forget(id);
  }

  close(reason: CloseReason): void {
    this.#peer.close(reason);
  }
}
