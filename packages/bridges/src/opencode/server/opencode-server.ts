// Owns that there is one opencode server when one is needed: heddle's own, started at the first request and again after
// its death, or the one that host.toml names. Requests that come while it starts wait for the same start.

import type { Log } from '@heddle/rpc';
import { asError, HeddleError } from '@heddle/wire';
import { ApiRefusal, OpencodeApi, type ServerAddress } from './api.ts';
import { type OpencodeEngine, serverConfiguration } from './configuration.ts';
import { Connection, type ConnectionListener } from './connection.ts';
import { startOwnServer, whenHealthy } from './own-server.ts';
import { readOwnConfiguration } from './own-configuration.ts';

export interface OpencodeServerOptions {
  /** The installed opencode. @throws HeddleError `agent_unavailable` */
  findCommand: () => Promise<string>;
  launchEnv: () => Promise<NodeJS.ProcessEnv>;
  /** A server that runs already. */
  server: ServerAddress | undefined;
  engine: OpencodeEngine | undefined;
  runtimeDir: string;
  log: Log;
}

export type AskServer = <T>(act: (api: OpencodeApi) => Promise<T>) => Promise<T>;

/** How long after a request that broke off the end of the server may be noticed. */
const NOTICE_MS = 1_000;

interface Running {
  connection: Connection;
  stop: () => Promise<void>;
}

export class OpencodeServer {
  readonly #options: OpencodeServerOptions;
  readonly #listeners = new Set<ConnectionListener & { onEnded?(error: HeddleError): void }>();
  readonly #unknownKinds = new Set<string>();
  #running: Promise<Running> | undefined;
  #connection: Connection | undefined;
  /** Servers that are being ended. */
  readonly #ending = new Set<Promise<void>>();
  #isClosed = false;

  constructor(options: OpencodeServerOptions) {
    this.#options = options;
  }

  /** Whether it is somebody else's: heddle neither starts nor configures it. */
  get isForeign(): boolean {
    return this.#options.server !== undefined;
  }

  /** The connection that stands now, if one does. */
  get current(): Connection | undefined {
    return this.#connection?.isOver === false ? this.#connection : undefined;
  }

  listen(listener: ConnectionListener & { onEnded?(error: HeddleError): void }): void {
    this.#listeners.add(listener);
  }

  /** A server that answers, and whose events are heard. @throws HeddleError `agent_unavailable` with the reason. */
  async connect(): Promise<Connection> {
    if (this.#isClosed) throw new HeddleError('agent_unavailable', 'opencode was ended', { hint: 'Start the daemon again.' });
    const running = (this.#running ??= this.#start());
    try {
      return (await running).connection;
    } catch (error) {
      if (this.#running === running) this.#running = undefined;
      throw error;
    }
  }

  /** The same, when it has just answered: a server that was killed a moment ago is not taken for one that runs. */
  async connectAnswering(): Promise<Connection> {
    await this.ask((api) => api.get('/global/health'));
    return this.connect();
  }

  /**
   * Asks the server something that may be asked twice: once more of the next one, when it dies over it.
   * @throws what `act` throws; HeddleError `agent_unavailable` when there is no server
   */
  readonly ask: AskServer = async (act) => {
    const connection = await this.connect();
    try {
      return await act(connection.api);
    } catch (error) {
      const isUnanswered = error instanceof HeddleError && error.code === 'agent_unavailable';
      if (!isUnanswered || !(await endsSoon(connection))) throw error;
      return act((await this.connect()).api);
    }
  };

  /** Ends the server, if it is ours; the next request starts another. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await (await running?.catch(() => undefined))?.stop();
    await Promise.all(this.#ending);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.stop();
  }

  async #start(): Promise<Running> {
    const running = this.#options.server === undefined ? await this.#startOwn() : await this.#join(this.#options.server);
    const { connection } = running;
    this.#connection = connection;
    void connection.ended.then((error) => this.#noteEnded(running, error));
    try {
      await connection.listening();
    } catch (error) {
      await running.stop();
      throw asUnavailable(error);
    }
    return running;
  }

  async #startOwn(): Promise<Running> {
    const { findCommand, launchEnv, engine, runtimeDir, log } = this.#options;
    const [command, env] = await Promise.all([findCommand(), launchEnv()]);
    const own = await readOwnConfiguration({ command, env, cwd: runtimeDir, log });
    const configuration = serverConfiguration(env['OPENCODE_CONFIG_CONTENT'], own, engine);
    const server = await startOwnServer({ command, env, configuration, runtimeDir, log });
    const connection = this.#connectionTo(server.api, server.version, server.ended);
    const stop = async () => {
      connection.close();
      await server.stop();
    };
    return { connection, stop };
  }

  async #join(address: ServerAddress): Promise<Running> {
    const api = new OpencodeApi(address);
    const version = await whenHealthy(api).catch((error: unknown) => {
      if (!(error instanceof ApiRefusal) || error.status !== 401) throw error;
      throw new HeddleError('agent_unavailable', `the opencode server at ${address.url} wants another password`, {
        hint: 'Set "server_password" under [agents.opencode] in host.toml.',
      });
    });
    const connection = this.#connectionTo(api, version);
    const stop = () => {
      connection.close();
      return Promise.resolve();
    };
    return { connection, stop };
  }

  #connectionTo(api: OpencodeApi, version: string, gone?: Promise<HeddleError>): Connection {
    const listener: ConnectionListener = {
      onEvent: (event) => {
        for (const each of this.#listeners) each.onEvent(event);
      },
      onGap: () => {
        for (const each of this.#listeners) each.onGap();
      },
    };
    const { log } = this.#options;
    return new Connection({ api, version, listener, unknownKinds: this.#unknownKinds, log, ...(gone === undefined ? {} : { gone }) });
  }

  #noteEnded({ connection, stop }: Running, error: HeddleError): void {
    if (this.#connection === connection) {
      this.#connection = undefined;
      this.#running = undefined;
    }
    for (const each of this.#listeners) each.onEnded?.(error);
    // One that does not let itself be heard any more may still run.
    const ending = stop().finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }
}

async function endsSoon(connection: Connection): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, NOTICE_MS);
  await Promise.race([connection.ended, late]);
  clearTimeout(timer);
  return connection.isOver;
}

function asUnavailable(error: unknown): Error {
  if (!(error instanceof HeddleError) || error.code === 'agent_unavailable') return asError(error);
  return new HeddleError('agent_unavailable', error.message, { cause: error, ...(error.hint === undefined ? {} : { hint: error.hint }) });
}
