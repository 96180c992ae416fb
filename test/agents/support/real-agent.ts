// Owns the contract between the proofs and a real agent: its home for one test run, how a daemon and a person at a
// terminal start it, and what is known of it. A new agent is proven by writing one of these.

import type { AgentUnderTest } from '../../conformance/agent-under-test.ts';
import type { ModelServer } from '../../model-server/server.ts';

/** A real agent in a home of its own, which talks to the scripted model server. */
export interface RealAgent {
  /** As in host.toml: `claude`. */
  name: string;
  modelServer: ModelServer;
  /** Its table of host.toml; further lines may follow. */
  toml: string;
  /** What it is started with, by a daemon or in a terminal. */
  env: NodeJS.ProcessEnv;
  /** Whether a process with these arguments is one through which a daemon drives it. */
  isDriven(args: string): boolean;
  /** How the conformance scenarios see it. */
  underTest(access: Pick<AgentUnderTest, 'connect' | 'kill'>): AgentUnderTest;
  terminal: {
    /** Its own program says this, without heddle, in a session or in a new one. @returns what it printed */
    say(words: string, where: { cwd: string; threadId?: string }): Promise<string>;
    /** What takes a thread back to a terminal, as the thread tells it. */
    resumeCommand(threadId: string, cwd: string): string;
  };
  /** A model that is not the default: what lists call it, its name on the model server, whether it has efforts. */
  otherModel: { title: string; name: string; hasEfforts: boolean };
  /** What else it wants before a client may choose that it acts without asking. */
  fullAccessEnv?: NodeJS.ProcessEnv;
  /** Everything is given back. No daemon of it runs any more. */
  end(): Promise<void>;
}
