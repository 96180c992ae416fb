// Owns what the conformance scenarios need to know about claude. How it is reached is the caller's business.

import { type AgentUnderTest, allFeatures } from '../../conformance/agent-under-test.ts';
import type { ModelServer } from '../../model-server/server.ts';
import { claudePrompts } from './claude-prompts.ts';

/** Offered because ANTHROPIC_CUSTOM_MODEL_OPTION names it. */
export const ownModel = 'claude-of-this-test';

export interface ClaudeAccess extends Pick<AgentUnderTest, 'connect' | 'kill'> {
  modelServer: ModelServer;
}

export function claudeUnderTest({ connect, kill, modelServer }: ClaudeAccess): AgentUnderTest {
  return {
    name: 'claude',
    connect,
    kill,
    death: 'turnFails', // each thread has a process of its own
    prompts: claudePrompts(modelServer),
    threadStart: { approvalPolicy: 'untrusted' },
    features: allFeatures,
    ownModel,
    orderExceptions: [
      {
        rule: 'R9',
        reason: 'the turn in which a sub-agent in the background asks for leave asks no model of its own',
        applies: ({ text }) => text.includes('turn toolu_'), // it has the id of the call that is asked about
      },
    ],
  };
}
