// Owns what the conformance scenarios need to know about opencode. How it is reached is the caller's business.

import { type AgentUnderTest, allFeatures } from '../../conformance/agent-under-test.ts';
import type { ModelServer } from '../../model-server/server.ts';
import { opencodePrompts } from './opencode-prompts.ts';

export interface OpencodeAccess extends Pick<AgentUnderTest, 'connect' | 'kill'> {
  modelServer: ModelServer;
}

export function opencodeUnderTest({ connect, kill, modelServer }: OpencodeAccess): AgentUnderTest {
  return {
    name: 'opencode',
    connect,
    kill,
    death: 'turnFails', // sessions are the hub's, and its threads live in opencode's database
    prompts: opencodePrompts(modelServer),
    threadStart: { approvalPolicy: 'untrusted' },
    features: allFeatures,
    ownModel: 'fake/fake-2',
    orderExceptions: [],
  };
}
