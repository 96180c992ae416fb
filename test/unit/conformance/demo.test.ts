// The demo bridge runs the scenarios that the real agents run, in this process and without any network.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Bridge } from '@heddle/bridge-kit';
import { silentLog } from '@heddle/rpc';
import { afterAll, beforeAll } from 'vitest';
import { createDemoBridge } from '../../../packages/bridges/src/demo/bridge.ts';
import type { AgentUnderTest } from '../../conformance/agent-under-test.ts';
import { defineConformance } from '../../conformance/conformance.ts';

let bridge: Bridge;
let runtimeDir: string;
beforeAll(async () => {
  runtimeDir = await mkdtemp(path.join(tmpdir(), 'heddle-demo-run-'));
  const launchEnv = () => Promise.resolve(process.env);
  bridge = createDemoBridge({ log: silentLog, launchEnv, runtimeDir, stateDir: runtimeDir, heddleVersion: '0.1.0' });
});
afterAll(async () => {
  await bridge.close();
  await rm(runtimeDir, { recursive: true, force: true });
});

const demo: AgentUnderTest = {
  name: 'demo',
  connect: () => bridge.open(),
  // There is no process to kill: a restart ends all that the demo has, in whatever it does.
  kill: () => bridge.restart(),
  death: 'sessionEnds',
  prompts: {
    text: (words) => `text: ${words}`,
    reasoning: () => 'reason',
    plan: () => 'plan',
    command: (shellText) => `command: ${shellText}`,
    addFile: () => 'file',
    changeFile: () => 'file',
    slow: () => ({ prompt: 'slow 40', release: () => {} }),
    countImages: () => 'text: I see 0.',
    failures: { 'its own failure': () => 'fail' },
  },
  threadStart: { approvalPolicy: 'untrusted' },
  features: {
    reasoning: true,
    plan: true,
    steer: true,
    fork: true,
    rollback: true,
    rename: true,
    archive: true,
    turnsList: true,
    images: { missing: 'the script reads no pictures' },
    usage: true,
    liveModels: { missing: 'there is one script' },
    threadsOutliveAgent: true,
  },
  orderExceptions: [],
};

defineConformance(() => demo);
