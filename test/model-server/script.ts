// Owns what the scripted model says: a directive in the user's own prompt, turned into one step per request.
// Pure: it keeps no state, so resumed, forked and parallel sessions of an agent work by themselves.
// It knows no model API; those are the dialects.

/** What a step wants done, in no agent's words; tools.ts finds the tool of the agent at hand that does it. */
export type ToolWish =
  | { kind: 'shell'; command: string /** Ask to leave the sandbox, where the agent's tool can. */; escalated?: boolean }
  | { kind: 'write'; path: string; content: string }
  | { kind: 'edit'; path: string; old: string; new: string }
  | { kind: 'plan'; items: PlanItem[]; explanation?: string };
export interface PlanItem {
  step: string;
  status: 'pending' | 'in_progress' | 'completed';
}

/** A piece of text, or a gate: the answer stops there until the test releases it. */
export type TextPart = string | { wait: string };

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
  /** Answer with this HTTP status instead. */
  error?: { status: number; message?: string; retry_after?: number };
  /** After the text: never finish, or drop the connection. */
  hang?: boolean;
  cut?: boolean;
  usage?: Partial<StepUsage>;
}
export interface StepUsage {
  input: number;
  cached: number;
  output: number;
  reasoning: number;
}

/** A conversation as any model API carries it, without its instructions. */
export interface ConversationTurn {
  from: 'user' | 'model' | 'tool';
  text: string;
}

export interface ChosenStep {
  step: Step;
  /** Which script it is from: a name, `inline`, or why there was none. */
  script: string;
  /** Which answer of that script, from 0. */
  index: number;
}

const stepKeys = {
  think: true,
  text: true,
  tools: true,
  wait: true,
  delay_ms: true,
  chunk_ms: true,
  error: true,
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
    return { step: steps[index] ?? exhausted, script, index };
  }
  return { step: hello, script: 'no directive', index: 0 };
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
