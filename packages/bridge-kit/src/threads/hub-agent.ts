// Owns the contract between the hub, which holds threads and talks to clients, and an agent, which does the work.
// The hub never asks two things of one thread at once, but for `changeSettings` while a turn runs.

import type { McpConnectionStatus, Model, ThreadId, TurnId } from '@heddle/wire';
import type { RunningTurn } from './running-turn.ts';
import type { CollaborationMode, SettingsInForce, WantedSettings } from './thread-settings.ts';
import type { StoredThread, ThreadStore } from './thread-store.ts';

/** A thread that may be given turns now. */
export interface OpenedThread {
  /** The agent's own id of it: the same that its store uses. */
  id: ThreadId;
  settings: SettingsInForce;
}

/** Which part of a thread is kept: everything, or what lies before a turn. Turn ids as the store reports them. */
export interface ForkPoint {
  beforeTurnId: TurnId | undefined;
}

export interface Skill {
  name: string;
  description: string;
  /** Absolute path of what defines it; '' when the agent does not tell. */
  path: string;
  scope: 'user' | 'repo' | 'system' | 'admin';
}

/** An MCP server that the agent uses. */
export interface McpServer {
  name: string;
  status: McpConnectionStatus;
  /** Why it can't be used; `null` when it can, or the agent does not tell. */
  error: string | null;
  /** What it offers, as far as the agent tells. */
  tools: readonly { name: string; description: string }[];
}

export interface HubAgent {
  /** Its name on the wire, and what all its threads are listed under as their model provider: `claude`. */
  readonly name: string;
  /** Version of its program, for threads; '' while unknown. */
  readonly version: string;
  /**
   * Its own history. Without one threads live in the hub's memory and are gone with it; then `openThread` is never
   * called, and `unloadThread` when a thread is forgotten for good.
   */
  readonly store?: ThreadStore;

  /** Begins a thread. Cheap: a process may start at the first turn. */
  createThread(wanted: WantedSettings): Promise<OpenedThread>;
  /** Brings a stored thread back, so that turns may be given to it. */
  openThread(stored: StoredThread, wanted: WantedSettings): Promise<OpenedThread>;
  /** Copies a thread, or its part before a turn, into a new one. No turn runs in it. Absent: it can't. */
  forkThread?(source: StoredThread, point: ForkPoint, wanted: WantedSettings): Promise<OpenedThread>;
  /** Drops `beforeTurnId` and all later turns from the conversation; files stay as they are. Absent: it can't. */
  revertThread?(threadId: ThreadId, beforeTurnId: TurnId): Promise<void>;
  /**
   * Brings back what was dropped last, unless something was said since. Absent: it can't.
   * @throws RpcError when there is nothing to bring back.
   */
  unrevertThread?(threadId: ThreadId): Promise<void>;
  /** Only what is given changes, from the next model response on at the latest. */
  changeSettings(threadId: ThreadId, wanted: WantedSettings): Promise<SettingsInForce>;
  /** Gives up what it holds for a thread: its process, its memory of it. No turn runs. The store keeps it. Never rejects. */
  unloadThread(threadId: ThreadId): Promise<void>;
  /** The user has given it a name. Absent: only heddle knows the name. */
  renameThread?(threadId: ThreadId, name: string): Promise<void>;

  /**
   * Does one turn, from `turn.takeMessages()` on. Called again when a message arrived just as it resolved.
   * Stops when `turn.signal` aborts, leaving no process of the turn behind, and may reject then. Another rejection
   * fails the turn: with `TurnFailure.error`, or with the error's message.
   */
  runTurn(turn: RunningTurn): Promise<void>;
  /** Shortens the conversation's memory; a turn without a message. Absent: it can't. */
  compact?(turn: RunningTurn): Promise<void>;

  /** What to type to go on with a thread in a terminal, without heddle. Absent: there is no such command. */
  resumeCommand?(threadId: ThreadId, cwd: string): string;

  /** The id that the next user message will have in the agent's store. Absent: a UUIDv7. */
  newMessageId?(): string;

  /** As the agent reports them. */
  models(): Promise<Model[]>;
  skills(cwd: string): Promise<Skill[]>;
  /** In a folder, or in none in particular. Absent: it has none, or does not tell. */
  mcpServers?(cwd: string | undefined): Promise<McpServer[]>;
  readonly modes: readonly CollaborationMode[];
  /** A codex `RateLimitSnapshot`; `undefined` when it has none to tell. */
  rateLimits(): Promise<Record<string, unknown> | undefined>;
}

/** What the hub does for an agent that acts by itself; given to it when it is created. */
export interface HubForAgent {
  /** The agent has changed how a thread runs by itself (it has left plan mode): clients are told. */
  settingsChanged(threadId: ThreadId, settings: SettingsInForce): void;

  /** The agent has found a name for a thread, such as a title: clients are told, unless the user has given it another. */
  nameFound(threadId: ThreadId, name: string): void;

  /**
   * The agent has begun to work in a thread without being asked (a background task came back). Opens a turn with that
   * id; `run` is then called with it, in the place of `HubAgent.runTurn`. Waits for the end of a turn that runs, and
   * resolves with the end of this one; at once when the thread is not loaded: then nobody wants to know.
   */
  beginOwnTurn(threadId: ThreadId, turnId: TurnId, run: (turn: RunningTurn) => Promise<void>): Promise<void>;
}
