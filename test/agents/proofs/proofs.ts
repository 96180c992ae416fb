// Owns what every real agent behind the thread hub has to prove beyond the conformance scenarios: what people answer, what
// is cut and killed, what goes on in a terminal and in a new daemon, and how all of it looks in the Codex TUI. What only
// one agent has is in its own tests.

import { describe } from 'vitest';
import { type Prepared, prepareAgent } from '../support/agent-daemon.ts';
import type { RealAgent } from '../support/real-agent.ts';
import { defineAnswers } from './answers.ts';
import { defineDaemons } from './daemons.ts';
import { defineLife } from './life.ts';
import { defineTerminal } from './terminal.ts';

/** What the proofs work with: a daemon that is there for all of them, and its agent. */
export type Proven = Prepared<RealAgent>;

/** @param make called once, before the first proof */
export function defineProofs(make: () => Promise<RealAgent>): void {
  const proven = prepareAgent(make);
  describe('what people answer', () => defineAnswers(proven));
  describe('what is cut, and what dies', () => defineLife(proven));
  describe('its own program in a terminal', () => defineTerminal(proven));
  describe('the daemon', () => defineDaemons(proven));
}
