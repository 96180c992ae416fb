// Owns the prompts that make pi do something: what the scripted model says, by the names of pi's own tools.

import { randomUUID } from 'node:crypto';
import type { Prompts } from '../../conformance/agent-under-test.ts';
import { prompt } from '../../model-server/script.ts';
import type { ModelServer } from '../../model-server/server.ts';
import { scriptedPrompts } from './scripted-prompts.ts';

/** For the conformance scenarios. */
export function piPrompts(server: ModelServer): Prompts {
  const common = scriptedPrompts(server, () => randomUUID());
  return {
    ...common,
    // pi has no tool for a plan: it says one.
    plan: () => prompt('Plan it.', { text: 'Look, act, check.' }),
    failures: {
      ...common.failures,
      'HTTP 400': () => prompt('Fail.', { error: { status: 400 } }),
      'HTTP 429': () => prompt('Fail.', { error: { status: 429, retry_after: 0 } }),
    },
  };
}
