// Owns the Anthropic Messages API, streamed and in one piece, as much of it as claude 2.1.197 uses: text, thinking,
// tool calls, images, its errors, the token count. It keeps no conversation on its side.

import type { IncomingHttpHeaders } from 'node:http';
import { type Answer, chunksOf, type Dialect, type EventStream, type ModelRequest, newId } from './dialect.ts';
import type { ConversationTurn, ReceivedImage } from './script.ts';
import type { JsonSchema, OfferedTool } from './tools.ts';

type Json = Record<string, unknown>;

export const anthropicMessages: Dialect = {
  name: 'anthropic-messages',
  pathEnd: '/messages',
  readRequest,
  errorBody: ({ status, message }) => ({ type: 'error', error: { type: errorTypes[status] ?? 'api_error', message } }),
  write,
  async wholeBody(request, answer) {
    let text = '';
    if (answer.text !== undefined) for await (const chunk of answer.text()) text += chunk;
    const blocks = [
      ...thinkingBlocks(request, answer),
      ...(answer.text === undefined ? [] : [{ type: 'text', text }]),
      ...callBlocks(answer),
    ];
    return { ...messageStart(request, answer), content: blocks, stop_reason: stopReason(answer), usage: usage(answer) };
  },
  otherCall(method, path, body) {
    // claude asks whether anybody is there before its first request.
    if (path === '/' && (method === 'HEAD' || method === 'GET')) return {};
    if (method === 'POST' && path.endsWith('/messages/count_tokens'))
      return { input_tokens: Math.ceil(body.length / CHARACTERS_PER_TOKEN) };
    return undefined;
  },
};

/** About that many in English; nobody counts on it. */
const CHARACTERS_PER_TOKEN = 4;

const errorTypes: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

/** claude asks for the summary of a conversation that gets too long in the user's place, and offers its tools. */
const summaryRequest = /Respond with TEXT ONLY\. Do NOT call any tools/;

function readRequest(body: Json, headers: IncomingHttpHeaders): ModelRequest {
  if (!Array.isArray(body['messages'])) throw new Error('the request has no `messages`');
  const turns = (body['messages'] as Json[]).flatMap(readMessage);
  const tools = (Array.isArray(body['tools']) ? (body['tools'] as Json[]) : []).flatMap(readTool);
  const output = body['output_config'] as { effort?: string; format?: { schema?: JsonSchema } } | undefined;
  const agentId = headers['x-claude-code-agent-id'];
  return {
    model: typeof body['model'] === 'string' ? body['model'] : '',
    isStreaming: body['stream'] === true,
    instructions: textOf(body['system']),
    turns,
    tools,
    isSideJob: tools.length === 0 || summaryRequest.test(turns.at(-1)?.text ?? ''),
    effort: output?.effort,
    thinking: readThinking(body['thinking']),
    answerSchema: output?.format?.schema,
    subAgent: typeof agentId === 'string' ? agentId : undefined,
  };
}

/** Since Opus 4.7 a model keeps its thoughts to itself unless it is asked for a summary. */
function readThinking(thinking: unknown): ModelRequest['thinking'] {
  const { type = 'disabled', display } = (thinking ?? {}) as { type?: string; display?: string };
  if (type === 'disabled') return 'none';
  return display === 'summarized' ? 'shown' : 'hidden';
}

/**
 * A user's message may hold results of tools, then words and images of the user. claude's notes are messages of the
 * system among the others; one of them may be what the user has said while a tool ran.
 */
function readMessage({ role, content }: Json): ConversationTurn[] {
  if (role === 'assistant') return [{ from: 'model', text: textOf(content) }];
  const blocks = blocksOf(content);
  const results = blocks.filter((block) => block['type'] === 'tool_result');
  const words = blocks.filter((block) => block['type'] !== 'tool_result');
  return [
    ...results.map((block) => ({ from: 'tool' as const, text: '', images: imagesOf(block['content']) })),
    ...(words.length > 0 ? [{ from: 'user' as const, text: textOf(words), images: imagesOf(words) }] : []),
  ];
}

