// Owns the list of what every agent must do on the wire. The scenarios are the same for all; how an agent is reached
// and what it is known for is in its AgentUnderTest.

import { describe, it } from 'vitest';
import type { AgentUnderTest } from './agent-under-test.ts';
import { checkCapabilitySheet } from './capability-sheet.ts';
import { defineAbilities } from './scenarios/abilities.ts';
import { defineApprovals } from './scenarios/approvals.ts';
import { defineControl } from './scenarios/control.ts';
import { defineDeath } from './scenarios/death.ts';
import { defineHandshake } from './scenarios/handshake.ts';
import { defineHistory } from './scenarios/history.ts';
import { defineSharing } from './scenarios/sharing.ts';
import { defineThreads } from './scenarios/threads.ts';
import { defineTurns } from './scenarios/turns.ts';

/** @param agent asked for once in each test, so that it may be made in a `beforeAll`. */
export function defineConformance(agent: () => AgentUnderTest): void {
  describe('handshake', () => defineHandshake(agent));
  describe('turns', () => defineTurns(agent));
  describe('approvals', () => defineApprovals(agent));
  describe('interrupt and steer', () => defineControl(agent));
  describe('list, read and resume', () => defineHistory(agent));
  describe('fork, name, archive, unsubscribe', () => defineThreads(agent));
  describe('several clients', () => defineSharing(agent));
  describe('input and account', () => defineAbilities(agent));
  describe('death of the agent', () => defineDeath(agent));
  // Last, because it looks at what all the others have shown.
  it('can do what its capability sheet says', () => checkCapabilitySheet(agent().name));
}
