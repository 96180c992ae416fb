// Owns the configuration that heddle gives to the server it starts, on top of the user's own: opencode asks before it
// acts, and may be run on a model server of one's own. The user's files are neither read by heddle nor written. Pure.
// Source: opencode 1.18.33: OPENCODE_CONFIG_CONTENT counts more than every file, and is merged with them.

import { type Fields, fieldsOf, textOf } from '@heddle/bridge-kit';

/** An OpenAI-compatible server that opencode is run on, instead of what the user's own configuration says. */
export interface OpencodeEngine {
  /** `http://127.0.0.1:8080/v1`. */
  readonly baseUrl: string;
  readonly model: string;
  /** The environment variable that holds the server's key. */
  readonly apiKeyEnv: string | undefined;
  /** In tokens. */
  readonly contextWindow: number | undefined;
  /** opencode's agent for new threads. */
  readonly agent: 'build' | 'plan';
}

/** The provider under which a model server of one's own is known to opencode. */
const ENGINE_PROVIDER = 'heddle';

/** What changes something, or leaves the computer, and what opencode does without asking unless it is told otherwise. */
const guarded = ['bash', 'edit', 'webfetch', 'websearch'] as const;
/**
 * opencode's own agents that may not edit. The configuration says so of each again: what it says of all agents stands
 * behind what opencode says of these, and would count more.
 */
export const readOnlyAgents = ['plan', 'explore'] as const;
/** Where opencode's plan agent keeps its plans. */
const PLAN_FILES = '.opencode/plans/*.md';
const ENGINE_CONTEXT_WINDOW = 32_768;
const ENGINE_OUTPUT = 8_192;

/**
 * The configuration of a server, as JSON for OPENCODE_CONFIG_CONTENT.
 * @param content what the user has there already; JSON
 * @param own the user's configuration as opencode has put it together
 */
export function serverConfiguration(content: string | undefined, own: Fields, engine: OpencodeEngine | undefined): string {
  const given = content === undefined ? {} : parsed(content);
  const asked = merged(given, safeConfiguration(own));
  return JSON.stringify(engine === undefined ? asked : merged(asked, engineConfiguration(engine)));
}

/** The permissions of which the user says nothing, and which opencode would take for granted. */
export function unsaidPermissions(own: Fields): string[] {
  const permission = fieldsOf(own['permission']);
  const ofServers = Object.keys(fieldsOf(own['mcp'])).map((name) => `${name.replaceAll(/[^\w-]/g, '_')}_*`);
  const isOpen = ['allow', undefined].includes(textOf(permission['*']));
  return isOpen ? [...guarded, ...ofServers].filter((name) => !(name in permission)) : [];
}

/** What the user says of a permission counts; of the rest opencode asks. */
function safeConfiguration(own: Fields): Fields {
  const agents = readOnlyAgents.filter((name) => !('edit' in fieldsOf(fieldsOf(fieldsOf(own['agent'])[name])['permission'])));
  return {
    // Else a turn would end when one of two calls is declined: opencode then takes the other for declined without a word.
    experimental: { continue_loop_on_deny: true },
    permission: Object.fromEntries(unsaidPermissions(own).map((name) => [name, 'ask'])),
    agent: Object.fromEntries(agents.map((name) => [name, { permission: { edit: editRuleOf(name) } }])),
  };
}

function editRuleOf(agent: (typeof readOnlyAgents)[number]): unknown {
  return agent === 'plan' ? { '*': 'deny', [PLAN_FILES]: 'ask' } : 'deny';
}

function engineConfiguration({ baseUrl, model, apiKeyEnv, contextWindow = ENGINE_CONTEXT_WINDOW, agent }: OpencodeEngine): Fields {
  const limit = { context: contextWindow, output: Math.min(ENGINE_OUTPUT, Math.floor(contextWindow / 4)) };
  return {
    provider: {
      [ENGINE_PROVIDER]: {
        npm: '@ai-sdk/openai-compatible',
        name: 'Own model server',
        // opencode itself looks the key up in its environment.
        options: { baseURL: baseUrl, apiKey: apiKeyEnv === undefined ? 'none' : `{env:${apiKeyEnv}}` },
        models: { [model]: { name: model, tool_call: true, limit } },
      },
    },
    enabled_providers: [ENGINE_PROVIDER],
    disabled_providers: [],
    model: `${ENGINE_PROVIDER}/${model}`,
    small_model: `${ENGINE_PROVIDER}/${model}`,
    default_agent: agent,
    share: 'disabled',
  };
}

/** @param text JSON; what is none is for opencode to complain of */
function parsed(text: string): Fields {
  try {
    const fields = fieldsOf(JSON.parse(text));
    const all = textOf(fields['permission']); // for everything
    return all === undefined ? fields : { ...fields, permission: { '*': all } };
  } catch {
    return {};
  }
}

/** Objects are merged, everything else is replaced. */
function merged(below: Fields, above: Fields): Fields {
  const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
  const entries = Object.entries(above).map(([key, value]) => {
    return [key, isObject(value) ? merged(fieldsOf(below[key]), fieldsOf(value)) : value] as const;
  });
  return { ...below, ...Object.fromEntries(entries) };
}
