// Owns what the conformance scenarios need to know about pi. How it is reached is the caller's business.

import { type AgentUnderTest, allFeatures } from '../../conformance/agent-under-test.ts';
import type { ModelServer } from '../../model-server/server.ts';
import { piPrompts } from './pi-prompts.ts';

export interface PiAccess extends Pick<AgentUnderTest, 'connect' | 'kill'> {
  modelServer: ModelServer;
}

export function piUnderTest({ connect, kill, modelServer }: PiAccess): AgentUnderTest {
  return {
    name: 'pi',
    connect,
    kill,
    death: 'turnFails', // each thread has a process of its own
    prompts: piPrompts(modelServer),
    threadStart: { approvalPolicy: 'untrusted' },
    features: { ...allFeatures, plan: { missing: 'pi has no todo list' } },
    ownModel: 'fake/fake-2', // only the scratch home's models.json has it
    orderExceptions: [],
  };
}
