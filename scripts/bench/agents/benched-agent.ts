// Owns what the benches know of an agent. A new agent is measured by writing one of these; whatever differs between
// agents lies behind it.

import type { ThreadStore } from '@heddle/bridge-kit';
import type { ThreadId } from '@heddle/wire';
import type { TapNotes } from '../tap-notes.ts';
import type { TimedText } from '../timed-text.ts';

export interface BenchedAgent {
  /** As in host.toml: `claude`. */
  name: string;
  /** How a program uses it that does so without heddle: `claude -p`. */
  plainName: string;
  /** Takes a home for it, where it finds the scripted model server. */
  settle(modelServerUrl: string): Promise<SettledAgent>;
  /** Writes that many sessions, as the agent does, in a folder that is gone afterwards. */
  writeHistory(size: HistorySize): Promise<WrittenHistory>;
}

/** What an agent is used with, by a daemon and by a program without one. */
export interface AgentUse {
  /** Of a daemon, and of what it starts. */
  env: NodeJS.ProcessEnv;
  /** The agent's table of host.toml. */
  toml: string;
  /** The folder to work in. */
  cwd: string;
  startPlain(): Promise<PlainAgent>;
}

export interface SettledAgent extends AgentUse {
  /** The same, with a tap at each place where something leaves the agent: what has left it, and when, is told with the rest. */
  tapped<T>(measure: (use: AgentUse) => Promise<T>): Promise<{ measured: T; notes: TapNotes }>;
  /** Nobody uses it any more: everything is given back. */
  end(): Promise<void>;
}

/** An agent as a program has it that knows the agent's own way. */
export interface PlainAgent {
  /** For one answer, and no more: in a new session, or in one that is stored. Times count from this call on. */
  ask(said: string, sessionId?: string): Promise<{ answer: TimedText[]; sessionId: string }>;
  /** A new session that goes on. */
  begin(): Promise<PlainSession>;
  end(): Promise<void>;
}

interface PlainSession {
  /** Resolves with the answer when it has ended. Times count from this call on. */
  turn(said: string): Promise<TimedText[]>;
  end(): Promise<void>;
}

export interface HistorySize {
  sessions: number;
  folders: number;
  /**
   * Of each session, so that there is more of it than a list shows; fewer where a list asks for sessions and not for what
   * is in them. A turn has two items: a message of the user's, and an edit of a file.
   */
  turns: number;
}

export interface WrittenHistory {
  /** heddle's store of this agent, which has seen nothing yet. */
  openStore(): Promise<ThreadStore>;
  /** Writes one more session. */
  add(turns: number): Promise<ThreadId>;
  remove(): Promise<void>;
}

/** Measures with a plain agent that is ended afterwards, whatever comes. */
export async function withPlain<T>(use: AgentUse, measure: (agent: PlainAgent) => Promise<T>): Promise<T> {
  const agent = await use.startPlain();
  try {
    return await measure(agent);
  } finally {
    await agent.end();
  }
}
