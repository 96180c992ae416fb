// Owns the contract between the server and a model API: how a request is read, how an answer and an error look.
// A dialect knows no script; it is told what to say.

import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { ConversationTurn, Step, StepUsage, StopReason } from './script.ts';
import type { JsonSchema, OfferedTool, ToolCall } from './tools.ts';

export interface ModelRequest {
  model: string;
  isStreaming: boolean;
  /** A stream of Chat Completions tells its usage to who asks for it; the others always do. */
  streamsUsage?: boolean;
  /** The system prompt. */
  instructions: string;
  turns: ConversationTurn[];
  tools: OfferedTool[];
  /** How hard the model is asked to think, in the API's word. */
  effort: string | undefined;
  /** What the agent wants of the model's thoughts. Without it the model has none, whatever the script says. */
  thinking: 'none' | 'hidden' | 'shown';
  /** The answer must be JSON of this schema. */
  answerSchema: JsonSchema | undefined;
  /** A request that the agent makes for itself (a title, a summary): the user's script is not for it. */
  isSideJob: boolean;
  /** The sub-agent that asks, where the agent tells. */
  subAgent: string | undefined;
}

/** One answer, ready to be put into a model API's words. */
export interface Answer {
  think: string[];
  /** Yields the text chunk by chunk, and waits where the script says so. */
  text: (() => AsyncIterable<string>) | undefined;
  calls: ToolCall[];
  usage: StepUsage;
  /** `undefined`: it has said all, or calls tools. */
  stop: StopReason | undefined;
  /** After the text. */
  end: 'complete' | 'hang' | 'cut';
}

export interface Dialect {
  readonly name: string;
  /** The end of the request path, so that any base path works. */
  readonly pathEnd: string;
  /** @throws Error with what the dialect does not understand. */
  readRequest(body: Record<string, unknown>, headers: IncomingHttpHeaders): ModelRequest;
  errorBody(error: { status: number; message: string }): unknown;
  /** Writes the whole answer; returns early when the client has gone. */
  write(stream: EventStream, request: ModelRequest, answer: Answer): Promise<void>;
  /** The answer in one piece. Missing: the dialect is served as a stream only. */
  wholeBody?(request: ModelRequest, answer: Answer): Promise<unknown>;
  /** The API's other calls, which no script answers. `undefined`: it has no such call. */
  otherCall?(method: string, path: string, body: string): unknown;
}

export const defaultUsage: StepUsage = { input: 100, cached: 20, output: 25, reasoning: 5 };
export const usageOf = (step: Step): StepUsage => ({ ...defaultUsage, ...step.usage });

/** An answer as server-sent events. Once the client has gone, nothing is written. */
export class EventStream {
  readonly gone: Promise<void>;
  readonly #response: ServerResponse;
  readonly #chunkMs: number;
  #isGone = false;
  #number = 0;

  constructor(response: ServerResponse, chunkMs: number) {
    this.#response = response;
    this.#chunkMs = chunkMs;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gone = promise;
    response.on('close', () => {
      if (response.writableFinished) return;
      this.#isGone = true;
      resolve();
    });
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Counts the events of this answer, from 0. */
  nextNumber(): number {
    return this.#number++;
  }

  /** Sends one event, then takes the pause between two chunks if the script has one. */
  async chunk(event: string | undefined, data: unknown): Promise<void> {
    this.event(event, data);
    if (this.#chunkMs > 0 && !this.#isGone) await new Promise((resolve) => setTimeout(resolve, this.#chunkMs));
  }

  event(event: string | undefined, data: unknown): void {
    if (this.#isGone) return;
    if (!this.#response.headersSent) this.#response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    this.#response.write(`${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`);
  }

  /** @param last what the stream ends with, where that is no JSON. */
  end(last?: string): void {
    if (!this.#isGone) this.#response.end(last === undefined ? undefined : `data: ${last}\n\n`);
  }

  /** Drops the connection, after what was sent has left: the client gets the beginning of an answer. */
  async cut(): Promise<void> {
    await new Promise<void>((resolve) => this.#response.write(': the end is missing\n\n', () => resolve()));
    this.#response.destroy();
  }
}

/** Ids must be unique across answers, and the server keeps no state that could count them. */
export const newId = (prefix: string): string => `${prefix}_${randomUUID().replaceAll('-', '')}`;

const CHUNK_CHARACTERS = 12;
/** A text as a model streams it. */
export function chunksOf(text: string): string[] {
  return text.match(new RegExp(`[\\s\\S]{1,${CHUNK_CHARACTERS}}`, 'gu')) ?? [];
}
