// Owns one request on its way to the function that serves it: who asks, what with, and how it is answered.

import type { IncomingRequest } from '@heddle/rpc';
import type { ClientMethod, ClientResult, OlderClientMethod, OlderClientResult, OwnClientMethod, OwnClientResult } from '@heddle/wire';
import { Params } from './params.ts';
import type { Session } from './session.ts';

export class Call<Result = unknown> {
  readonly session: Session;
  readonly #request: IncomingRequest;

  constructor(session: Session, request: IncomingRequest) {
    this.session = session;
    this.#request = request;
  }

  /** @throws RpcError when the request has no parameters. */
  get params(): Params {
    return new Params(this.#request.params);
  }

  /** Answers at once: what is sent after this arrives after it. */
  reply(result: Result): void {
    this.#request.reply(result);
  }
}

/** Serves one method: replies, then tells. A thrown RpcError is the answer. */
export type Handler<Result> = (call: Call<Result>) => void | Promise<void>;

/** Functions for methods that the wire's table knows, each bound to its method's result. */
export type HandlersOf<M extends ClientMethod> = { readonly [Method in M]: Handler<ClientResult<Method>> };

/** The same for methods that only older clients speak. */
export type OlderHandlersOf<M extends OlderClientMethod> = { readonly [Method in M]: Handler<OlderClientResult<Method>> };

/** The same for methods that only heddle has. */
export type OwnHandlersOf<M extends OwnClientMethod> = { readonly [Method in M]: Handler<OwnClientResult<Method>> };

/** Functions by method, once their types have been checked. */
export type HandlerTable = Readonly<Record<string, Handler<never>>>;
