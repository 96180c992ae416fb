// Owns what the conformance scenarios need to know about codex. How it is reached is the caller's business.

import { randomUUID } from 'node:crypto';
import { type AgentUnderTest, allFeatures } from '../../conformance/agent-under-test.ts';
import { codexOrderExceptions } from '../../conformance/codex-exceptions.ts';
import type { ModelServer } from '../../model-server/server.ts';
import { ownCodexModel } from './codex-home.ts';
import { scriptedPrompts } from './scripted-prompts.ts';

export interface CodexAccess extends Pick<AgentUnderTest, 'connect' | 'kill'> {
  modelServer: ModelServer;
  /** Tells agents apart when several run the scenarios. */
  name?: string;
}

export function codexUnderTest({ connect, kill, modelServer, name = 'codex' }: CodexAccess): AgentUnderTest {
  return {
    name,
    connect,
    kill,
    death: 'sessionEnds',
    prompts: scriptedPrompts(modelServer, () => randomUUID()),
    // Nothing is sandboxed: the scenarios are about asking, and not every machine has what codex's sandbox needs.
    threadStart: { approvalPolicy: 'untrusted', sandbox: 'danger-full-access' },
    features: allFeatures,
    ownModel: ownCodexModel,
    orderExceptions: codexOrderExceptions,
  };
}