const blocksOf = (content: unknown): Json[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : Array.isArray(content) ? (content as Json[]) : [];

const textOf = (content: unknown): string =>
  blocksOf(content)
    .map((block) => (typeof block['text'] === 'string' ? block['text'] : ''))
    .join('\n');

/** Images that lie elsewhere (by URL, by file id) are not received. */
function imagesOf(content: unknown): ReceivedImage[] {
  return blocksOf(content).flatMap((block) => {
    const source = block['source'] as { type?: string; media_type?: string; data?: string } | undefined;
    if (block['type'] !== 'image' || source?.type !== 'base64') return [];
    return [{ mediaType: source.media_type ?? '', base64: source.data ?? '' }];
  });
}

/** Tools that the provider itself would run (web search) have no schema; the scripted model has none of them. */
function readTool(tool: Json): OfferedTool[] {
  if (typeof tool['name'] !== 'string' || typeof tool['input_schema'] !== 'object') return [];
  return [{ name: tool['name'], isFreeform: false, schema: tool['input_schema'] ?? {} }];
}

const messageStart = (request: ModelRequest, answer: Answer) => ({
  id: newId('msg'),
  type: 'message',
  role: 'assistant',
  model: request.model,
  content: [] as Json[],
  stop_reason: null,
  stop_sequence: null,
  usage: { ...usage(answer), output_tokens: 1 },
});

/** Of this API, the input does not include what came from the cache. */
const usage = ({ usage: { input, cached, output } }: Answer) => ({
  input_tokens: input - cached,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: cached,
  output_tokens: output,
});

const stopReason = ({ stop, calls }: Answer) => stop ?? (calls.length > 0 ? 'tool_use' : 'end_turn');

/** A hidden thought is a block without words, whose signature goes back to the model. */
function thinkingBlocks(request: ModelRequest, { think }: Answer): Json[] {
  const signature = Buffer.from('scripted').toString('base64');
  return think.map((text) => ({ type: 'thinking', thinking: request.thinking === 'shown' ? text : '', signature }));
}

function callBlocks({ calls }: Answer): Json[] {
  return calls.map(({ name, input }) => {
    if (input.kind === 'text') throw new Error(`${name} takes plain text, which this API has no call for`);
    return { type: 'tool_use', id: newId('toolu'), name, input: input.value };
  });
}

async function write(stream: EventStream, request: ModelRequest, answer: Answer): Promise<void> {
  const writer = new BlockWriter(stream);
  const calls = callBlocks(answer);
  writer.send('message_start', { message: messageStart(request, answer) });
  writer.send('ping', {});
  for (const { thinking, signature } of thinkingBlocks(request, answer)) {
    writer.start({ type: 'thinking', thinking: '', signature: '' });
    for (const chunk of chunksOf(String(thinking))) await writer.delta({ type: 'thinking_delta', thinking: chunk });
    await writer.delta({ type: 'signature_delta', signature });
    writer.stop();
  }
  if (answer.text !== undefined) {
    writer.start({ type: 'text', text: '' });
    for await (const text of answer.text()) {
      await writer.delta({ type: 'text_delta', text });
      if (stream.isGone) return;
    }
    if (answer.end === 'complete') writer.stop();
  }
  if (answer.end === 'cut') return stream.cut();
  if (answer.end === 'hang') return stream.gone;
  for (const { input, ...call } of calls) {
    writer.start({ ...call, input: {} });
    for (const chunk of chunksOf(JSON.stringify(input))) await writer.delta({ type: 'input_json_delta', partial_json: chunk });
    writer.stop();
  }
  writer.send('message_delta', {
    delta: { stop_reason: stopReason(answer), stop_sequence: null },
    usage: { output_tokens: answer.usage.output },
  });
  writer.send('message_stop', {});
  stream.end();
}

/** Writes one block after the other, and counts them. */
class BlockWriter {
  readonly #stream: EventStream;
  #index = -1;

  constructor(stream: EventStream) {
    this.#stream = stream;
  }

  start(content_block: Json): void {
    this.#index += 1;
    this.send('content_block_start', { index: this.#index, content_block });
  }

  delta(delta: Json): Promise<void> {
    return this.#stream.chunk('content_block_delta', { type: 'content_block_delta', index: this.#index, delta });
  }

  stop(): void {
    this.send('content_block_stop', { index: this.#index });
  }

  send(type: string, data: Json): void {
    this.#stream.event(type, { type, ...data });
  }
}
