// Owns the contract between the conformance scenarios and an agent: how to reach it, what to write so that it does
// something, and what it is known to do differently. A new agent is tested by writing one of these, and nothing else.

import type { Channel } from '@heddle/rpc';
import type { ThreadStartParams } from '@heddle/wire';
import type { OrderException } from './order.ts';

/** What to write to the agent so that it does what the name says. */
export interface Prompts {
  /** It answers with exactly these words and does nothing else. One line; any character. */
  text(words: string): string;
  /** It reasons before it answers. */
  reasoning(): string;
  /** It shows a plan (a todo list), then answers. */
  plan(): string;
  /** It runs this shell command in the thread's folder, asking first, then answers. */
  command(shellText: string): string;
  /** It adds a file to the thread's folder, asking first. */
  addFile(): string;
  /** It changes the file that `addFile` has added, asking first. */
  changeFile(): string;
  /**
   * It streams some words, then takes its time until `release` is called. Where nothing can be released it may go on
   * by itself, slowly enough that a client can act in between.
   */
  slow(): { prompt: string; release(): void };
  /** It answers with exactly `I see 1.`: the number of images that came with the message. */
  countImages(): string;
  /** Ways in which a turn fails; the thread must be usable afterwards. By name, at least one. */
  failures: Record<string, () => string>;
}

/** Something that not every agent can do. */
export type FeatureName =
  | 'reasoning'
  | 'plan'
  | 'steer'
  | 'fork'
  | 'rollback'
  | 'rename'
  | 'archive'
  | 'turnsList'
  | 'images'
  | 'usage'
  | 'liveModels'
  | 'threadsOutliveAgent';
/** `missing` says why. The scenario then asserts that it is refused or does not happen; it is not skipped. */
export type Feature = true | { missing: string };

/** Of an agent that can do everything. */
export const allFeatures: Readonly<Record<FeatureName, Feature>> = {
  reasoning: true,
  plan: true,
  steer: true,
  fork: true,
  rollback: true,
  rename: true,
  archive: true,
  turnsList: true,
  images: true,
  usage: true,
  liveModels: true,
  threadsOutliveAgent: true,
};

export interface AgentUnderTest {
  name: string;
  /** Opens one more session to the same agent. Nothing has been sent on it. */
  connect(clientName: string): Promise<Channel>;
  prompts: Prompts;
  /** For thread/start; the scenarios add `cwd`. The agent must ask before commands and file changes. */
  threadStart: ThreadStartParams;
  features: Record<FeatureName, Feature>;
  /** Id of a model that only the configuration of this test knows, if the agent's list can be configured. */
  ownModel?: string;
  /** Where it leaves the ordering rules, each with the reason. */
  orderExceptions: readonly OrderException[];
  /** Ends the agent as hard as it can be ended (SIGKILL where it is a process), in whatever it does. */
  kill(): Promise<void>;
  /**
   * What sessions see of that: `sessionEnds` with `agent_exited` where all threads live in the process that died,
   * `turnFails` where the process was one thread's own.
   */
  death: 'sessionEnds' | 'turnFails';
}
