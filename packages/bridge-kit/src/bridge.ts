// Owns the contract between the daemon and an agent: what every bridge is, and nothing of how one works.

import type { Channel, Log } from '@heddle/rpc';

/** Whether an agent can be used right now. Asked afresh each time: a user installs and logs in at any moment. */
export type Availability =
  | { isAvailable: true; version: string | undefined }
  | {
      isAvailable: false;
      version: string | undefined;
      /** What is wrong, one sentence. */
      reason: string;
      /** What the user can do about it, one sentence with the command to type. */
      fix: string;
    };

/** What a client wants to know before it offers something. */
export interface BridgeCapabilities {
  /** `before`: the agent asks before it acts. `none`: it can't. */
  approvals: 'before' | 'none';
  /** Further ones by name: what the conformance scenarios have seen the agent do. */
  [name: string]: boolean | string;
}

/**
 * One agent behind the codex-shaped wire. Its life: created → open × n → closed. Creating one starts nothing.
 */
export interface Bridge {
  /** Stable name, lower case: `codex`. */
  readonly name: string;
  readonly displayName: string;
  readonly capabilities: BridgeCapabilities;
  /** Never rejects: whatever is wrong is an answer. */
  probe(): Promise<Availability>;
  /**
   * Opens one session: a channel that speaks codex app-server JSON-RPC, one message a JSON text, whose owner
   * sends `initialize` first. Resolves only when the agent is really there. Closing the channel ends the session,
   * not the agent; the agent's death closes the channel with `agent_exited`.
   * @throws HeddleError `agent_unavailable` with the reason and, as hint, the fix.
   */
  open(): Promise<Channel>;
  /** Ends the agent's process; sessions end with `agent_exited`, the next `open` starts it again. */
  restart(): Promise<void>;
  /** Ends everything the bridge has started. Resolves when no process of it is left. */
  close(): Promise<void>;
}

/** What every bridge is given. */
export interface BridgeContext {
  log: Log;
  /**
   * The environment that agents are started with: a login shell's, so that the first call may take seconds; asked for
   * when it is needed, not kept. Never rejects. Never sent anywhere.
   */
  launchEnv: () => Promise<NodeJS.ProcessEnv>;
  /**
   * A private folder (0700) for sockets and other things that live as long as the daemon; its path is short. Also where
   * `startChildProcess` notes processes.
   */
  runtimeDir: string;
  /** A private folder (0700) for what is kept between runs. */
  stateDir: string;
  /** Version of heddle, for agents that want to know their client. */
  heddleVersion: string;
}
