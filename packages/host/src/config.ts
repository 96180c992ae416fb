// Owns the checked configuration: what the rest of the daemon sees of host.toml. Pure; files are load-config.ts.

import { hostname } from 'node:os';
import { configError } from './config-problems.ts';
import { type ConfigFile, configSchema } from './config-schema.ts';
import type { LogLevel } from './log-level.ts';
import { readToml } from './toml-document.ts';

/** An OpenAI-compatible server that an agent is run on, instead of what the user's own configuration of it says. */
interface EngineConfig {
  /** Without user and password: `http://127.0.0.1:8080/v1`. */
  readonly baseUrl: string;
  readonly model: string;
  /** The environment variable that holds the server's key. */
  readonly apiKeyEnv: string | undefined;
  /** In tokens. */
  readonly contextWindow: number | undefined;
}

export interface HostConfig {
  /** 64 hex digits. A secret. */
  readonly token: string;
  readonly endpoint: {
    /** IP addresses to listen on. */
    readonly listen: readonly string[];
    readonly port: number;
    /** Further multiaddrs for the pair payload. */
    readonly announce: readonly string[];
    /** What phones call this computer; the computer's own name unless the file says otherwise. */
    readonly hostName: string;
  };
  readonly log: { readonly level: LogLevel };
  readonly agents: {
    readonly codex: {
      readonly enabled: boolean;
      readonly command: string;
      /** Control socket of an app-server that runs already. */
      readonly server: string | undefined;
    };
    readonly claude: {
      readonly enabled: boolean;
      readonly command: string;
      /** Clients may choose that claude acts without asking. */
      readonly allowFullAccess: boolean;
    };
    readonly opencode: {
      readonly enabled: boolean;
      readonly command: string;
      readonly allowFullAccess: boolean;
      /** A server that runs already. */
      readonly server: string | undefined;
      /** A secret. */
      readonly serverPassword: string | undefined;
      readonly engine: (EngineConfig & { readonly agent: 'build' | 'plan' }) | undefined;
    };
    readonly pi: {
      readonly enabled: boolean;
      readonly command: string;
      readonly allowFullAccess: boolean;
      readonly engine: EngineConfig | undefined;
    };
    /** true: always listed; false: never; undefined: when no other agent is available. */
    readonly demo: { readonly enabled: boolean | undefined };
  };
  readonly limits: {
    readonly maxConnections: number;
    readonly maxStreamsPerConnection: number;
    readonly maxPendingHandshakes: number;
    readonly detachedSessionSeconds: number;
  };
  /** What was not as it should be and was put right; to be shown to the user. */
  readonly warnings: readonly string[];
}

/**
 * Checks the text of a host.toml.
 * @param file only for the error text
 * @throws HeddleError `config_invalid` that names all problems at once, each with its line.
 */
export function parseConfig(text: string, file: string): HostConfig {
  const document = readToml(text, file);
  const result = configSchema.safeParse(document.root);
  if (!result.success) throw configError(result.error.issues, document, file);
  return toHostConfig(result.data);
}

function toHostConfig({ token, endpoint, log, agents, limits }: ConfigFile): HostConfig {
  return {
    token,
    endpoint: {
      listen: endpoint.listen,
      port: endpoint.port,
      announce: endpoint.announce,
      hostName: endpoint.host_name ?? hostname(),
    },
    log: { level: log.level },
    agents: {
      codex: { enabled: agents.codex.enabled, command: agents.codex.command, server: agents.codex.server },
      claude: { enabled: agents.claude.enabled, command: agents.claude.command, allowFullAccess: agents.claude.allow_full_access },
      opencode: toOpencode(agents.opencode),
      pi: {
        enabled: agents.pi.enabled,
        command: agents.pi.command,
        allowFullAccess: agents.pi.allow_full_access,
        engine: agents.pi.engine === undefined ? undefined : toEngine(agents.pi.engine),
      },
      demo: { enabled: agents.demo.enabled },
    },
    limits: {
      maxConnections: limits.max_connections,
      maxStreamsPerConnection: limits.max_streams_per_connection,
      maxPendingHandshakes: limits.max_pending_handshakes,
      detachedSessionSeconds: limits.detached_session_seconds,
    },
    warnings: [],
  };
}

function toOpencode({ enabled, command, server, engine, ...file }: ConfigFile['agents']['opencode']): HostConfig['agents']['opencode'] {
  return {
    enabled,
    command,
    allowFullAccess: file.allow_full_access,
    server,
    serverPassword: file.server_password,
    engine: engine === undefined ? undefined : { ...toEngine(engine), agent: engine.agent },
  };
}

function toEngine(engine: NonNullable<ConfigFile['agents']['pi']['engine']>): EngineConfig {
  return { baseUrl: engine.base_url, model: engine.model, apiKeyEnv: engine.api_key_env, contextWindow: engine.context_window };
}
