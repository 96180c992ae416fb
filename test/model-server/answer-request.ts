// Owns one answer of the scripted model: the step of the script is chosen, waits at its gates, and is said in the
// words of the dialect. HTTP's paths are the server's business.

import type { ServerResponse } from 'node:http';
import { type Answer, chunksOf, type Dialect, EventStream, type ModelRequest, usageOf } from './dialect.ts';
import type { Gates } from './gates.ts';
import { type LoggedRequest, loggedRequest } from './logged-request.ts';
import { chooseStep, type ChosenStep, type Step } from './script.ts';
import { type JsonSchema, toolCall } from './tools.ts';

export interface AnswerContext {
  gates: Gates;
  requests: LoggedRequest[];
  /** How often each step has gone wrong in a row: the one thing that a conversation does not tell. */
  failures: Map<string, number>;
}

/** @throws Error with what is wrong in the script, before anything is sent. */
export async function answerRequest(
  context: AnswerContext,
  dialect: Dialect,
  asked: ModelRequest,
  response: ServerResponse,
): Promise<void> {
  if (!asked.isStreaming && dialect.wholeBody === undefined) throw new Error(`${dialect.name} is served as a stream only`);
  const chosen = chooseFor(asked);
  const { step } = chosen;
  const entry = loggedRequest(dialect.name, asked, chosen);
  context.requests.push(entry);
  const stream = new EventStream(response, step.chunk_ms ?? 0);
  void stream.gone.then(() => {
    if (entry.outcome === 'open') entry.outcome = 'abandoned';
  });
  const answer: Answer = {
    ...plainParts(chosen, context.gates, stream),
    calls: (step.tools ?? []).map((wish) => toolCall(wish, asked.tools, asked.turns)),
  };
  if (asked.thinking === 'none') answer.think = [];
  if (step.cut !== undefined && step.cut !== false && goesWrong(context, step, step.cut === true ? {} : step.cut)) answer.end = 'cut';
  if (step.delay_ms !== undefined) await new Promise((resolve) => setTimeout(resolve, step.delay_ms));
  if (step.wait !== undefined) await context.gates.pass(step.wait, stream.gone);
  if (stream.isGone) return;
  if (step.error !== undefined && goesWrong(context, step, step.error)) {
    entry.outcome = 'error';
    const { status, message = `the scripted model answers ${status}`, retry_after } = step.error;
    if (retry_after !== undefined) response.setHeader('retry-after', String(retry_after));
    return answerJson(response, status, dialect.errorBody({ status, message }));
  }
  if (answer.end === 'cut') entry.outcome = 'cut';
  response.setHeader('request-id', `req_${context.requests.length}`);
  if (asked.isStreaming) await dialect.write(stream, asked, answer);
  else await answerWhole({ dialect, asked, answer, stream }, response);
  if (!stream.isGone && entry.outcome === 'open') entry.outcome = 'answered';
}

function chooseFor(asked: ModelRequest): ChosenStep {
  if (!asked.isSideJob) return chooseStep(asked.turns);
  const words = 'A side answer.';
  const text = asked.answerSchema === undefined ? words : JSON.stringify(anyValue(asked.answerSchema, words));
  return { step: { text }, script: 'side request', index: 0, imageCount: 0 };
}

/** Some value of the schema, for an answer that nobody has scripted. */
function anyValue(schema: JsonSchema, words: string): unknown {
  const type = [schema.type ?? 'object'].flat()[0];
  if (type === 'object') {
    return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, property]) => [name, anyValue(property, words)]));
  }
  if (type === 'array') return [];
  return type === 'string' ? words : type === 'boolean' ? false : 0;
}

/** Whoever has the very same step shares its count, which begins again when the step has been answered. */
function goesWrong({ failures }: AnswerContext, step: Step, { times }: { times?: number }): boolean {
  if (times === undefined) return true;
  const key = JSON.stringify(step);
  const failed = failures.get(key) ?? 0;
  if (failed < times) failures.set(key, failed + 1);
  else failures.delete(key);
  return failed < times;
}

function plainParts({ step, imageCount }: ChosenStep, gates: Gates, stream: EventStream): Omit<Answer, 'calls'> {
  const parts = step.text === undefined ? undefined : [step.text].flat();
  const counted = parts?.map((part) => (typeof part === 'object' && 'count' in part ? String(imageCount) : part));
  return {
    think: step.think === undefined ? [] : [step.think].flat(),
    text: counted === undefined ? undefined : () => textChunks(counted, gates, stream),
    usage: usageOf(step),
    stop: step.stop,
    end: step.hang === true ? 'hang' : 'complete',
  };
}

async function* textChunks(parts: (string | { wait: string })[], gates: Gates, stream: EventStream): AsyncGenerator<string> {
  for (const part of parts) {
    if (typeof part === 'string') yield* chunksOf(part);
    else await gates.pass(part.wait, stream.gone);
  }
}

interface WholeAnswer {
  dialect: Dialect;
  asked: ModelRequest;
  answer: Answer;
  stream: EventStream;
}
async function answerWhole({ dialect, asked, answer, stream }: WholeAnswer, response: ServerResponse): Promise<void> {
  const body = await dialect.wholeBody?.(asked, answer);
  if (answer.end === 'cut') response.destroy();
  else if (answer.end === 'hang') await stream.gone;
  else if (!stream.isGone) answerJson(response, 200, body);
}

export function answerJson(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
