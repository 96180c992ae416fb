// Owns what the scripted model says: a directive in the user's own prompt, turned into one step per request.
// Pure: it keeps no state, so resumed, forked and parallel sessions of an agent work by themselves.
// It knows no model API; those are the dialects.

/** What a step wants done, in no agent's words; tools.ts finds the tool of the agent at hand that does it. */
export type ToolWish =
  | ShellWish
  | { kind: 'read'; path: string }
  | { kind: 'write'; path: string | PathInConversation; content: string }
  | { kind: 'edit'; path: string; old: string; new: string }
  | { kind: 'plan'; items: PlanItem[]; explanation?: string }
  | SubAgentWish
  /** A tool by the agent's own name for it, an MCP tool too. The input is sent as it is. */
  | { kind: 'call'; name: string; input: Record<string, unknown> };
/** A path that the agent has told the model: the word that follows these, where they come last. */
export interface PathInConversation {
  after: string;
}
export interface ShellWish {
  kind: 'shell';
  command: string;
  /** Ask to leave the sandbox. The agent's tool must have a parameter for it, and for `background`. */
  escalated?: boolean;
  background?: boolean;
}
/** A sub-agent has a conversation of its own: its prompt is a directive with these steps. */
export interface SubAgentWish {
  kind: 'subagent';
  description: string;
  steps: Step[];
  /** What the agent calls this type of sub-agent. */
  type?: string;
  background?: boolean;
}
export interface PlanItem {
  step: string;
  status: 'pending' | 'in_progress' | 'completed';
}

/** A piece of text; a gate, where the answer stops until the test releases it; how many images the message had. */
export type TextPart = string | { wait: string } | { count: 'images' };

/** One answer of the model. It comes in the order think, text, tools. */
export interface Step {
  /** Reasoning; a list gives one summary part each. */
  think?: string | string[];
  text?: string | TextPart[];
  tools?: ToolWish[];
  /** A gate before the first byte. */
  wait?: string;
  /** Pause before the first byte, and after each chunk. */
  delay_ms?: number;
  chunk_ms?: number;
  /** Answer with this HTTP status instead: always, or so many times before the rest of the step. */
  error?: { status: number; message?: string; retry_after?: number; times?: number };
  /** Why the model stops, unless it is done or calls tools. */
  stop?: StopReason;
  /** After the text: never finish, or drop the connection (always, or so many times before it goes well). */
  hang?: boolean;
  cut?: boolean | { times: number };
  usage?: Partial<StepUsage>;
}
export type StopReason = 'max_tokens' | 'refusal';
export interface StepUsage {
  /** With `cached`, which is a part of it. */
  input: number;
  cached: number;
  output: number;
  reasoning: number;
}

/** A conversation as any model API carries it, without its instructions. */
export interface ConversationTurn {
  from: 'user' | 'model' | 'tool';
  text: string;
  images?: readonly ReceivedImage[];
}

export interface ReceivedImage {
  mediaType: string;
  base64: string;
}

export interface ChosenStep {
  step: Step;
  /** Which script it is from: a name, `inline`, or why there was none. */
  script: string;
  /** Which answer of that script, from 0. */
  index: number;
  /** How many images came with the message that holds the script. */
  imageCount: number;
}

const stepKeys = {
  think: true,
  text: true,
  tools: true,
  wait: true,
  delay_ms: true,
  chunk_ms: true,
  error: true,
  stop: true,
  hang: true,
  cut: true,
  usage: true,
} as const satisfies Record<keyof Step, true>;

const hello: Step = { text: 'Hello from the scripted model.' };
const exhausted: Step = { text: 'Done.' };

/** Scripts with a name, for a person who tries an agent by hand: `@@fake:think@@`. */
export const namedScripts = {
  text: [hello],
  think: [{ think: 'Let me think about this step by step.', text: 'The answer is 42.' }],
  shell: [{ tools: [{ kind: 'shell', command: 'echo scripted' }] }, { text: 'The command ran.' }],
  write: [{ tools: [{ kind: 'write', path: 'hello.txt', content: 'hello\nworld\n' }] }, { text: 'The file is written.' }],
  plan: [{ tools: [{ kind: 'plan', items: [{ step: 'Look', status: 'in_progress' }] }] }, { text: 'The plan is made.' }],
  slow: [{ text: 'tick '.repeat(200), chunk_ms: 200 }],
  hang: [{ text: 'This never ends', hang: true }],
  http500: [{ error: { status: 500 } }],
  http401: [{ error: { status: 401 } }],
  overflow: [{ error: { status: 400, message: 'prompt is too long: 250000 tokens > 200000 maximum' } }],
  refusal: [{ text: 'No.', stop: 'refusal' }],
  cut: [{ text: 'This stream will be cut', cut: true }],
} as const satisfies Record<string, Step[]>;

const directivePattern = /@@fake(?::([\w-]+)|\s+(\[[\s\S]*?\]|\{[\s\S]*?\}))@@/g;

/** The prompt that makes the model take these steps, one for each request that the agent makes. */
export function prompt(words: string, steps: Step | Step[]): string {
  return `${words} @@fake ${JSON.stringify(steps)}@@`;
}

/**
 * The step that answers this conversation: the last directive in a user's message counts, and the step's number
 * is how often the model has answered since.
 * @throws Error with what is wrong in a directive.
 */
export function chooseStep(turns: readonly ConversationTurn[]): ChosenStep {
  for (let at = turns.length - 1; at >= 0; at--) {
    const turn = turns[at];
    if (turn?.from !== 'user') continue;
    const found = [...turn.text.matchAll(directivePattern)].at(-1);
    if (found === undefined) continue;
    const { script, steps } = readDirective(found[1], found[2]);
    const index = countAnswers(turns.slice(at + 1));
    return { step: steps[index] ?? exhausted, script, index, imageCount: turn.images?.length ?? 0 };
  }
  return { step: hello, script: 'no directive', index: 0, imageCount: 0 };
}

/** What the model says in one go may be several turns of the conversation (a reasoning, a text, two calls). */
function countAnswers(turns: readonly ConversationTurn[]): number {
  return turns.filter((turn, at) => turn.from === 'model' && turns[at - 1]?.from !== 'model').length;
}

function readDirective(name: string | undefined, json: string | undefined): { script: string; steps: readonly Step[] } {
  if (name !== undefined) {
    if (!Object.hasOwn(namedScripts, name))
      throw new Error(`no script is named "${name}": there are ${Object.keys(namedScripts).join(', ')}`);
    return { script: name, steps: namedScripts[name as keyof typeof namedScripts] };
  }
  let value: unknown;
  try {
    value = JSON.parse(json ?? '');
  } catch (cause) {
    throw new Error(`the directive is not JSON: ${json}`, { cause });
  }
  const steps = Array.isArray(value) ? value : [value];
  return { script: 'inline', steps: steps.map(asStep) };
}

function asStep(value: unknown): Step {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`a step must be an object, not ${JSON.stringify(value)}`);
  const unknown = Object.keys(value).find((key) => !Object.hasOwn(stepKeys, key));
  if (unknown !== undefined) throw new Error(`a step has no "${unknown}": it may have ${Object.keys(stepKeys).join(', ')}`);
  return value;
}
