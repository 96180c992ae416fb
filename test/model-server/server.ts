// Owns the scripted model server: HTTP on 127.0.0.1, one dialect per request path, a log of what was asked.
// Real agents are pointed at it, so that their own code runs and only the model is made up.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Answer, chunksOf, type Dialect, EventStream, type ModelRequest, usageOf } from './dialect.ts';
import { Gates } from './gates.ts';
import { openAiResponses } from './openai-responses.ts';
import { chooseStep, type ChosenStep, type Step } from './script.ts';
import { toolCall } from './tools.ts';

const dialects: readonly Dialect[] = [openAiResponses];

/** One request that an agent made for an answer of the model. */
export interface LoggedRequest {
  dialect: string;
  script: string;
  /** Which step of the script, from 0. */
  step: number;
  tools: string[];
  /** `abandoned`: the agent dropped the connection before the answer was complete, as an interrupted one should. */
  outcome: 'open' | 'answered' | 'error' | 'cut' | 'abandoned';
}

export interface ModelServer {
  /** `http://127.0.0.1:PORT`, without a path; OpenAI's dialects are usually given `${url}/v1`. */
  url: string;
  /** Every request so far, oldest first. */
  requests: readonly LoggedRequest[];
  /** Resolves when an answer waits at the gate with this name. */
  reached(gate: string): Promise<void>;
  release(gate: string): void;
  /** Cuts what is open. */
  close(): Promise<void>;
}

/** Starts a server on a free port of 127.0.0.1. */
export async function startModelServer(options: { port?: number } = {}): Promise<ModelServer> {
  const gates = new Gates();
  const requests: LoggedRequest[] = [];
  const server = createServer((request, response) => {
    handle({ gates, requests }, request, response).catch((error: unknown) => {
      // A fault of ours or of the script: say it where the test looks, in the agent's error message.
      answerJson(response, 400, { error: { message: `scripted model: ${String(error)}`, type: 'invalid_request_error' } });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    reached: (gate) => gates.reached(gate),
    release: (gate) => gates.release(gate),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Context {
  gates: Gates;
  requests: LoggedRequest[];
}

async function handle(context: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = new URL(request.url ?? '/', 'http://localhost').pathname;
  if (path.startsWith('/__')) return control(context, path, response);
  if (request.method === 'GET' && path.endsWith('/models')) return answerJson(response, 200, { object: 'list', data: [] });
  const dialect = dialects.find((each) => path.endsWith(each.pathEnd));
  if (request.method !== 'POST' || dialect === undefined) {
    return answerJson(response, 404, {
      error: { message: `scripted model: nothing at ${request.method} ${path}`, type: 'not_found_error' },
    });
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const asked = dialect.readRequest(JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>);
  if (!asked.isStreaming) throw new Error(`${dialect.name} is served as a stream only`);
  await answer(context, { dialect, asked, chosen: chooseFor(asked) }, response);
}

/** A request that offers no tools is a side job of the agent (a title, a summary): the user's script is not for it. */
function chooseFor(asked: ModelRequest): ChosenStep {
  return asked.tools.length === 0 ? { step: { text: 'A side answer.' }, script: 'side request', index: 0 } : chooseStep(asked.turns);
}

async function answer(
  context: Context,
  { dialect, asked, chosen }: { dialect: Dialect; asked: ModelRequest; chosen: ChosenStep },
  response: ServerResponse,
): Promise<void> {
  const { step } = chosen;
  const entry: LoggedRequest = {
    dialect: dialect.name,
    script: chosen.script,
    step: chosen.index,
    tools: asked.tools.map((tool) => tool.name),
    outcome: 'open',
  };
  context.requests.push(entry);
  const stream = new EventStream(response, step.chunk_ms ?? 0);
  void stream.gone.then(() => {
    if (entry.outcome === 'open') entry.outcome = 'abandoned';
  });
  const calls = (step.tools ?? []).map((wish) => toolCall(wish, asked.tools));
  if (step.delay_ms !== undefined) await new Promise((resolve) => setTimeout(resolve, step.delay_ms));
  if (step.wait !== undefined) await context.gates.pass(step.wait, stream.gone);
  if (stream.isGone) return;
  if (step.error !== undefined) {
    entry.outcome = 'error';
    const { status, message = `the scripted model answers ${status}`, retry_after } = step.error;
    if (retry_after !== undefined) response.setHeader('retry-after', String(retry_after));
    return answerJson(response, status, dialect.errorBody({ status, message }));
  }
  if (step.cut === true) entry.outcome = 'cut';
  await dialect.write(stream, asked, { ...plainParts(step, context.gates, stream), calls });
  if (!stream.isGone && entry.outcome === 'open') entry.outcome = 'answered';
}

function plainParts(step: Step, gates: Gates, stream: EventStream): Omit<Answer, 'calls'> {
  const { text } = step;
  return {
    think: step.think === undefined ? [] : [step.think].flat(),
    text: text === undefined ? undefined : () => textChunks([text].flat(), gates, stream),
    usage: usageOf(step),
    end: step.cut === true ? 'cut' : step.hang === true ? 'hang' : 'complete',
  };
}

async function* textChunks(parts: (string | { wait: string })[], gates: Gates, stream: EventStream): AsyncGenerator<string> {
  for (const part of parts) {
    if (typeof part === 'string') yield* chunksOf(part);
    else await gates.pass(part.wait, stream.gone);
  }
}

/** For a server that runs as a process of its own: its log, and its gates. */
function control(context: Context, path: string, response: ServerResponse): void {
  const gate = /^\/__release\/(.+)$/.exec(path)?.[1];
  if (gate !== undefined) context.gates.release(decodeURIComponent(gate));
  else if (path !== '/__log') return answerJson(response, 404, { error: 'there are /__log and /__release/NAME' });
  answerJson(response, 200, context.requests);
}

function answerJson(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
