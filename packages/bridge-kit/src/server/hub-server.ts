// Owns the way from a session to the function that serves its request, and the end of all sessions.

import { type Channel, type CloseReason, type IncomingRequest, type Log, RpcError } from '@heddle/rpc';
import { jsonRpcCodes } from '@heddle/wire';
import type { Audience } from './audience.ts';
import { boundedChannelPair, defaultQueueLimits } from './bounded-channel-pair.ts';
import { Call, type HandlerTable } from './call.ts';
import { initialize, type ServerIdentity } from './handshake.ts';
import { Params, refusal } from './params.ts';
import { Session } from './session.ts';
import type { ThreadHub } from '../threads/thread-hub.ts';

export interface HubServerOptions {
  hub: ThreadHub;
  audience: Audience;
  log: Log;
  identity: ServerIdentity;
  handlers: HandlerTable;
  /** Methods that only a client with the capability `experimentalApi` may call. */
  experimentalMethods: ReadonlySet<string>;
}

export class HubServer {
  readonly #options: HubServerOptions;
  #stopping: Promise<void> | undefined;

  constructor(options: HubServerOptions) {
    this.#options = options;
  }

  /** A new session; the returned end is the client's. */
  async open(): Promise<Channel> {
    await this.#stopping;
    const { near, far } = boundedChannelPair(defaultQueueLimits);
    const session = new Session(near, this.#options.log, (from, request) => this.#serve(from, request));
    this.#options.audience.add(session, () => {
      for (const thread of this.#options.hub.loaded.all) thread.leave(session);
    });
    return far;
  }

  /**
   * Fails every running turn with `reason`, unloads every thread and ends every session. Resolves when nothing runs.
   * Sessions may be opened again afterwards.
   */
  async stop(reason: CloseReason): Promise<void> {
    this.#stopping ??= this.#stop(reason).finally(() => {
      this.#stopping = undefined;
    });
    await this.#stopping;
  }

  async #stop(reason: CloseReason): Promise<void> {
    const { hub, audience } = this.#options;
    await hub.unloadAll({ status: 'failed', message: reason.message });
    audience.closeAll(reason);
  }

  async #serve(session: Session, request: IncomingRequest): Promise<void> {
    const { handlers, experimentalMethods, identity } = this.#options;
    if (request.method === 'initialize') {
      request.reply(initialize(session, new Params(request.params), identity));
      return;
    }
    if (session.client === undefined) throw refusal('Not initialized');
    if (this.#stopping !== undefined) throw new RpcError(jsonRpcCodes.overloaded, 'the agent is being ended');
    const handler = Object.hasOwn(handlers, request.method) ? handlers[request.method] : undefined;
    // codex says -32600 here; clients of the wire look for -32601 to find out what a server can do.
    if (handler === undefined) throw new RpcError(jsonRpcCodes.methodNotFound, `method not found: ${request.method}`);
    if (experimentalMethods.has(request.method) && !session.client.isExperimental) {
      throw refusal(`${request.method} requires experimentalApi capability`);
    }
    await session.repeated.once(request, async (admitted) => handler(new Call(session, admitted)));
  }
}
