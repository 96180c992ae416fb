// Owns the way to codex: messages pass through unread to one shared app-server, an existing one if it answers, else
// one of our own. One connection per session, so codex itself tells its clients apart.

import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Availability, type Bridge, type BridgeContext, type ChildProcess, ProgramFinder } from '@heddle/bridge-kit';
import { asError, HeddleError } from '@heddle/wire';
import type { Channel } from '@heddle/rpc';
import { capabilitiesOf } from '../capabilities.ts';
import { type AppServer, startAppServer } from './app-server.ts';
import { connectAppServer } from './app-server-socket.ts';
import { type CodexInstallation, probeCodex } from './probe.ts';
import { openStdioSession } from './stdio-session.ts';

const EXIT_NOTICE_MS = 1_000;

export interface CodexOptions {
  /** Program name on PATH, or absolute path. */
  command: string;
  /** Control socket of an app-server that somebody else runs. Default: where codex puts its own. */
  server?: string | undefined;
}

/** Makes the codex bridge; nothing is started before the first `open`. */
export function createCodexBridge(context: BridgeContext, options: CodexOptions): Bridge {
  return new CodexBridge(context, options);
}

class CodexBridge implements Bridge {
  readonly name = 'codex';
  readonly displayName = 'Codex';
  readonly capabilities = capabilitiesOf('codex');
  readonly #context: BridgeContext;
  readonly #options: CodexOptions;
  readonly #programs: ProgramFinder;
  /** The server of our own, while it starts and while it runs. */
  #ownServer: Promise<AppServer> | undefined;
  readonly #stdioProcesses = new Set<ChildProcess>();
  /** The last start failed: asked again by the next probe, so that a repaired codex is noticed. */
  #hasFailed = false;
  #isClosed = false;

  constructor(context: BridgeContext, options: CodexOptions) {
    this.#context = context;
    this.#options = options;
    this.#programs = new ProgramFinder(context.launchEnv);
  }

  async probe(): Promise<Availability> {
    const installation = await probeCodex(this.#programs, this.#options.command);
    const existing = await this.#connectExisting();
    existing?.close();
    if (existing !== undefined) return { isAvailable: true, version: installation.version };
    if (!installation.isUsable) return { isAvailable: false, ...pick(installation) };
    if (!this.#hasFailed || installation.transport === 'stdio') return { isAvailable: true, version: installation.version };
    try {
      await this.#server(installation);
      return { isAvailable: true, version: installation.version };
    } catch (caught) {
      const error = asError(caught);
      return { isAvailable: false, version: installation.version, reason: error.message, fix: hintOf(error) };
    }
  }

  async open(): Promise<Channel> {
    const existing = await this.#connectExisting();
    if (existing !== undefined) return existing;
    const installation = await probeCodex(this.#programs, this.#options.command);
    if (!installation.isUsable) throw new HeddleError('agent_unavailable', installation.reason, { hint: installation.fix });
    if (installation.transport === 'stdio') return this.#openStdio(installation.path);
    const server = await this.#server(installation);
    try {
      return await connectAppServer(server.socketPath);
    } catch (cause) {
      // It may have died this very moment, and be known to be dead in the next.
      if (await hasExitedWithin(server, EXIT_NOTICE_MS)) return connectAppServer((await this.#server(installation)).socketPath);
      throw new HeddleError('agent_unavailable', 'codex app-server runs and does not answer', {
        cause,
        hint: 'Restart it from the phone, or with `heddle stop` and `heddle serve`.',
      });
    }
  }

  async restart(): Promise<void> {
    const server = this.#ownServer;
    this.#ownServer = undefined;
    await Promise.all([
      server?.then((running) => running.stop()).catch(() => undefined),
      ...[...this.#stdioProcesses].map((process) => process.stop()),
    ]);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.restart();
  }

  async #connectExisting(): Promise<Channel | undefined> {
    const path = this.#options.server ?? join(await this.#codexHome(), 'app-server-control', 'app-server-control.sock');
    try {
      return await connectAppServer(path);
    } catch {
      return undefined; // nobody listens there: the ordinary case
    }
  }

  async #codexHome(): Promise<string> {
    const env = await this.#context.launchEnv();
    return env['CODEX_HOME'] ?? join(homedir(), '.codex');
  }

  /** One start at a time; a server that has gone is forgotten, so the next call starts another. */
  #server(installation: CodexInstallation & { isUsable: true }): Promise<AppServer> {
    if (this.#isClosed) throw new HeddleError('agent_unavailable', 'the daemon is shutting down');
    if (this.#ownServer !== undefined) return this.#ownServer;
    const { launchEnv, runtimeDir, log } = this.#context;
    const starting = launchEnv().then((env) => startAppServer({ path: installation.path, env, runtimeDir, log }));
    const forget = () => {
      if (this.#ownServer === starting) this.#ownServer = undefined;
    };
    this.#ownServer = starting;
    starting.then(
      (server) => {
        this.#hasFailed = false;
        void server.process.exited.then(forget);
      },
      (error: unknown) => {
        this.#hasFailed = true;
        log.warn('codex app-server did not start', { error: asError(error) });
        forget();
      },
    );
    return starting;
  }

  async #openStdio(path: string): Promise<Channel> {
    const { launchEnv, runtimeDir, log } = this.#context;
    const { channel, process } = await openStdioSession({ path, env: await launchEnv(), runtimeDir, log });
    this.#stdioProcesses.add(process);
    void process.exited.then(() => this.#stdioProcesses.delete(process));
    return channel;
  }
}

function pick(installation: CodexInstallation & { isUsable: false }) {
  return { version: installation.version, reason: installation.reason, fix: installation.fix };
}

async function hasExitedWithin(server: AppServer, ms: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), ms);
  const hasExited = await Promise.race([server.process.exited.then(() => true), late]);
  clearTimeout(timer);
  return hasExited;
}

function hintOf(error: Error): string {
  return (error instanceof HeddleError ? error.hint : undefined) ?? 'Look at `heddle logs`.';
}
