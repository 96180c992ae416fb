// Owns the scripted model server: HTTP on 127.0.0.1, one dialect per request path, a log of what was asked.
// Real agents are pointed at it, so that their own code runs and only the model is made up.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AnswerContext, answerJson, answerRequest } from './answer-request.ts';
import { anthropicMessages } from './anthropic-messages.ts';
import type { Dialect } from './dialect.ts';
import { Gates } from './gates.ts';
import type { LoggedRequest } from './logged-request.ts';
import { openAiChat } from './openai-chat.ts';
import { openAiResponses } from './openai-responses.ts';

const dialects: readonly Dialect[] = [openAiResponses, openAiChat, anthropicMessages];

/** It answers to any name. */
const modelList = { object: 'list', data: [{ id: 'fake-1', object: 'model', created: 0, owned_by: 'scripted' }] };

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
  const context: AnswerContext = { gates: new Gates(), requests: [], failures: new Map() };
  const server = createServer((request, response) => {
    // Only a request that broke off comes here.
    handle(context, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: context.requests,
    reached: (gate) => context.gates.reached(gate),
    release: (gate) => context.gates.release(gate),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function handle(context: AnswerContext, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = new URL(request.url ?? '/', 'http://localhost').pathname;
  const method = request.method ?? 'GET';
  if (path.startsWith('/__')) return control(context, path, response);
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString('utf8');
  const dialect = method === 'POST' ? dialects.find((each) => path.endsWith(each.pathEnd)) : undefined;
  if (dialect === undefined) return answerOther({ method, path, body }, response);
  try {
    const asked = dialect.readRequest(JSON.parse(body) as Record<string, unknown>, request.headers);
    await answerRequest(context, dialect, asked, response);
  } catch (error) {
    // A fault of ours or of the script: say it where the test looks, in the agent's error message.
    answerJson(response, 400, dialect.errorBody({ status: 400, message: `scripted model: ${String(error)}` }));
  }
}

function answerOther({ method, path, body }: { method: string; path: string; body: string }, response: ServerResponse): void {
  if (method === 'GET' && path.endsWith('/models')) return answerJson(response, 200, modelList);
  const answer = dialects.map((dialect) => dialect.otherCall?.(method, path, body)).find((each) => each !== undefined);
  if (answer !== undefined) return answerJson(response, 200, answer);
  answerJson(response, 404, { error: { message: `scripted model: nothing at ${method} ${path}`, type: 'not_found_error' } });
}

/** For a server that runs as a process of its own: its log, and its gates. */
function control(context: AnswerContext, path: string, response: ServerResponse): void {
  const gate = /^\/__release\/(.+)$/.exec(path)?.[1];
  if (gate !== undefined) context.gates.release(decodeURIComponent(gate));
  else if (path !== '/__log') return answerJson(response, 404, { error: 'there are /__log and /__release/NAME' });
  answerJson(response, 200, context.requests);
}
