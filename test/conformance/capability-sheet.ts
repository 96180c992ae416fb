// Owns the capability sheet: what each agent has been seen to do in the scenarios. A feature is noted when a scenario
// that asserts it, or its absence, has passed. The sheet that ships is compared with it, or written from it when
// HEDDLE_WRITE_CAPABILITIES is set.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { AgentUnderTest, FeatureName } from './agent-under-test.ts';

/** What ships: each agent's name with what it can do. */
const sheetFile = fileURLToPath(new URL('../../packages/bridges/src/capability-sheet.json', import.meta.url));

/** What a client wants to know beforehand, in the order in which it is shown; the rest it finds out by asking. */
const published = {
  steer: 'steer',
  fork: 'fork',
  rollback: 'rollback',
  images: 'images',
  plan: 'plan',
  reasoning: 'reasoning',
  usage: 'usage',
  liveModels: 'live_models',
} as const satisfies Partial<Record<FeatureName, string>>;

type Sheet = Record<string, Record<string, boolean | string>>;

const noted = new Map<string, Map<FeatureName, boolean>>();
const asking = new Set<string>();

/** A scenario has seen that the agent asks, and does not act when it is told no. */
export function noteApprovals(agent: AgentUnderTest): void {
  asking.add(agent.name);
}

/** A scenario that asserts this feature, or its absence, has passed. */
export function noteFeature(agent: AgentUnderTest, feature: FeatureName): void {
  const features = noted.get(agent.name) ?? new Map<FeatureName, boolean>();
  features.set(feature, agent.features[feature] === true);
  noted.set(agent.name, features);
}

/** Compares what ships with what the scenarios of this run have shown. Every published feature must have been shown. */
export function checkCapabilitySheet(name: string): void {
  const seen = noted.get(name) ?? new Map<FeatureName, boolean>();
  expect(asking, 'no scenario has shown that it asks before it acts').toContain(name);
  const features = Object.entries(published).map(([feature, key]) => [key, seen.get(feature as FeatureName)] as const);
  const capabilities = {
    approvals: 'before',
    ...Object.fromEntries(features.map(([key, isThere]) => [key, isThere ?? 'not shown by any scenario'])),
  };
  if (process.env['HEDDLE_WRITE_CAPABILITIES'] !== undefined && !Object.values(capabilities).includes('not shown by any scenario')) {
    const sheet: Sheet = { ...readSheet(), [name]: capabilities };
    const inOrder = Object.fromEntries(Object.entries(sheet).toSorted(([one], [other]) => (one < other ? -1 : 1)));
    writeFileSync(sheetFile, `${JSON.stringify(inOrder, null, 2)}\n`);
  }
  expect(readSheet()[name], `run \`npm run capabilities\`: ${name} can do something else than ${sheetFile} says`).toEqual(capabilities);
}

function readSheet(): Sheet {
  return JSON.parse(readFileSync(sheetFile, 'utf8')) as Sheet;
}
