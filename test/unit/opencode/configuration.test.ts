// What heddle adds to the user's configuration of opencode, and to sessions of a server of somebody else's.

import { describe, expect, it } from 'vitest';
import { serverConfiguration } from '../../../packages/bridges/src/opencode/server/configuration.ts';
import { missingRules } from '../../../packages/bridges/src/opencode/session-rules.ts';

const made = (...given: Parameters<typeof serverConfiguration>) => JSON.parse(serverConfiguration(...given)) as Record<string, unknown>;

describe('the configuration of heddle’s own server', () => {
  it('asks before anything that changes something, where the user says nothing', () => {
    expect(made(undefined, {}, undefined)).toEqual({
      experimental: { continue_loop_on_deny: true },
      permission: { bash: 'ask', edit: 'ask', webfetch: 'ask', websearch: 'ask' },
      agent: {
        plan: { permission: { edit: { '*': 'deny', '.opencode/plans/*.md': 'ask' } } },
        explore: { permission: { edit: 'deny' } },
      },
    });
  });

  it('leaves alone what the user says of a permission, and keeps the user’s own content', () => {
    const own = {
      permission: { bash: { '*': 'allow', 'rm *': 'deny' } },
      agent: { plan: { permission: { edit: 'ask' } } },
      mcp: { 'my docs': {} },
    };
    const content = JSON.stringify({ theme: 'dark', permission: own.permission, agent: { plan: own.agent.plan } });
    expect(made(content, own, undefined)).toEqual({
      theme: 'dark',
      experimental: { continue_loop_on_deny: true },
      permission: { ...own.permission, edit: 'ask', webfetch: 'ask', websearch: 'ask', 'my_docs_*': 'ask' },
      agent: { plan: { permission: { edit: 'ask' } }, explore: { permission: { edit: 'deny' } } },
    });
  });

  it('makes nothing laxer for somebody who is asked about, or denies, everything', () => {
    for (const all of ['deny', 'ask']) {
      const content = JSON.stringify({ permission: all });
      expect(made(content, { permission: { '*': all } }, undefined)['permission']).toEqual({ '*': all });
    }
  });

  it('names a model server of one’s own and no other, and the place of its key, not the key', () => {
    const engine = {
      baseUrl: 'http://127.0.0.1:8080/v1',
      model: 'own:7b',
      apiKeyEnv: 'OWN_KEY',
      contextWindow: undefined,
      agent: 'plan' as const,
    };
    expect(made(JSON.stringify({ model: 'other/one', disabled_providers: ['heddle'] }), {}, engine)).toMatchObject({
      model: 'heddle/own:7b',
      small_model: 'heddle/own:7b',
      enabled_providers: ['heddle'],
      disabled_providers: [],
      default_agent: 'plan',
      provider: {
        heddle: {
          npm: '@ai-sdk/openai-compatible',
          options: { baseURL: 'http://127.0.0.1:8080/v1', apiKey: '{env:OWN_KEY}' },
          models: { 'own:7b': { tool_call: true, limit: { context: 32_768, output: 8_192 } } },
        },
      },
    });
  });
});

describe('rules for a session', () => {
  const ask = (permission: string) => ({ permission, pattern: '*', action: 'ask' as const });

  const foreign = (agent?: string) => ({ agent, isForeign: true });

  it('are added where they are missing, and the last one counts', () => {
    const known = ['bash', 'edit', 'webfetch', 'websearch', 'task'].map(ask);
    expect(missingRules([], {}, foreign())).toEqual(known);
    expect(missingRules(known, {}, foreign('build'))).toEqual([]);
    const planned = [...known, ...missingRules(known, {}, foreign('plan'))];
    expect(planned.at(-1)).toEqual({ permission: 'edit', pattern: '*', action: 'deny' });
    expect(missingRules(planned, {}, foreign('build'))).toEqual([ask('edit')]);
  });

  it('leave alone what the user says', () => {
    const permission = { bash: 'allow', edit: 'deny', webfetch: 'allow', websearch: 'allow', task: 'allow' };
    expect(missingRules([], { permission }, foreign())).toEqual([]);
  });

  it('are about the tools of a project, and about sub-agents that could use them, on a server of heddle’s own', () => {
    const permission = { bash: 'ask', edit: 'ask', webfetch: 'ask', websearch: 'ask' };
    const configuration = { permission, mcp: { docs: {} } };
    expect(missingRules([], configuration, { agent: undefined, isForeign: false })).toEqual([ask('docs_*'), ask('task')]);
    const none = { permission: { ...permission, 'docs_*': 'ask' }, mcp: { docs: {} } };
    expect(missingRules([], none, { agent: undefined, isForeign: false })).toEqual([]);
  });
});
